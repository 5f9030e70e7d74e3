"""Every route of the extension, in one list."""

from __future__ import annotations

from typing import Any

from .base import ChatApp
from .chats import ChatHandler, ChatsHandler, ExportHandler
from .generations import (
    GenerateHandler,
    GenerationHandler,
    GenerationsHandler,
    InterruptAllHandler,
    InterruptHandler,
)
from .health import HealthHandler
from .models import AddressHandler, KeyHandler, LocalModelHandler, ModelsHandler
from .openapi import OpenAPIHandler
from .socket import ChatSocket

_ID = r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
#: A provider's name.
_NAME = r"([a-z0-9_]{1,64})"


def routes(app: ChatApp) -> list[tuple[str, type, dict[str, Any]]]:
    """Return the routes, as Tornado takes them."""
    return [
        (f"/api/stop-chat/{path}", handler, {"app": app})
        for path, handler in (
            ("ws", ChatSocket),
            ("health", HealthHandler),
            ("chats", ChatsHandler),
            (f"chats/{_ID}", ChatHandler),
            (f"chats/{_ID}/export", ExportHandler),
            ("generate", GenerateHandler),
            ("generations", GenerationsHandler),
            (f"generations/{_ID}", GenerationHandler),
            (f"generations/{_ID}/interrupt", InterruptHandler),
            ("interrupt", InterruptAllHandler),
            ("models", ModelsHandler),
            (f"providers/{_NAME}/key", KeyHandler),
            (f"providers/{_NAME}/address", AddressHandler),
            ("local-model", LocalModelHandler),
            (r"openapi\.json", OpenAPIHandler),
        )
    ]
