"""A real PostgreSQL that fails: the chat goes on in memory, and is saved later."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager

import asyncpg
import pytest

from jupyter_stop_chat.store.postgresql import connections
from jupyter_stop_chat.wire.errors import StopChatError
from tests.aids.turns import until
from tests.faults.store_case import (
    DONE,
    a_chat,
    a_message,
    a_turn,
    as_told,
    case,
    live_through,
)

__all__ = ["case"]


class Reply:
    """A reply that is being made, as an engine has it."""

    def __init__(self):
        self.chat = a_chat()
        self.asked, self.message = a_turn(self.chat)
        self.text = ""

    def making(self):
        return as_told(self.chat, self.asked, self.message, self.text)

    async def begin(self, store):
        await store.begin_turn([self.asked, self.message], self.chat)

    async def say(self, store, text):
        await store.append(self.message.id, text)
        self.text += text


async def _begun(store, count=1):
    replies = [Reply() for _ in range(count)]
    store.making = lambda: [reply.making() for reply in replies]
    for reply in replies:
        await reply.begin(store)
    return replies


def _line(store):
    return store._database._connections._writer


async def _sql(server, statements, **where):
    return await asyncio.to_thread(server.sql, statements, **where)


@asynccontextmanager
async def _locked(url, *tables):
    """Hold tables as somebody does who works on them by hand: they can be read."""
    other = await asyncpg.connect(url)
    try:
        await other.execute(f"BEGIN; LOCK TABLE {', '.join(tables)} IN EXCLUSIVE MODE")
        yield
    finally:
        await other.close()


@asynccontextmanager
async def _no_pauses(case):
    """End each wait for the next try at once."""

    async def end():
        while True:
            await case.pause.end()

    ending = asyncio.create_task(end())
    try:
        yield
    finally:
        ending.cancel()


@pytest.fixture
def impatient(monkeypatch):
    """Wait for no answer for long: none comes."""
    monkeypatch.setattr(connections, "WRITE_SECONDS", 0.2)
    monkeypatch.setattr(connections, "RECONNECT_SECONDS", 0.2)


@pytest.fixture
def patient(case, monkeypatch):
    """Wait for an answer as long as it takes."""
    case.busy_seconds = 60
    monkeypatch.setattr(connections, "WRITE_SECONDS", 60)


async def _waits_for_a_lock(server):
    while await _sql(server, "SELECT count(*) FROM pg_locks WHERE NOT granted") == "0":
        pass


async def test_a_table_that_another_locks_for_long(case, postgresql):
    """B3: reads go on; no write waits for longer than for another process's lock of a file."""
    case.url = postgresql
    store = await case.open()
    held = _locked(postgresql, "chats", "messages", "deltas", "processes")

    async def mend():
        await held.__aexit__(None, None, None)

    await live_through(case, store, held.__aenter__, mend, "locked")


async def test_a_server_that_can_only_be_read(case, bare_postgresql, postgresql_server):
    """B3: another takes over, and does not take changes yet."""
    case.url = bare_postgresql
    store = await case.open()
    name = bare_postgresql.rpartition("/")[2]

    async def turn(value):
        # A database's settings are for the sessions to come.
        await _sql(
            postgresql_server,
            f"ALTER DATABASE {name} SET default_transaction_read_only = {value};"
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{name}'",
            database="postgres",
        )

    async def fail():
        line = _line(store)
        await turn("on")
        await until(lambda: line.closed)

    await live_through(case, store, fail, lambda: turn("off"), "read_only")


async def test_a_server_that_answers_nothing(case, postgresql, postgresql_server, impatient):
    """B3: a write waits for seconds, and no other waits again; what is held is saved once."""
    case.url = postgresql
    store = await case.open()
    (reply,) = await _begun(store)
    await reply.say(store, "before, ")
    with postgresql_server.paused():
        await reply.say(store, "meanwhile, ")
        assert case.told == [True]
        assert store.health()["reason"] == "unreachable"
        # It is tried in vain, and nothing that is written has to wait for that.
        store._database._connections._address = _impatient(store)
        await case.pause.end()
        await reply.say(store, "and on, ")
        await case.pause.asked.get()
        case.pause.asked.put_nowait(0)
        assert (await store.settle(reply.message.id, DONE)).text == "before, meanwhile, and on, "
        assert case.told == [True]
    await case.saved_again()
    assert case.told == [True, False]
    settled = await store.get_message(reply.message.id)
    assert (settled.text, settled.state) == ("before, meanwhile, and on, ", "completed")


def _impatient(store):
    from dataclasses import replace

    return replace(store._database._connections._address, connect_seconds=0.2)


async def test_a_read_that_is_never_answered(
    case, postgresql, postgresql_server, impatient, monkeypatch
):
    """B3: it is an error after a while, however many ask; and the server ends beside it."""
    case.url = postgresql
    store = await case.open()
    (reply,) = await _begun(store)
    monkeypatch.setattr(connections, "READ_SECONDS", 0.2)
    with postgresql_server.paused():
        store._database._connections._address = _impatient(store)
        asked = [store.get_chat(reply.chat.id) for _ in range(3 * connections.READERS)]
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(answer, StopChatError)
        await case.close()


async def test_what_was_asked_last_is_not_done_later(
    case, postgresql, postgresql_server, impatient
):
    """B3: a server that was halted still has a change to do, which was taken for lost."""
    case.url = postgresql
    store = await case.open()
    (reply,) = await _begun(store)
    process = _line(store).process
    os.kill(process, signal.SIGSTOP)  # this session alone
    async with _no_pauses(case):
        try:
            await reply.say(store, "once")
            assert case.told == [True]
            await until(lambda: _is_ending(process))
        finally:
            os.kill(process, signal.SIGCONT)
        await until(lambda: case.told == [True, False])
    assert (await store.settle(reply.message.id, DONE)).text == "once"


def _is_ending(process):
    """Tell whether a signal waits for a process that is halted."""
    with open(f"/proc/{process}/status") as status:
        pending = next(line for line in status if line.startswith("ShdPnd"))
    return int(pending.split()[1], 16) & (1 << (signal.SIGTERM - 1))


@pytest.mark.parametrize(
    ("end", "times"),
    [("restart", 2), ("kill", 1), pytest.param("restart", 8, marks=pytest.mark.stress)],
)
async def test_a_server_that_restarts_under_load(case, postgresql, postgresql_server, end, times):
    """B3: eight replies go on, and each is saved whole, once."""
    case.url = postgresql
    store = await case.open()
    replies = await _begun(store, 8)
    over = False

    async def stream(reply):
        n = 0
        while not over:
            await reply.say(store, f"{n} ")
            n += 1
            await asyncio.sleep(0.005)

    streams = [asyncio.create_task(stream(reply)) for reply in replies]

    def ended():
        return any(each.done() for each in streams)

    try:
        async with _no_pauses(case):
            for _ in range(times):
                length = len(replies[0].text)
                await until(lambda: len(replies[0].text) > length + 10 or ended())  # noqa: B023
                if end == "kill":
                    await asyncio.to_thread(postgresql_server.kill)
                    await asyncio.to_thread(postgresql_server.start)
                else:
                    await asyncio.to_thread(postgresql_server.restart)
                await until(lambda: not store.health()["degraded"] or ended())
            over = True
            await asyncio.gather(*streams)
            for reply in replies:
                settled = await store.settle(reply.message.id, DONE)
                assert settled.text == reply.text
                assert settled.text == "".join(f"{n} " for n in range(len(settled.text.split())))
            # The end of its server may be noticed only now, where nothing was written since.
            await until(lambda: not store.health()["degraded"])
    finally:
        over = True
    # Each time that it was told, it was told that it is over.
    assert case.told == [True, False] * (len(case.told) // 2)
    assert len(case.told) <= 2 * times


async def test_a_session_that_is_killed(case, postgresql, postgresql_server, patient):
    """B3: with kill -9 the server takes all its sessions down, and recovers by itself."""
    case.url = postgresql
    store = await case.open()
    (reply,) = await _begun(store)
    await reply.say(store, "before ")
    async with _locked(postgresql, "deltas"):
        saying = asyncio.create_task(reply.say(store, "and after"))
        await _waits_for_a_lock(postgresql_server)
        os.kill(_line(store).process, signal.SIGKILL)
        await saying
    assert case.told == [True]
    async with _no_pauses(case):
        await until(lambda: case.told == [True, False])
    assert (await store.settle(reply.message.id, DONE)).text == "before and after"


async def test_a_connection_that_is_lost_unused_costs_nothing(case, postgresql, postgresql_server):
    """B3: nobody is told of a server that restarts while nothing is written."""
    case.url = postgresql
    store = await case.open()
    (reply,) = await _begun(store)
    line = _line(store)
    await asyncio.to_thread(postgresql_server.restart)
    await until(lambda: line.closed)
    await reply.say(store, "all of it")
    assert (await store.settle(reply.message.id, DONE)).text == "all of it"
    assert case.told == []


async def test_a_connection_that_was_not_used_for_long_is_asked_first(
    case, postgresql, impatient, monkeypatch
):
    """B3: what lies between may have forgotten it: it takes all, and nothing comes back."""
    case.url = postgresql
    store = await case.open()
    (reply,) = await _begun(store)
    line = _line(store)
    process = line.process
    os.kill(process, signal.SIGSTOP)
    monkeypatch.setattr("jupyter_stop_chat.store.postgresql.line._UNSURE", 0)
    monkeypatch.setattr("jupyter_stop_chat.store.postgresql.line._PING_SECONDS", 0.1)
    saying = asyncio.create_task(reply.say(store, "all of it"))
    await until(lambda: line.closed)
    os.kill(process, signal.SIGCONT)
    await saying
    assert (await store.settle(reply.message.id, DONE)).text == "all of it"
    assert case.told == []


async def test_a_caller_that_is_cancelled_costs_no_connection(
    case, postgresql, postgresql_server, patient
):
    """B3: what it asked for is done, and the next one finds the connection as it was."""
    case.url = postgresql
    store = await case.open()
    (reply,) = await _begun(store)
    database, line = store._database, _line(store)
    async with _locked(postgresql, "processes"):
        asking = asyncio.create_task(
            database.transact(lambda c: c.exec_driver_sql("DELETE FROM processes"))
        )
        await _waits_for_a_lock(postgresql_server)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        saying = asyncio.create_task(reply.say(store, "after"))
    await saying
    assert _line(store) is line
    assert (await store.get_message(reply.message.id)).text == "after"
    assert case.told == []


async def test_too_many_connections(case, bare_postgresql, postgresql_server):
    """B3: with one that is left, all is read there as well; with none, all is kept in memory."""
    case.url = bare_postgresql
    name = bare_postgresql.rpartition("/")[2]

    async def limit(count):
        await _sql(postgresql_server, f"ALTER DATABASE {name} CONNECTION LIMIT {count}")

    first = await case.open()
    (reply,) = await _begun(first)
    await limit(1)
    assert await asyncio.gather(*(first.get_chat(reply.chat.id) for _ in range(8)))
    assert case.told == []
    second = await case.open("host:2:b")
    assert case.told == [True]
    other = a_chat()
    await second.begin_turn([a_message(other, "user", "Hello?")], other)
    await limit(-1)
    await case.saved_again()
    assert await first.get_chat(other.id)
