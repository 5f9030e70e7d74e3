"""A store keeps what it is told, in order, and says who won."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import (
    TERMINAL,
    Attachment,
    ErrorInfo,
    MessageState,
    Receipt,
    Usage,
)
from jupyter_stop_chat.wire.tools import ToolCall

DONE = Settlement(MessageState.COMPLETED)


async def test_a_turn_is_kept_and_read_back_whole(store, make):
    chat = make.chat(title="Tïtle 😀")
    asked = make.message(
        chat, "user", "Why? 😀", attachments=(Attachment(name="a.py", text="x = 1"),)
    )
    reply = make.message(
        chat, reply_to=asked.id, request_id=make.id(), model="openai:gpt", state="queued"
    )
    await store.begin_turn([asked, reply], chat)
    assert await store.get_chat(chat.id) == chat.model_copy(update={"state": "queued"})
    assert await store.get_messages(chat.id) == [asked, reply]
    assert await store.find_request("me", reply.request_id) == reply
    assert await store.find_request("you", reply.request_id) is None
    assert await store.set_state(reply.id, MessageState.GENERATING)
    assert (await store.get_chat(chat.id)).state == "generating"


async def test_everything_of_a_settlement_is_kept(store, make):
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    end = Settlement(
        MessageState.FAILED,
        usage=Usage(input_tokens=3, output_tokens=4, estimated=True),
        stop=Receipt(requested_at="2026-01-01T00:00:01Z", cancelled_ms=1.5, settled_ms=2.0),
        error=ErrorInfo(code=ErrorCode.RATE_LIMITED, message="Wait.", error_id="abc"),
        tools=(ToolCall(call_id="1", name="look", state="completed", args="{}", result="é"),),
    )
    settled = await store.settle(reply.id, end)
    assert settled == await store.get_message(reply.id)
    assert (settled.usage, settled.stop, settled.error) == (end.usage, end.stop, end.error)
    assert settled.tools == end.tools


async def test_one_of_many_settles_wins(store, make):
    """V7: a terminal state is claimed once, however many try."""
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    ends = [Settlement(state) for state in TERMINAL] * 5
    answers = await asyncio.gather(*(store.settle(reply.id, end) for end in ends))
    winners = [answer for answer in answers if answer is not None]
    assert len(winners) == 1
    await store.append(reply.id, "too late")
    assert not await store.set_state(reply.id, MessageState.GENERATING)
    assert await store.get_message(reply.id) == winners[0]


async def test_two_servers_settle_and_one_wins(new_store, make):
    """V7: also between processes, the row count names the winner."""
    first, second = await new_store("host:1:a"), await new_store("host:1:a")
    await first.open()
    await second.open()
    chat = make.chat()
    replies = [make.message(chat) for _ in range(20)]
    await first.begin_turn(replies, chat)
    for reply in replies:
        answers = await asyncio.gather(
            first.settle(reply.id, DONE),
            second.settle(reply.id, Settlement(MessageState.INTERRUPTED)),
        )
        assert sum(answer is not None for answer in answers) == 1


async def test_a_stopped_message_goes_on_from_its_text(store, make):
    """V9: Continue keeps the text and clears the end."""
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "one ")
    stopped = Settlement(
        MessageState.INTERRUPTED, stop=Receipt(requested_at="2026-01-01T00:00:00Z")
    )
    await store.settle(reply.id, stopped)
    again = await store.reopen(reply.id)
    assert (again.state, again.text, again.stop) == ("queued", "one ", None)
    assert await store.reopen(reply.id) is None
    await store.append(reply.id, "two")
    assert (await store.settle(reply.id, DONE)).text == "one two"
    assert await store.reopen(reply.id) is None


async def test_a_receipt_is_completed_late_and_only_its_own(store, make):
    """B2: the provider closed after the message was settled."""
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    first = Receipt(requested_at="2026-01-01T00:00:01Z", provider="still_finishing")
    late = first.model_copy(update={"provider": "closed", "provider_ms": 2500.0})
    await store.amend_stop(reply.id, late)
    assert (await store.get_message(reply.id)).stop is None
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, stop=first))
    await store.amend_stop(reply.id, late)
    assert (await store.get_message(reply.id)).stop == late
    await store.reopen(reply.id)
    await store.amend_stop(reply.id, late)
    assert (await store.get_message(reply.id)).stop is None
    second = Receipt(requested_at="2026-01-01T00:00:02Z")
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, stop=second))
    await store.amend_stop(reply.id, late)
    assert (await store.get_message(reply.id)).stop == second


async def test_a_message_is_not_ended_or_revived_by_the_wrong_door(store, make):
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    with pytest.raises(StopChatError):
        await store.set_state(reply.id, MessageState.COMPLETED)
    with pytest.raises(StopChatError):
        await store.settle(reply.id, Settlement(MessageState.QUEUED))
    assert await store.settle(make.id(), DONE) is None
    assert not await store.set_state(make.id(), MessageState.GENERATING)
    assert await store.get_message(make.id()) is None
    assert await store.get_thread(make.id()) == []
    await store.append(make.id(), "nobody's")


async def test_one_that_fails_takes_nobody_down_with_it(store, make):
    """An error of one operation does not touch the others of its group."""
    chat = make.chat()
    asked, reply = make.turn(chat, request_id=make.id())
    await store.begin_turn([asked, reply], chat)
    twin = make.message(chat, request_id=reply.request_id)
    answers = await asyncio.gather(
        store.append(reply.id, "a"),
        store.begin_turn([reply]),
        store.append(reply.id, "b"),
        store.begin_turn([make.message(make.chat())]),
        store.create_chat(chat),
        store.begin_turn([twin]),
        store.append(reply.id, "c"),
        return_exceptions=True,
    )
    codes = [answer and answer.code for answer in answers]
    taken, unknown = ErrorCode.NOT_POSSIBLE_NOW, ErrorCode.UNKNOWN_CHAT
    assert codes == [None, taken, None, unknown, taken, taken, None]
    assert (await store.get_message(reply.id)).text == "abc"


async def test_a_turn_is_all_or_nothing(store, make):
    chat = make.chat()
    asked, reply = make.turn(chat)
    with pytest.raises(StopChatError):
        await store.begin_turn([asked, reply, reply], chat)
    assert await store.get_chat(chat.id) is None
    assert await store.get_messages(chat.id) == []


async def test_the_caller_that_is_cancelled_takes_nothing_back(store, make):
    """A stop cancels the task that appends: what it had handed over stays, in order."""
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    task = asyncio.ensure_future(store.append(reply.id, "kept"))
    await asyncio.sleep(0)
    task.cancel()
    assert (await store.settle(reply.id, DONE)).text == "kept"


async def test_a_read_that_is_cancelled_hurts_no_other(store, make):
    chat = make.chat()
    await store.begin_turn(make.turn(chat), chat)
    for turns in range(12):
        task = asyncio.create_task(store.get_messages(chat.id))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(await store.get_messages(chat.id)) == 2


async def test_chats_are_listed_newest_change_first(store, make):
    chats = [make.chat(title=str(n)) for n in range(5)]
    for chat in chats:
        await store.create_chat(chat)
    yours = make.chat(owner="you")
    await store.create_chat(yours)
    await store.begin_turn([make.message(chats[1], "user", "hi")])

    async def titles(**more):
        return [chat.title for chat in await store.list_chats("me", **more)]

    assert await titles() == ["1", "4", "3", "2", "0"]
    assert await titles(limit=2) == ["1", "4"]
    assert await titles(limit=2, before=chats[4].id) == ["3", "2"]
    assert await titles(before=chats[0].id) == []
    assert await titles(before=make.id()) == []
    assert await titles(before=yours.id) == [], "another's is no place in this list"
    assert [await store.count_chats(owner) for owner in ("me", "you", "nobody")] == [5, 1, 0]
    await store.delete_chat(chats[0].id)
    assert await store.count_chats("me") == 4


async def test_a_title_may_be_missing(store, make):
    """L10: `title` is nullable everywhere, rename included."""
    chat = make.chat()
    await store.create_chat(chat)
    assert (await store.get_chat(chat.id)).title is None
    assert await store.set_title(chat.id, "A title")
    assert (await store.get_chat(chat.id)).title == "A title"
    assert await store.set_title(chat.id, None)
    assert (await store.get_chat(chat.id)).title is None
    assert not await store.set_title(make.id(), "x")


async def test_a_deleted_chat_leaves_nothing(store, make):
    chat, other = make.chat(), make.chat()
    asked, reply = make.turn(chat, "rhubarb")
    await store.begin_turn([asked, reply], chat)
    await store.begin_turn(make.turn(other, "custard"), other)
    await store.append(reply.id, "crumble")
    assert await store.delete_chat(chat.id)
    assert not await store.delete_chat(chat.id)
    assert await store.get_chat(chat.id) is None
    assert await store.get_messages(chat.id) == []
    assert await store.settle(reply.id, DONE) is None
    assert await store.list_chats("me", query="rhubarb") == []
    assert [found.id for found in await store.list_chats("me", query="custard")] == [other.id]


async def test_a_thread_follows_the_replies(store, make):
    """The tree of a chat: an edited prompt has a branch of its own."""
    chat = make.chat()
    asked, reply = make.turn(chat, "first")
    await store.begin_turn([asked, reply], chat)
    again = make.message(chat, "user", "second", reply_to=reply.id)
    edited = make.message(chat, "user", "other", reply_to=reply.id, version_of=again.id)
    answer = make.message(chat, reply_to=edited.id)
    await store.begin_turn([again])
    await store.begin_turn([edited, answer])
    await store.append(answer.id, "so far")
    thread = await store.get_thread(answer.id)
    assert [each.id for each in thread] == [asked.id, reply.id, edited.id, answer.id]
    assert thread[-1].text == "so far"
    assert [each.id for each in await store.get_thread(asked.id)] == [asked.id]


async def test_a_thread_is_in_the_order_of_its_links(store, make):
    """B10: a queue that was put in another order, where the later prompt is answered first."""
    chat = make.chat()
    first, first_reply = make.turn(chat, "first")
    await store.begin_turn([first, first_reply], chat)
    earlier = make.message(chat, "user", "earlier", reply_to=first_reply.id)
    earlier_reply = make.message(chat, reply_to=earlier.id)
    later = make.message(chat, "user", "later", reply_to=earlier_reply.id)
    later_reply = make.message(chat, reply_to=later.id)
    await store.begin_turn([earlier, earlier_reply])
    await store.begin_turn([later, later_reply])
    await store.amend_prompt(later.id, "later", first_reply.id)
    await store.amend_prompt(earlier.id, "earlier", later_reply.id)
    thread = [first, first_reply, later, later_reply, earlier, earlier_reply]
    found = await store.get_thread(earlier_reply.id)
    assert [each.id for each in found] == [each.id for each in thread]
    # A ring ends where it began.
    await store.amend_prompt(first.id, "first", earlier_reply.id)
    found = await store.get_thread(earlier_reply.id)
    assert [each.id for each in found] == [each.id for each in thread]


async def test_the_file_and_its_folder_are_nobody_elses(new_store, path, make):
    store = await new_store()
    await store.open()
    await store.create_chat(make.chat())
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o077 == 0, file
    assert store.health()["journal_mode"] == "wal"


async def test_reads_do_not_wait_for_a_write(new_store, make):
    """A long transaction of the writer holds no read up."""
    store = await new_store()
    await store.open()
    chat = make.chat()
    await store.begin_turn(make.turn(chat), chat)
    loop = asyncio.get_running_loop()
    inside, go_on = asyncio.Event(), threading.Event()

    def hold(connection: object) -> None:
        loop.call_soon_threadsafe(inside.set)
        go_on.wait()

    job = asyncio.create_task(store._writer.run(lambda: store._database.transact(hold)))
    await inside.wait()
    late = asyncio.create_task(store.set_title(chat.id, "later"))
    assert (await store.get_chat(chat.id)).title is None
    assert len(await store.get_messages(chat.id)) == 2
    assert not late.done()
    go_on.set()
    await asyncio.gather(job, late)
    assert (await store.get_chat(chat.id)).title == "later"


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_close_leaves_no_thread_and_no_open_file(new_store, make, kind):
    """L12: what was handed over is written, and everything is let go of."""
    threads, files = threading.active_count(), _open_files()
    store = await new_store(url="sqlite://" if kind == "memory" else None)
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await asyncio.gather(*(store.get_messages(chat.id) for _ in range(8)))
    late = [asyncio.ensure_future(store.append(reply.id, f"{n}")) for n in range(5)]
    await asyncio.sleep(0)
    await store.close()
    assert all(task.done() and task.exception() is None for task in late)
    for thread in threading.enumerate():
        if "stop-chat" in thread.name:
            thread.join(5)
    assert threading.active_count() <= threads
    assert _open_files() == files
    if kind == "file":
        again = await new_store()
        await again.open()
        assert (await again.get_message(reply.id)).text == "01234"


def _open_files() -> set[str]:
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if "chats.sqlite3" in target:
            found.add(target)
    return found
