"""What was taken back of a reply's changes is told to its owner's pages, wherever they are."""

from __future__ import annotations

from typing import Any, cast

from jupyter_stop_chat.bus.local import LocalBus
from jupyter_stop_chat.engine.chats.undo import Undo
from jupyter_stop_chat.engine.servers.telling import Telling
from jupyter_stop_chat.ports.peers import Moved
from jupyter_stop_chat.ports.tools import Change, Noted
from jupyter_stop_chat.wire.objects import Message, MessageState

IDS = [f"{n:08x}-0000-4000-8000-000000000000" for n in range(2)]


class Standing:
    """A store with one reply that changed a cell, and the other servers of its owner."""

    def __init__(self) -> None:
        self.journal = self
        self.marked: list[Any] = []
        self.told: list[Any] = []

    async def changes(self, message_id: str) -> list[Noted]:
        return [Noted(0, "call", Change("a.ipynb", "move", "one"), "done")]

    async def mark(self, message_id: str, states: Any) -> None:
        self.marked.append(states)

    async def message(self, owner: str, message_id: str, role: str) -> Message:
        return Message(
            id=message_id,
            chat_id=IDS[1],
            role="assistant",
            text="Done.",
            text_length=5,
            state=MessageState.INTERRUPTED,
            created_at="2026-01-01T00:00:00Z",
        )

    def tell(self, owner: str, news: Any) -> None:
        self.told.append((owner, news))


async def test_pages_of_other_servers_hear_of_it_too() -> None:
    """N10: also after a restart, when nothing was made in the chat yet; once."""
    there = Standing()
    here: list[Any] = []
    bus = LocalBus()
    bus.follow(IDS[1], here.append)
    undo = Undo(cast("Any", there), Telling(bus, cast("Any", there)), there.message)
    for outcome in ("left", "put_back"):
        await undo.note("me", IDS[0], {0: cast("Any", outcome)}, undone=True)
    assert there.marked == [{0: "undone"}]
    assert there.told == [("me", Moved(IDS[1], IDS[0]))]
    assert [each.message.id for each in here] == [IDS[0]]
