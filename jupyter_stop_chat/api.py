"""What the author of a chat handler or of a tool imports: this module's names stay as they are.

A chat handler makes replies; see `docs/building/chat-handlers.md`. A tool is what a model may
call; see `docs/building/tools.md`. What needs LangChain is imported when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .ports.handler import (
    ChatHandler,
    Event,
    Finished,
    HistoryCut,
    Reasoning,
    Retrying,
    Text,
    TokensUsed,
    ToolEnded,
    ToolStarted,
    Turn,
    TurnMessage,
)
from .ports.tools import Call, Proposal, Tool, ToolError, ToolResult, Wanted
from .wire.errors import ErrorCode, StopChatError

if TYPE_CHECKING:
    from .chat_handlers.langchain.closing import closed_at_the_end
    from .chat_handlers.langchain.handler import LangChainHandler
    from .chat_handlers.langchain.tools import as_tool
    from .testing import PhaseReport, StopReport, check_stops

_LATER = {
    "LangChainHandler": "chat_handlers.langchain.handler",
    "PhaseReport": "testing",
    "StopReport": "testing",
    "as_tool": "chat_handlers.langchain.tools",
    "check_stops": "testing",
    "closed_at_the_end": "chat_handlers.langchain.closing",
}

__all__ = [
    "Call",
    "ChatHandler",
    "ErrorCode",
    "Event",
    "Finished",
    "HistoryCut",
    "LangChainHandler",
    "PhaseReport",
    "Proposal",
    "Reasoning",
    "Retrying",
    "StopChatError",
    "StopReport",
    "Text",
    "TokensUsed",
    "Tool",
    "ToolEnded",
    "ToolError",
    "ToolResult",
    "ToolStarted",
    "Turn",
    "TurnMessage",
    "Wanted",
    "as_tool",
    "check_stops",
    "closed_at_the_end",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"{__package__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
