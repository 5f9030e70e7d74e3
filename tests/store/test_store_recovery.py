"""What an ended process left running is interrupted, and nobody else's work is."""

import asyncio
import sqlite3
import time

import pytest

from jupyter_stop_chat.protocol import MessageState
from jupyter_stop_chat.store import processes
from jupyter_stop_chat.store.base import Settlement
from jupyter_stop_chat.store.processes import ProcessLock, is_gone


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
    ask = {"ours": "host:9:z", "folder": folder, "seen_at": int(time.time())}
    first, twin = ProcessLock(folder, "host:1:a"), ProcessLock(folder, "host:1:a")
    assert is_gone("host:1:a", **ask)
    assert first.hold()
    assert first.hold()
    assert not twin.hold()
    assert not is_gone("host:1:a", **ask)
    assert is_gone("host:1:b", **ask)
    first.release()
    assert is_gone("host:1:a", **ask)
    assert list(folder.iterdir()) == []
    assert twin.hold()
    twin.release()


def test_without_locks_the_time_decides(tmp_path, monkeypatch):
    """Windows, and databases that are no file."""
    monkeypatch.setattr(processes, "fcntl", None)
    now = int(time.time())
    assert not ProcessLock(tmp_path, "host:1:a").hold()
    for folder in (tmp_path, None):
        ask = {"ours": "host:9:z", "folder": folder}
        assert not is_gone("host:1:a", seen_at=now, **ask)
        assert is_gone("host:1:a", seen_at=now - 61, **ask)
        assert is_gone("host:1:a", seen_at=None, **ask)
        assert is_gone(None, seen_at=now, **ask)
