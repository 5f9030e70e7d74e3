"""What everyone is told when chats cannot be saved, and when they are again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from jupyter_stop_chat.engine.changes import Bus
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.server_frames import error_frame


class Troubled(Protocol):
    """A store that tells of its trouble."""

    on_trouble: Callable[[bool], None]

    def health(self) -> dict[str, Any]:
        """Tell how it is."""
        ...


def watch_store(store: Troubled, bus: Bus) -> None:
    """Tell every page once when a store gets into trouble, and once when it is out of it.

    A page that connects meanwhile is told as well. That a damaged file was set aside is told
    to all that connect until the server ends.
    """
    aside = 0

    def tell(troubled: bool) -> None:
        nonlocal aside
        found = len(store.health()["set_aside"])
        if troubled:
            code = ErrorCode.NOT_SAVED
        elif found > aside:
            code, aside = ErrorCode.SET_ASIDE, found
        else:
            code = ErrorCode.SAVED_AGAIN
        bus.broadcast(error_frame(code), lasting=code is not ErrorCode.SAVED_AGAIN)

    store.on_trouble = tell
