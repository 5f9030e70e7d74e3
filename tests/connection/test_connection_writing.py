"""The connection, with a fake socket: what goes out, in which order, and how much."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest

from jupyter_stop_chat.connection import backlog as backlogs
from jupyter_stop_chat.connection import intake
from jupyter_stop_chat.connection import opening as tails
from jupyter_stop_chat.connection import outbox as outboxes
from jupyter_stop_chat.ports.handler import Reasoning, Retrying
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.server_frames import Tool, error_frame
from tests.connection.wire import feed, shows
from tests.engine.bench import Bench, new_id, turns_until

# --- what goes out, and when ------------------------------------------------------------------


async def test_a_slow_reader_gets_fewer_and_larger_deltas(bench: Bench, wire: Any) -> None:
    """Rule 11: text is read when it can be written; nothing of it waits in the connection."""
    slow, quick = wire(), wire()
    accepted = await slow.ask()
    message_id = accepted["message"]["id"]
    await quick.opens(accepted["chat_id"])
    slow.open.clear()
    said = ""
    for number in range(300):
        feed(bench, message_id, f"word {number} ")
        said += f"word {number} "
        await shows(bench, message_id, said)
        await quick.idle()
    backlog = slow.connection._outbox._backlogs[message_id]
    assert len(backlog.entries) <= 2
    slow.open.set()
    feed(bench, message_id, None)
    await slow.end_of(message_id)
    assert len(quick.page.of_type("delta")) == 300
    assert len(slow.page.of_type("delta")) <= 3
    assert slow.page.text(message_id) == quick.page.text(message_id) == said


async def test_the_last_frame_follows_all_text_and_the_stops_answer_follows_it(
    bench: Bench, wire: Any
) -> None:
    """S5: in this order, also for a reader that was far behind."""
    page = wire()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    page.open.clear()
    said = "x" * 200_000
    feed(bench, message_id, Reasoning("Hm."), said)
    await shows(bench, message_id, said)
    page.send("stop", message_id=message_id)
    await turns_until(lambda: not page.connection._intake._tasks)
    page.open.set()
    await page.until("stop_result")
    types = [frame["type"] for frame in page.page.frames]
    assert types.index("stop_result") == len(types) - 1 or types[-1] == "chat"
    last = max(at for at, kind in enumerate(types) if kind == "message")
    assert last < types.index("stop_result")
    assert max(at for at, kind in enumerate(types) if kind == "delta") < last
    assert page.page.text(message_id) == said
    assert page.page.messages[message_id].reasoning.decode("utf-16-le") == "Hm."
    assert page.page.frames[last]["message"]["text"] == ""


async def test_the_last_frame_goes_before_what_it_does_to_its_chat(
    bench: Bench, wire: Any
) -> None:
    """S5: somebody may wait for it."""
    page = wire()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    feed(bench, message_id, "Hm.")
    await shows(bench, message_id, "Hm.")
    await page.idle()
    before = len(page.page.frames)
    page.send("stop", message_id=message_id)
    await page.until("stop_result")
    await page.until("chat", lambda frame: frame["chat"]["state"] == "idle", skip=0)
    told = page.page.frames[before:]
    last = next(
        at
        for at, frame in enumerate(told)
        if frame["type"] == "message" and frame["message"]["state"] == "interrupted"
    )
    idle = next(at for at, frame in enumerate(told) if frame["type"] == "chat")
    assert last < idle


async def test_a_stops_answer_does_not_wait_behind_another_message(
    bench: Bench, wire: Any
) -> None:
    """Rule 11: not behind megabytes of another reply's text."""
    page = wire()
    long, short = await page.ask(), await page.ask()
    said = "y" * 3_000_000
    page.open.clear()
    generation = bench.engine.generation(long["message"]["id"])
    assert generation is not None
    generation._max_length = len(said)
    feed(bench, long["message"]["id"], said)
    await turns_until(lambda: generation.text.length == len(said))
    feed(bench, short["message"]["id"], "brief")
    await shows(bench, short["message"]["id"], "brief")
    page.send("stop", message_id=short["message"]["id"])
    await turns_until(lambda: not page.connection._intake._tasks)
    page.open.set()
    before = page.page.received
    await page.until("stop_result")
    assert page.page.received - before <= 2 * backlogs.MAX_DELTA + 10
    assert page.page.messages[short["message"]["id"]].ended
    await bench.stop(message_id=long["message"]["id"])


async def test_messages_take_turns(bench: Bench, wire: Any) -> None:
    """Rule 11: no message's text holds the others' back."""
    page = wire()
    ids = [(await page.ask())["message"]["id"] for _ in range(5)]
    page.open.clear()
    skip = len(page.page.frames)
    for message_id in ids:
        feed(bench, message_id, "z" * (4 * backlogs.MAX_DELTA))
    for message_id in ids:
        await shows(bench, message_id, "z" * (4 * backlogs.MAX_DELTA))
    page.open.set()
    await page.idle()
    turns = [f["message_id"] for f in page.page.frames[skip:] if f["type"] == "delta"]
    # The first delta was under way before there was more.
    rounds = [turns[at : at + 5] for at in range(1, len(turns), 5)][:3]
    assert all(len(set(each)) == 5 for each in rounds), turns
    await bench.stop(all=True)


async def test_the_writer_gives_the_loop_back(
    bench: Bench, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 11: a socket that takes everything at once still lets others run every millisecond."""
    page = wire()
    accepted = await page.ask()
    loop = asyncio.get_running_loop()
    now = [0.0]
    turns: list[float] = []

    async def write(text: str) -> None:
        now[0] += 0.002  # a clock of its own: no frame takes longer than this
        page.page.show(json.loads(text))

    said = "x" * (40 * backlogs.MAX_DELTA)
    page.open.clear()
    feed(bench, accepted["message"]["id"], said)
    await shows(bench, accepted["message"]["id"], said)
    page.connection._outbox._write = write
    now[0] = loop.time()  # the writer has looked at the loop's own clock up to now
    monkeypatch.setattr(loop, "time", lambda: now[0])
    page.open.set()

    async def others() -> None:
        while page.page.messages[accepted["message"]["id"]].length == 0 and len(turns) < 1000:
            turns.append(now[0])
            if len(page.page.text(accepted["message"]["id"])) == len(said):
                return
            await asyncio.sleep(0)

    await others()
    monkeypatch.undo()
    gaps = [after - before for before, after in itertools.pairwise(turns)]
    assert max(gaps) <= outboxes.WRITER_BUDGET + 0.002
    await bench.stop(all=True)


async def test_a_reader_without_progress_is_closed_with_1013(bench: Bench, wire: Any) -> None:
    """Rule 11: it may resume, and then has everything."""
    page = wire()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    await page.idle()
    page.open.clear()
    listeners = bench.bus.listeners
    feed(bench, message_id, "never read")
    outbox = page.connection._outbox
    await turns_until(lambda: not outbox._patience.cancelled())
    assert outbox._patience.when() > outbox._loop.time()
    outbox._patience._run()  # its time is up
    assert page.closed is not None
    assert page.closed[0] == 1013
    assert bench.bus.listeners < listeners
    assert page.connection._outbox._backlogs == {}
    feed(bench, message_id, " and more", None)
    await bench.end(message_id)
    again = wire()
    again.page = page.page
    page.open.set()
    await again.opens(accepted["chat_id"], offsets=page.page.offsets(), epoch=bench.engine.epoch)
    assert again.page.text(message_id) == "never read and more"


async def test_a_large_frame_may_take_longer(bench: Bench, wire: Any) -> None:
    """Rule 11: what counts is progress, and a page of history is not one delta."""
    patience: list[float] = []
    page = wire(stalled_after=15.0)
    wait_for = outboxes.Outbox._wait_for

    def note(outbox: Any, taken: Any, size: int) -> None:
        wait_for(outbox, taken, size)
        patience.append(outbox._patience.when() - outbox._loop.time())

    accepted = await page.ask()
    feed(bench, accepted["message"]["id"], "w" * 200_000, None)
    await page.end_of(accepted["message"]["id"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outboxes.Outbox, "_wait_for", note)
        await wire().opens(accepted["chat_id"])
    assert 14.0 < min(patience) <= 15.0
    assert max(patience) > 15.0 * 190_000 / outboxes.STALLED_CHARACTERS


async def test_a_socket_that_fails_is_closed(bench: Bench, wire: Any) -> None:
    page = wire()
    await page.until("welcome")

    async def gone(text: str) -> None:
        raise ConnectionResetError

    page.connection._outbox._write = gone
    page.send("open", chat_id=new_id())
    await turns_until(lambda: page.closed is not None)
    assert page.closed == (1011, "")
    assert bench.bus.listeners == 1


async def test_too_many_frames_in_work_are_refused_and_stops_are_not(
    bench: Bench, wire: Any
) -> None:
    page = wire()
    accepted = await page.ask()
    bench.store.open_for_writing.clear()
    limit = intake.MAX_FRAMES_IN_WORK
    ids = [new_id() for _ in range(limit + 3)]
    chats = bench.engine.limits.max_generations_per_owner
    for request_id in ids:
        page.send("send", request_id=request_id, chat_id=accepted["chat_id"], body="Hi")
    await turns_until(lambda: len(page.page.of_type("error")) >= 3)
    refused = [frame for frame in page.page.of_type("error") if frame["code"] == "server_busy"]
    assert [frame["request_id"] for frame in refused] == ids[-3:]
    page.send("stop", message_id=accepted["message"]["id"])
    bench.store.open_for_writing.set()
    result = await page.until("stop_result")
    assert result["results"][0]["outcome"] == "interrupted"
    await turns_until(lambda: not page.connection._intake._tasks)
    assert len(bench.engine.running()) <= chats
    for each in bench.engine.running():
        await bench.stop(message_id=each.id)


async def test_one_who_asks_and_does_not_read_is_closed(bench: Bench, wire: Any) -> None:
    page = wire()
    page.open.clear()
    for _ in range(outboxes.MAX_ANSWERS + 2):
        page.connection.receive("no frame")
    assert page.closed is not None
    assert page.closed[0] == 1013
    assert not page.connection._outbox._answers


async def test_history_comes_in_parts_that_a_socket_can_carry(bench: Bench, wire: Any) -> None:
    """B5: a chat with megabytes of text is had by opening it again until nothing is missing."""
    page = wire()
    page.page.keeps = True
    said = ("naïve 🗼 " * 100_000)[:700_000]
    first = await page.ask()
    generation = bench.engine.generation(first["message"]["id"])
    assert generation is not None
    feed(bench, first["message"]["id"], said, None)
    await page.end_of(first["message"]["id"])
    second = await page.ask(first["chat_id"])
    feed(bench, second["message"]["id"], said)
    await shows(bench, second["message"]["id"], said)
    late = wire()
    epoch = bench.engine.epoch
    await late.opens(first["chat_id"])
    rounds = 1
    while late.page.incomplete:
        await late.idle()  # what is on its way would come again
        await late.opens(first["chat_id"], offsets=late.page.offsets(), epoch=epoch)
        rounds += 1
    assert rounds > 2
    feed(bench, second["message"]["id"], "!", None)
    await late.end_of(second["message"]["id"])
    assert late.page.text(first["message"]["id"]) == said
    assert late.page.text(second["message"]["id"]) == said + "!"
    assert max(late.sizes) < 2 * tails.MOST_TEXT
    assert late.page.received < 2.2 * len(said), "not sent again and again"


async def test_a_reply_is_gone_on_with_on_every_page(bench: Bench, wire: Any) -> None:
    """V9: one has opened the chat, one has only asked, one has nothing of it."""
    asker, opener, stranger = wire(), wire(), wire()
    accepted = await asker.ask()
    message_id = accepted["message"]["id"]
    await opener.opens(accepted["chat_id"])
    feed(bench, message_id, "half of it")
    await shows(bench, message_id, "half of it")
    asker.send("stop", message_id=message_id, shown=4)
    await asker.end_of(message_id)
    await opener.end_of(message_id)
    assert opener.page.text(message_id) == "half"
    request_id = new_id()
    stranger.send("continue", message_id=message_id, request_id=request_id)
    for page in (asker, opener, stranger):
        await page.until("accepted", lambda frame: frame["request_id"] == request_id)
    feed(bench, message_id, " and more", None)
    for page in (asker, opener, stranger):
        await turns_until(lambda p=page: p.page.messages[message_id].state == "completed")
        assert page.page.text(message_id) == "half and more"


async def test_everyone_is_told_of_trouble_also_who_comes_later(bench: Bench, wire: Any) -> None:
    early, stranger = wire(), wire("eve")
    bench.bus.broadcast(error_frame(ErrorCode.NOT_SAVED), about="store", lasting=True)
    late = wire()
    bench.bus.broadcast(error_frame(ErrorCode.SAVED_AGAIN), about="store", lasting=False)
    after = wire()
    for page in (early, stranger, late, after):
        await page.idle()
    told = [
        [frame["code"] for frame in each.page.of_type("error")] for each in (early, stranger, late)
    ]
    assert told == [["not_saved", "saved_again"]] * 3
    assert after.page.of_type("error") == []


async def test_tools_come_in_their_place(bench: Bench, wire: Any) -> None:
    page = wire()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    page.open.clear()
    feed(bench, message_id, "before")
    await shows(bench, message_id, "before")
    call = Tool(message_id=message_id, call_id="c", name="search", state="running")
    bench.bus.publish(accepted["chat_id"], call)
    page.open.set()
    await page.until("tool")
    assert page.page.text(message_id) == "before"
    await bench.stop(all=True)


@pytest.mark.parametrize("words", [("two ",), ("two ", "three "), ("two " * 9000, "three ")])
async def test_a_late_reader_is_told_of_a_retry_behind_what_has_grown_since(
    bench: Bench, wire: Any, words: tuple[str, ...]
) -> None:
    """B4, rule 11: what was sent is not taken back by a state that the message had before."""
    page = wire()
    message_id = (await page.ask())["message"]["id"]
    feed(bench, message_id, "one ")
    await shows(bench, message_id, "one ")
    await page.idle()
    page.open.clear()
    said = "one "
    for word in words:
        feed(bench, message_id, word)
        said += word
        await shows(bench, message_id, said)
    feed(bench, message_id, Retrying(1.0, 2, ErrorCode.RATE_LIMITED), "more ")
    await shows(bench, message_id, said + "more ")
    page.open.set()
    await page.idle()
    feed(bench, message_id, "last", None)
    await page.end_of(message_id)
    assert page.page.text(message_id) == said + "more last"
