"""What everyone is told, and who comes later: one notice of each kind."""

from __future__ import annotations

from typing import Any, cast

from jupyter_stop_chat.bus.local import LocalBus
from jupyter_stop_chat.bus.redis import RedisPeers
from jupyter_stop_chat.observe.notices import watch_peers, watch_store


class Store:
    """A store that is degraded when a test says so."""

    on_degraded: Any = None
    reason = "locked"

    def health(self) -> dict[str, Any]:
        return {"set_aside": [], "reason": self.reason}


def test_notices_of_the_store_and_of_others_stand_side_by_side() -> None:
    """B3: the one does not take the place of the other."""
    bus, store, told = LocalBus(), Store(), list[str]()
    peers = RedisPeers("redis://127.0.0.1", "us")
    bus.attend("ada", lambda change: told.append(cast(Any, change).code))
    watch_store(store, bus)
    watch_peers(peers, bus)

    def lasting() -> list[str]:
        return [each.code for each in bus.notices]

    peers.on_reach(False)
    assert lasting() == ["others_late"]
    store.on_degraded(True)
    assert lasting() == ["others_late", "not_saved"]
    peers.on_reach(True)
    assert lasting() == ["not_saved"]
    peers.on_reach(False)
    store.on_degraded(False)
    assert lasting() == ["others_late"]
    peers.on_reach(True)
    assert lasting() == []
    assert told == [
        *("others_late", "not_saved", "others_again"),
        *("others_late", "saved_again", "others_again"),
    ]


def test_that_a_newer_version_made_the_database_is_told_as_that() -> None:
    """H10: no word that it is saved soon."""
    bus, store = LocalBus(), Store()
    watch_store(store, bus)
    store.reason = "newer"
    store.on_degraded(True)
    assert [each.code for each in bus.notices] == ["newer_database"]
