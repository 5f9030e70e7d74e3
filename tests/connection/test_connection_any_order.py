"""The connection, with a fake socket: whatever happens in whatever order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.connection import backlog as backlogs
from jupyter_stop_chat.connection import opening as tails
from jupyter_stop_chat.ports.handler import Reasoning, WasThought
from jupyter_stop_chat.wire.client_frames import Resume
from jupyter_stop_chat.wire.objects import Message
from tests.aids.fed import Fed
from tests.connection.wire import Wire, feed
from tests.engine.bench import MODEL, OWNER, Bench, new_id, turns_until
from tests.engine.stores import MEMORY, WatchedStore
from tests.examples import examples

# --- whatever happens meanwhile ---------------------------------------------------------------


class SlowStore(WatchedStore):
    """What answers an `open` late, with what was there when it was asked, or when it answers."""

    late, stale = 0, False

    async def get_messages(self, chat_id: str) -> list[Message]:
        found = await super().get_messages(chat_id)
        for _ in range(self.late):
            await asyncio.sleep(0)
        return found if self.stale else await super().get_messages(chat_id)


WORDS = st.sampled_from(["a", "bc ", "né ", "🗼", "e\u0301", "x" * 40, "🗼" * 9])
ACTIONS = st.one_of(
    st.tuples(st.just("feed"), WORDS),
    st.tuples(st.just("think"), WORDS),
    st.tuples(st.just("rethink"), st.none() | st.integers(0, 40)),
    st.tuples(st.just("turns"), st.integers(1, 12)),
    st.tuples(st.just("open"), st.booleans()),
    st.tuples(st.just("gate"), st.booleans()),
    st.tuples(st.just("stop"), st.integers(0, 60)),
    st.tuples(st.just("end"), st.just(None)),
    st.tuples(st.just("send"), st.just(None)),
    st.tuples(st.just("continue"), st.just(None)),
    st.tuples(st.just("cut"), st.booleans()),
    st.tuples(st.just("close"), st.just(None)),
)


@settings(max_examples=examples(25, 600))
@given(
    st.lists(ACTIONS, max_size=40),
    st.integers(0, 8),
    st.booleans(),
    st.integers(1, 4),
    st.integers(2, 40),
)
@example(  # a request that is accepted late follows the chat that was closed meanwhile
    [("send", None), ("send", None), ("think", "a"), ("turns", 10), ("close", None)],
    *(0, False, 3, 2),
)
@example(  # reasoning that the client has, and that is too long for the answer to another `open`
    [("open", False), ("turns", 12), ("think", "x" * 40)] + [("turns", 12)] * 8 + [("open", True)],
    *(0, False, 1, 2),
)
@example(  # a reply longer than one frame carries, some of which became reasoning
    [("feed", "a"), ("rethink", None)],
    *(0, False, 1, 2),
)
def test_no_character_is_lost_or_doubled_whatever_happens_meanwhile(
    actions: list[tuple[str, Any]], read_turns: int, stale: bool, write_turns: int, most: int
) -> None:
    """B5, B4: text grows, replies are accepted and end while a chat is opened, cut and resumed."""

    async def run() -> None:
        store = SlowStore(MEMORY)
        await store.open()
        store.late, store.stale, store.turns = read_turns, stale, write_turns
        bench = Bench(store=store)
        bench.handlers[MODEL] = Fed()
        await _play(bench, actions)
        await bench.check()
        await bench.close()
        await store.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backlogs, "MAX_DELTA", most)
        patch.setattr(tails, "MOST_TEXT", most * 3)
        try:
            asyncio.run(asyncio.wait_for(run(), 20))
        except BaseException:
            print("CASE", actions, read_turns, stale, write_turns, most)
            raise


async def _play(  # noqa: PLR0912 - one case an action
    bench: Bench, actions: list[tuple[str, Any]]
) -> None:
    epoch = bench.engine.epoch
    asker, viewer = Wire(bench), Wire(bench)
    first = await asker.ask()
    chat_id = first["chat_id"]
    asker.send("open", chat_id=chat_id)

    def newest() -> str | None:
        running = [each.id for each in bench.engine.running() if each.task is not None]
        return running[-1] if running else None

    for action, value in actions:
        message_id = newest()
        match action:
            case "feed" if message_id:
                feed(bench, message_id, value)
            case "think" if message_id:
                feed(bench, message_id, Reasoning(value))
            case "rethink" if message_id:
                feed(bench, message_id, WasThought(value))
            case "end" if message_id:
                feed(bench, message_id, None)
            case "turns":
                for _ in range(value):
                    await asyncio.sleep(0)
            case "open":
                have = {"offsets": viewer.page.offsets(), "epoch": epoch} if value else {}
                viewer.send("open", chat_id=chat_id, **have)
            case "close":
                viewer.send("close", chat_id=chat_id)
            case "gate":
                (viewer.open.set if value else viewer.open.clear)()
            case "stop" if message_id:
                asker.send("stop", message_id=message_id, shown=value)
            case "send":
                viewer.send("send", request_id=new_id(), chat_id=chat_id, body="Hi")
            case "continue":
                asker.send("continue", request_id=new_id(), message_id=first["message"]["id"])
            case "cut":
                viewer.connection.end()
                page = viewer.page
                viewer = Wire(bench)
                viewer.page = page
                have = {"offsets": page.offsets(), "epoch": epoch} if value else {}
                viewer.send("open", chat_id=chat_id, **have)
    viewer.open.set()
    intakes = [each.connection._intake for each in (asker, viewer)]
    await turns_until(lambda: not any(intake._tasks for intake in intakes))
    while bench.engine.running():
        message_id = newest()
        if message_id is None:
            await bench.engine.resume(OWNER, Resume(type="resume", chat_id=chat_id))
            await asyncio.sleep(0)
        else:
            feed(bench, message_id, "the end", None)
            await bench.end(message_id)
    await bench.quiet()
    for each in (asker, viewer):
        await turns_until(lambda wire=each: not wire.connection._intake._tasks)
        # Who follows has heard it all; only who does not, or is told that there is more, asks.
        following = each.connection._chats.get(chat_id)
        if following is None or not following.opened:
            await each.opens(chat_id, offsets=each.page.offsets(), epoch=epoch)
        await each.idle()
        while each.page.incomplete:
            await each.opens(chat_id, offsets=each.page.offsets(), epoch=epoch)
        await each.idle()
        await asyncio.sleep(0)
    for message in await bench.store.get_messages(chat_id):
        for each in (asker, viewer):
            assert each.page.text(message.id) == message.text
            assert each.page.messages[message.id].state == message.state
            reasoning = each.page.messages[message.id].reasoning.decode("utf-16-le")
            assert reasoning == (message.reasoning or "")
    for each in (asker, viewer):
        assert each.page.chats[chat_id]["state"] == "idle"
        assert each.connection._outbox._backlogs == {}
        each.connection.end()
    bench.follow(chat_id)
