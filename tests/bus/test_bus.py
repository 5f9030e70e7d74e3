"""The bus: who hears of what."""

from __future__ import annotations

from typing import Any

from jupyter_stop_chat.bus.local import LocalBus
from jupyter_stop_chat.engine.changes import TextGrew
from jupyter_stop_chat.wire.objects import Chat
from jupyter_stop_chat.wire.server_frames import ChatChanged
from tests.aids.generations import a_generation

CHAT = Chat(id="00000000-0000-4000-8000-0000000000c0", owner="ada", created_at="", updated_at="")


async def test_followers_of_a_chat_hear_of_it_alone() -> None:
    bus, heard, other = LocalBus(), [], []
    bus.follow("c", heard.append)
    bus.follow("d", other.append)
    change = TextGrew(a_generation())
    bus.publish("c", change)
    bus.publish("nobody", change)
    assert (heard, other) == ([change], [])
    bus.unfollow("c", heard.append)
    bus.publish("c", change)
    assert heard == [change]


def test_an_owner_hears_of_their_chats_alone() -> None:
    """J6."""
    bus, ada, eve = LocalBus(), [], []
    bus.attend("ada", ada.append)
    bus.attend("eve", eve.append)
    change = ChatChanged(chat=CHAT)
    bus.announce("ada", change)
    assert (ada, eve) == ([change], [])
    bus.leave("ada", ada.append)
    bus.announce("ada", change)
    assert ada == [change]


def test_one_that_fails_keeps_the_news_from_nobody(caplog: Any) -> None:
    bus, heard = LocalBus(), []

    def fails(change: Any) -> None:
        raise RuntimeError("listener")

    bus.attend("ada", fails)
    bus.attend("ada", heard.append)
    bus.announce("ada", ChatChanged(chat=CHAT))
    assert len(heard) == 1
    assert "a listener failed" in caplog.text


def test_who_leaves_while_it_is_told_is_no_harm() -> None:
    bus, heard = LocalBus(), []

    def leaves(change: Any) -> None:
        heard.append(change)
        bus.leave("ada", leaves)

    bus.attend("ada", leaves)
    bus.announce("ada", ChatChanged(chat=CHAT))
    bus.announce("ada", ChatChanged(chat=CHAT))
    assert len(heard) == 1
    assert bus.listeners == 0


def test_nothing_is_kept_of_who_left() -> None:
    """V10: not even when one leaves twice, or was never there."""
    bus, heard = LocalBus(), []
    for _ in range(3):
        bus.follow("c", heard.append)
        bus.attend("ada", heard.append)
    assert bus.listeners == 2
    for _ in range(2):
        bus.unfollow("c", heard.append)
        bus.leave("ada", heard.append)
    assert bus.listeners == 0
    assert (bus._chats, bus._owners) == ({}, {})
