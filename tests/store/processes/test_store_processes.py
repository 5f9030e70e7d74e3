"""How one process knows that another lives: never on a guess that ends what is being made."""

import asyncio
import errno
import os
import re
import shutil
import sqlite3
import time
from contextlib import closing

import pytest

from jupyter_stop_chat import services
from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.degraded.reason import Reason
from jupyter_stop_chat.store.sqlite import processes
from jupyter_stop_chat.wire.objects import MessageState


async def _make(new_store, make, process="host:1:a"):
    """Have a process make a reply."""
    store = await new_store(process)
    await store.open()
    chat = make.chat()
    asked, reply = make.turn(chat)
    await store.begin_turn([asked, reply], chat)
    await store.append(reply.id, "half a ")
    return store, reply


async def _look(new_store, process="host:2:b"):
    """Have another process look for what is left behind; return it, and whom it told."""
    told = []
    other = await new_store(process)
    await other.open(told.extend)
    return other, told


def _kill(store):
    """Let go of the lock as the system does when a process is killed: its file stays."""
    lock = store._saver._lock
    os.close(lock._descriptor)
    lock._descriptor = None


def _last_seen(path, ago):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE processes SET seen_at = seen_at - ?", (ago,))
        connection.commit()


async def _goes_on(store, other, reply):
    """Check that who makes a reply is the one who ends it."""
    await store.append(reply.id, "reply")
    settled = await store.settle(reply.id, Settlement(MessageState.COMPLETED))
    assert settled.text == "half a reply"
    assert (await other.get_message(reply.id)).state is MessageState.COMPLETED


async def test_a_living_process_whose_lock_was_tidied_away_keeps_its_reply(new_store, path, make):
    """H4: somebody emptied the folder; what is not there says nothing."""
    store, reply = await _make(new_store, make)
    shutil.rmtree(processes.lock_folder(path))
    other, told = await _look(new_store)
    assert told == []
    assert (await other.get_message(reply.id)).made_elsewhere
    await _goes_on(store, other, reply)


async def test_a_lock_that_was_tidied_away_is_taken_anew(new_store, path, make):
    """H4: so that its end is known at once, as before."""
    store, reply = await _make(new_store, make)
    shutil.rmtree(processes.lock_folder(path))
    await store._heartbeat.beat()
    other, told = await _look(new_store)
    _last_seen(path, 61)
    await other.recover()
    assert told == [], "it holds a lock that all can see"
    _kill(store)
    await other.recover()
    assert [each.id for each in told] == [reply.id]


@pytest.mark.parametrize("at", ["the folder", "the file", "the lock"])
async def test_a_process_that_could_take_no_lock_keeps_its_reply(
    new_store, path, make, monkeypatch, at
):
    """H3, H4: a full disk, a quota or a hiccup, and another process that can."""

    def fail(*args, **options):
        raise OSError(errno.ENOSPC if at != "the lock" else errno.ENOLCK, "no")

    with monkeypatch.context() as patch:
        if at == "the folder":
            patch.setattr(processes.Path, "mkdir", _only_for(path, processes.Path.mkdir, fail))
        elif at == "the file":
            real = os.open
            folder = str(processes.lock_folder(path))
            patch.setattr(
                processes.os,
                "open",
                lambda at, *more, **named: (fail if str(at).startswith(folder) else real)(
                    at, *more, **named
                ),
            )
        else:
            patch.setattr(processes.fcntl, "flock", fail)
        store, reply = await _make(new_store, make)
    other, told = await _look(new_store)
    assert told == []
    await _goes_on(store, other, reply)
    store, reply = await _make(new_store, make, "host:3:c")
    assert store._saver._held, "and the next one can again"


def _only_for(path, real, fail):
    locks = processes.lock_folder(path)
    return lambda self, *args, **more: (fail if self == locks else real)(self, *args, **more)


async def test_a_process_that_could_take_no_lock_is_gone_when_it_is_not_seen(
    new_store, path, make, monkeypatch
):
    """H4: not for ever, then."""
    with monkeypatch.context() as patch:
        patch.setattr(processes, "_lock", lambda descriptor: None)
        _, reply = await _make(new_store, make)
    other, told = await _look(new_store)
    _last_seen(path, 61)
    await other.recover()
    assert [each.id for each in told] == [reply.id]


async def test_a_killed_process_stays_known_until_its_messages_have_ended(new_store, path, make):
    """H4: also when whoever found it could not write just then."""
    store, reply = await _make(new_store, make)

    async def for_ever(seconds):
        await asyncio.Event().wait()

    first = await new_store("host:2:b", busy_seconds=0.01, sleep=for_ever)
    await first.open()
    _kill(store)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        await first.recover()
        assert first.health()["reason"] == Reason.LOCKED
        connection.execute("ROLLBACK")
    _, told = await _look(new_store, "host:3:c")
    assert [each.id for each in told] == [reply.id]
    locks = list(processes.lock_folder(path).iterdir())
    assert len(locks) == 2, "those of the living"


async def test_a_process_on_another_machine_of_the_same_name(new_store, path, make):
    """H4: containers are often called the same; locks say nothing of other machines."""
    store, reply = await _make(new_store, make, "jupyter.one:7:a")
    _kill(store)  # as it looks from a machine that does not see the lock
    other, told = await _look(new_store, "jupyter.two:7:b")
    assert told == []
    await _goes_on(store, other, reply)


def test_two_servers_of_one_second_are_two():
    """H4: containers have the same process ids, and start at once."""
    first, second = services.owner_process(), services.owner_process()
    assert first != second
    host, pid, _ = first.rsplit(":", 2)
    assert second.startswith(f"{host}:{pid}:")
    assert int(pid) == os.getpid()


def test_a_process_is_told_from_those_of_another_machine_by_its_kernel(monkeypatch, tmp_path):
    """H4: what a lock reaches is a kernel, whatever its containers are called."""
    monkeypatch.setattr(services.socket, "gethostname", lambda: "jupyter")
    hosts = []
    for boot in ("1", "2", None):
        where = tmp_path / f"boot-{boot}"
        if boot is not None:
            where.write_text(f"{boot}\n")
        monkeypatch.setattr(services, "BOOT_ID", where)
        hosts.append(services.owner_process().rsplit(":", 2)[0])
    assert len(set(hosts)) == 3
    assert hosts[2] == "jupyter"
    assert all(re.fullmatch(r"[\w.-]+", each) for each in hosts)


async def test_the_time_is_the_databases(new_store, make, monkeypatch):
    """H4: a process whose own clock is behind ends by it no sooner than others."""
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 0.0)
        store, reply = await _make(new_store, make, "other:1:a")
    other, told = await _look(new_store)
    assert told == []
    await _goes_on(store, other, reply)
