"""The outbox by itself: what goes out together, and what goes first."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyter_stop_chat.connection.outbox import Outbox
from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.handler import Text
from jupyter_stop_chat.wire.objects import MessageState
from jupyter_stop_chat.wire.server_frames import Pong
from tests.aids.generations import a_generation
from tests.engine.bench import new_id


class Line:
    """A line that keeps frames until they are sent.

    :ivar sent: those that went out together, each time.
    :ivar taken: what is waited for, until all that was sent is taken.
    """

    def __init__(self) -> None:
        self.kept: list[Any] = []
        self.sent: list[list[Any]] = []
        self.taken: asyncio.Future[None] | None = None
        self.outbox = Outbox(self._write, lambda code, reason: None, send=self._send)

    def _write(self, text: str) -> None:
        self.kept.append(json.loads(text))

    def _send(self) -> asyncio.Future[None] | None:
        if self.kept:
            self.sent.append(self.kept)
            self.kept = []
        return self.taken


async def said(text: str) -> Generation:
    """Return a reply that says something just now."""
    made = a_generation()
    made.id = new_id()
    made.message = made.message.model_copy(update={"id": made.id})
    made.apply(Text(text))
    while not made.text.length:  # noqa: ASYNC110 - until it is committed
        await asyncio.sleep(0)
    return made


async def test_what_is_written_in_one_turn_goes_out_together() -> None:
    """And no more is written before it is taken."""
    line = Line()
    line.taken = asyncio.get_running_loop().create_future()
    for _ in range(3):
        line.outbox.answer(Pong())
    await asyncio.sleep(0)
    assert [len(each) for each in line.sent] == [3]
    line.outbox.answer(Pong())
    for _ in range(3):
        await asyncio.sleep(0)
    assert (line.kept, len(line.sent)) == ([], 1)
    taken, line.taken = line.taken, None
    taken.set_result(None)
    for _ in range(3):
        await asyncio.sleep(0)
    assert [len(each) for each in line.sent] == [3, 1]
    line.outbox.end()


async def test_the_end_of_a_reply_goes_before_what_others_say() -> None:
    """S5: somebody may wait for it."""
    line = Line()
    made = [await said(f"text {number}") for number in range(3)]
    for each in made:
        line.outbox.text(each)
    last = made[-1]
    last.state = MessageState.INTERRUPTED
    line.outbox.moved(MessageMoved(last.snapshot(), last), has_text=True)
    first, second = (frame for each in line.sent for frame in each[:2])
    assert (first["type"], first["message_id"], first["text"]) == ("delta", last.id, "text 2")
    assert (second["type"], second["message"]["id"]) == ("message", last.id)
    assert second["message"]["state"] == "interrupted"
    line.outbox.end()
