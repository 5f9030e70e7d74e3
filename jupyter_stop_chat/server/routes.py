"""Every route of the extension, in one list, and the OpenAPI document that is made of it.

The document is checked in as `docs/building/openapi.json`, and served at
`api/stop-chat/openapi.json`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from .agent.changes import ChangesHandler
from .agent.mcp import (
    McpAllowedHandler,
    McpLogHandler,
    McpRetryHandler,
    McpServersHandler,
    McpToolHandler,
)
from .agent.runs import CellOutputsHandler, KeptOutputsHandler, KernelHandler
from .agent.tools import AllowedToolsHandler, ApprovalHandler, CallsHandler, ToolAnswersHandler
from .base import ChatApp, StopChatHandler
from .chats import ChatHandler, ChatsHandler, ExportHandler
from .generations import (
    GenerateHandler,
    GenerationHandler,
    GenerationsHandler,
    InterruptAllHandler,
    InterruptHandler,
)
from .health import HealthHandler
from .instructions import (
    ChatInstructionsHandler,
    NextInstructionsHandler,
    OwnInstructionsHandler,
    SentInstructionsHandler,
)
from .models import AddressHandler, ChoiceHandler, KeyHandler, LocalModelHandler, ModelsHandler
from .openapi import IN_PATH, JSON, Operation, describe
from .socket import ChatSocket
from .spending import SpendingHandler
from .uploads import DocumentsHandler, PictureHandler, PicturesHandler


class OpenAPIHandler(StopChatHandler):
    """The handler of `openapi.json`."""

    @Operation("openapi", "read", {JSON: {"type": "object"}})
    async def get(self) -> None:
        """Return this document."""
        self.set_header("Content-Type", JSON)
        self.finish(json.dumps(document(self.base_url)))


#: Each path below `api/stop-chat/`, and its handler.
ROUTES: tuple[tuple[str, type[StopChatHandler]], ...] = (
    ("generate", GenerateHandler),
    ("generations", GenerationsHandler),
    ("generations/{message_id}", GenerationHandler),
    ("generations/{message_id}/interrupt", InterruptHandler),
    ("interrupt", InterruptAllHandler),
    ("chats", ChatsHandler),
    ("chats/{chat_id}", ChatHandler),
    ("chats/{chat_id}/export", ExportHandler),
    ("chats/{chat_id}/instructions", ChatInstructionsHandler),
    ("blobs", PicturesHandler),
    ("blobs/{digest}", PictureHandler),
    ("documents", DocumentsHandler),
    ("instructions", OwnInstructionsHandler),
    ("instructions/next", NextInstructionsHandler),
    ("messages/{message_id}/instructions", SentInstructionsHandler),
    ("messages/{message_id}/changes", ChangesHandler),
    ("messages/{message_id}/calls", CallsHandler),
    ("messages/{message_id}/calls/{call_id}/approval", ApprovalHandler),
    ("messages/{message_id}/calls/{call_id}/kernel", KernelHandler),
    ("cell-outputs", CellOutputsHandler),
    ("cell-outputs/{message_id}/{call_id}", KeptOutputsHandler),
    ("allowed-tools", AllowedToolsHandler),
    ("tool-answers/{call}", ToolAnswersHandler),
    ("mcp/servers", McpServersHandler),
    ("mcp/servers/{server}/tools/{tool}", McpToolHandler),
    ("mcp/servers/{server}/tools/{tool}/allowed", McpAllowedHandler),
    ("mcp/servers/{server}/retry", McpRetryHandler),
    ("mcp/servers/{server}/log", McpLogHandler),
    ("spending", SpendingHandler),
    ("health", HealthHandler),
    ("models", ModelsHandler),
    ("models/choice", ChoiceHandler),
    ("providers/{name}/key", KeyHandler),
    ("providers/{name}/address", AddressHandler),
    ("local-model", LocalModelHandler),
    ("openapi.json", OpenAPIHandler),
)


def routes(app: ChatApp) -> list[tuple[str, type, dict[str, Any]]]:
    """Return the routes, as Tornado takes them."""
    return [
        (f"/api/stop-chat/{_pattern(path)}", handler, {"app": app})
        for path, handler in (("ws", ChatSocket), *ROUTES)
    ]


def _pattern(path: str) -> str:
    """Return what a path looks like; its parameters are passed by their names."""
    written = path.replace(".", r"\.")
    for name, schema in IN_PATH.items():
        # A route whose groups are not all named is none for Tornado.
        pattern = schema["pattern"].strip("^$").replace("(", "(?:")
        written = written.replace(f"{{{name}}}", f"(?P<{name}>{pattern})")
    return written


def document(base_url: str = "/") -> dict[str, Any]:
    """Return the OpenAPI document.

    :param base_url: where Jupyter Server serves, with a slash at its end.
    """
    made: dict[str, Any] = json.loads(_document())
    made["servers"] = [{"url": f"{base_url}api/stop-chat"}]
    return made


@cache
def _document() -> str:
    return json.dumps(describe(ROUTES))
