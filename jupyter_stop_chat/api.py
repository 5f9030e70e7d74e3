"""What the author of a chat handler imports: this module's names stay as they are.

A chat handler makes replies; see `docs/chat-handlers.md`. What needs LangChain is imported when
it is asked for.
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
from .wire.errors import ErrorCode, StopChatError

if TYPE_CHECKING:
    from .chat_handlers.langchain.closing import closed_at_the_end
    from .chat_handlers.langchain.handler import LangChainHandler
    from .testing import PhaseReport, StopReport, check_stops

_LATER = {
    "LangChainHandler": "chat_handlers.langchain.handler",
    "PhaseReport": "testing",
    "StopReport": "testing",
    "check_stops": "testing",
    "closed_at_the_end": "chat_handlers.langchain.closing",
}

__all__ = [
    "ChatHandler",
    "ErrorCode",
    "Event",
    "Finished",
    "HistoryCut",
    "LangChainHandler",
    "PhaseReport",
    "Reasoning",
    "Retrying",
    "StopChatError",
    "StopReport",
    "Text",
    "TokensUsed",
    "ToolEnded",
    "ToolStarted",
    "Turn",
    "TurnMessage",
    "check_stops",
    "closed_at_the_end",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"{__package__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
