"""What an ended process left running is interrupted, and nobody else's work is."""

import asyncio
import sqlite3
import time

import pytest

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.sqlite import processes
from jupyter_stop_chat.store.sqlite.processes import ProcessLock, clear_away, is_gone
from jupyter_stop_chat.wire.objects import MessageState, Usage
from jupyter_stop_chat.wire.tools import ToolCall


async def _leave_running(new_store, make, process):
    """Run a server that is not ended in good order: its store is just forgotten."""
    store = await new_store(process)
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "half a ")
    await store.append(reply.id, "reply")
    return store, reply


async def test_an_ended_servers_messages_become_interrupted(new_store, make):
    """B3: no message stays "generating" after its server went, and its text is all there."""
    store, reply = await _leave_running(new_store, make, "host:1:a")
    await store.close()
    told = []
    again = await new_store("host:2:b")
    await again.open(told.extend)
    (message,) = told
    assert (message.id, message.text) == (reply.id, "half a reply")
    assert message.state == MessageState.INTERRUPTED
    assert (message.stop.reason, message.stop.provider) == ("server_restart", "unconfirmed")
    assert await again.get_message(reply.id) == message


async def test_what_was_shown_of_tools_and_what_was_counted_outlives_the_server(new_store, make):
    """B3, B9: a reply that was gone on with keeps both; a tool that still ran has ended."""
    store = await new_store("host:1:a")
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat, "x" * 80)
    await store.begin_turn([asked, reply], chat)
    look = ToolCall(call_id="1", name="look", state="running", args="{}")
    await store.put_tool(reply.id, look)
    await store.put_tool(reply.id, look.model_copy(update={"state": "completed", "result": "é"}))
    await store.append(reply.id, "half")
    before = Usage(input_tokens=10, output_tokens=5)
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, usage=before))
    again = await store.reopen(reply.id)
    assert [(each.state, each.result) for each in again.tools] == [("completed", "é")]
    second = ToolCall(call_id="2", name="walk", state="running")
    await store.put_tool(reply.id, second)
    await store.append(reply.id, "y" * 40)
    await store.append(reply.id, "z" * 40, "reasoning")
    shown = await store.get_message(reply.id)
    assert [each.call_id for each in shown.tools] == ["1", "2"]
    await store.close()
    told = []
    later = await new_store("host:2:b")
    await later.open(told.extend)
    (message,) = told
    assert [(each.call_id, each.state) for each in message.tools] == [
        *(("1", "completed"), ("2", "interrupted"))
    ]
    assert message.usage == Usage(input_tokens=10 + 21, output_tokens=5 + 20, estimated=True)
    assert await later.get_message(reply.id) == message
    await later.put_tool(reply.id, second)
    assert await later.get_message(reply.id) == message, "what has ended takes no more"


@pytest.mark.parametrize(("made", "expected"), [("", None), ("y" * 40, (20, 10))])
async def test_what_a_server_that_died_had_used_is_estimated(new_store, make, made, expected):
    """B9: by what was sent and what came back; what nobody began has cost nothing."""
    store = await new_store("host:1:a")
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat, "x" * 80)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, made)
    await store.close()
    told = []
    await (await new_store("host:2:b")).open(told.extend)
    usage = told[0].usage
    assert (usage and (usage.input_tokens, usage.output_tokens)) == expected
    assert usage is None or usage.estimated


async def test_of_a_long_reply_only_what_is_new_is_estimated(new_store, make):
    """B9: what an earlier part made waits in the same rows, and was counted."""
    store = await new_store("host:1:a")
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "y" * 400_000)
    before = Usage(input_tokens=2, output_tokens=100_000)
    await store.settle(reply.id, Settlement(MessageState.INTERRUPTED, usage=before))
    await store.reopen(reply.id)
    await store.append(reply.id, "z" * 4_000)
    await store.close()
    told = []
    await (await new_store("host:2:b")).open(told.extend)
    assert 100_900 < told[0].usage.output_tokens < 101_300


async def test_a_running_servers_messages_are_left_alone(new_store, make):
    """Two servers of one person share a file: each keeps its hands off the other's work."""
    store, reply = await _leave_running(new_store, make, "host:1:a")
    told = []
    other = await new_store("host:2:b")
    await other.open(told.extend)
    assert told == []
    await store.append(reply.id, "!")
    settled = await store.settle(reply.id, Settlement(MessageState.COMPLETED))
    assert settled.text == "half a reply!"


async def test_an_earlier_life_of_the_same_id_is_recovered(new_store, make):
    """A container has the same host name and process id in each of its lives."""
    store, reply = await _leave_running(new_store, make, "host:1:a")
    await store.close()
    told = []
    again = await new_store("host:1:a")
    await again.open(told.extend)
    assert [message.id for message in told] == [reply.id]


async def test_recovery_can_be_asked_for_again(new_store, make):
    first = await new_store("host:1:a")
    told = []
    await first.open(told.extend)
    mine = make.chat()
    await first.begin_turn(make.turn(mine), mine)
    store, reply = await _leave_running(new_store, make, "host:2:b")
    await first.recover()
    assert told == []
    await store.close()
    await first.recover()
    assert [message.id for message in told] == [reply.id]


@pytest.mark.parametrize(("age", "interrupted"), [(10, False), (61, True)])
async def test_another_hosts_messages_wait_for_its_heartbeat(
    new_store, path, make, age, interrupted
):
    """Locks do not reach across hosts: there the time at which it was last seen decides."""
    _, reply = await _leave_running(new_store, make, "elsewhere:1:a")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE processes SET seen_at = ?", (int(time.time()) - age,))
    connection.close()
    told = []
    again = await new_store("host:1:a")
    await again.open(told.extend)
    assert [message.id for message in told] == ([reply.id] if interrupted else [])


async def test_a_turn_says_that_its_process_lives(new_store, path, make):
    """An idle server writes nothing, so its first turn must refresh when it was seen."""
    store, _ = await _leave_running(new_store, make, "host:1:a")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE processes SET seen_at = 0")
    chat = make.chat()
    await store.begin_turn(make.turn(chat), chat)
    seen = connection.execute("SELECT seen_at FROM processes").fetchall()
    connection.close()
    assert [time.time() - at < 30 for (at,) in seen] == [True]


async def test_processes_that_are_long_gone_are_forgotten(new_store, path, make):
    for n in range(3):
        store = await new_store(f"host:{n}:a")
        await store.open()
        await store.close()
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE processes SET seen_at = seen_at - 100000")
    await (await new_store("host:9:z")).open()
    assert connection.execute("SELECT id FROM processes").fetchall() == [("host:9:z",)]
    connection.close()


async def test_a_plugin_that_fails_at_recovery_does_not_stop_the_store(new_store, make, caplog):
    store, _ = await _leave_running(new_store, make, "host:1:a")
    await store.close()

    def fail(messages):
        raise ValueError("no")

    again = await new_store("host:2:b")
    await again.open(fail)
    assert "on_recovered failed" in caplog.text
    assert not again.health()["degraded"]


async def test_many_messages_are_recovered_at_once(new_store, make):
    store = await new_store("host:1:a")
    await store.open()
    chat = make.chat()
    replies = [make.message(chat) for _ in range(50)]
    await store.begin_turn(replies, chat)
    await asyncio.gather(*(store.append(reply.id, reply.id) for reply in replies))
    await store.close()
    told = []
    again = await new_store("host:2:b")
    await again.open(told.extend)
    assert [(message.id, message.text) for message in told] == [
        (reply.id, reply.id) for reply in replies
    ]


def test_a_lock_is_held_by_one_and_freed_by_its_end(tmp_path):
    folder = tmp_path / "locks"
    ask = {"ours": "host:9:z", "folder": folder, "unseen_seconds": 0}
    first, twin = ProcessLock(folder, "host:1:a"), ProcessLock(folder, "host:1:a")
    assert not is_gone("host:1:a", **ask)
    assert first.hold()
    assert first.hold()
    assert not twin.hold()
    assert not is_gone("host:1:a", **ask | {"unseen_seconds": 61})
    first.release()
    assert is_gone("host:1:a", **ask)
    assert is_gone("host:1:a", **ask), "whoever asks"
    clear_away(folder, ["host:1:a", "host:1:b", None])
    assert list(folder.iterdir()) == []
    assert twin.hold()
    clear_away(folder, ["host:1:a"])
    assert not is_gone("host:1:a", **ask)
    twin.release(finished=True)
    assert list(folder.iterdir()) == []


def test_without_locks_the_time_decides(tmp_path, monkeypatch):
    """Windows, and databases that are no file."""
    monkeypatch.setattr(processes, "fcntl", None)
    assert not ProcessLock(tmp_path, "host:1:a").hold()
    for folder in (tmp_path, None):
        ask = {"ours": "host:9:z", "folder": folder}
        assert not is_gone("host:1:a", unseen_seconds=0, **ask)
        assert is_gone("host:1:a", unseen_seconds=61, **ask)
        assert is_gone("host:1:a", unseen_seconds=None, **ask)
        assert is_gone(None, unseen_seconds=0, **ask)
        clear_away(folder, ["host:1:a"])
