"""What everyone is told when chats cannot be saved, and when they are again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from jupyter_stop_chat.engine.changes import Bus
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.server_frames import error_frame


class MayDegrade(Protocol):
    """A store that tells when it cannot save, and keeps chats in memory."""

    on_degraded: Callable[[bool], None]

    def health(self) -> dict[str, Any]:
        """Return its health."""
        ...


def watch_store(store: MayDegrade, bus: Bus) -> None:
    """Tell every page once when a store is degraded, and once when it saves again.

    A page that connects meanwhile is told as well. That a damaged file was set aside is told
    to all that connect until the server ends.
    """
    aside = 0

    def tell(degraded: bool) -> None:
        nonlocal aside
        found = len(store.health()["set_aside"])
        if degraded:
            code = ErrorCode.NOT_SAVED
        elif found > aside:
            code, aside = ErrorCode.SET_ASIDE, found
        else:
            code = ErrorCode.SAVED_AGAIN
        bus.broadcast(error_frame(code), lasting=code is not ErrorCode.SAVED_AGAIN)

    store.on_degraded = tell
