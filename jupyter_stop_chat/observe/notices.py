"""What everyone is told when chats cannot be saved or other servers not be reached, and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from jupyter_stop_chat.engine.changes import Bus
from jupyter_stop_chat.ports.peers import Peers
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
        health = store.health()
        found = len(health["set_aside"])
        if degraded:
            newer = health.get("reason") == "newer"
            code = ErrorCode.NEWER_DATABASE if newer else ErrorCode.NOT_SAVED
        elif found > aside:
            code, aside = ErrorCode.SET_ASIDE, found
        else:
            code = ErrorCode.SAVED_AGAIN
        lasting = code is not ErrorCode.SAVED_AGAIN
        bus.broadcast(error_frame(code), about="store", lasting=lasting)

    store.on_degraded = tell


def watch_peers(peers: Peers, bus: Bus) -> None:
    """Tell every page once when other servers are only reached late, and once when at once again.

    A page that connects meanwhile is told as well.
    """

    def tell(reached: bool) -> None:
        code = ErrorCode.OTHERS_AGAIN if reached else ErrorCode.OTHERS_LATE
        bus.broadcast(error_frame(code), about="others", lasting=not reached)

    peers.on_reach = tell
