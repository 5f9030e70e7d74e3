"""A real PostgreSQL: the same promises by other means."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store.degraded.reason import Reason, reason_of
from jupyter_stop_chat.store.sqlite.prepare import url_of
from jupyter_stop_chat.wire.objects import MessageState
from tests.store.test_store_schema import count_older_replies, go_through_the_revisions


async def test_search_uses_its_own_index(postgresql, new_store, make):
    store = await new_store(url=postgresql)
    await store.open()
    chat = make.chat()
    await store.begin_turn([make.message(chat, "user", "it's a \\ 'Test' & (more) 旅行")], chat)
    for query in ("test", "it's", "'te", "旅行", "&", "a \\ more", "\0", "te:*"):
        found = await store.list_chats("me", query=query)
        assert len(found) == 1, query


async def test_a_reader_that_finds_its_connection_broken_asks_on_another(
    postgresql, new_store, make
):
    """B3: once the server is back, no read fails for a connection of before."""
    store = await new_store(url=postgresql)
    await store.open()
    chat = make.chat()
    await store.create_chat(chat)
    for _ in range(2):
        assert await asyncio.gather(*(store.get_chat(chat.id) for _ in range(8))) == [chat] * 8
        await _break_connections(postgresql)


async def test_two_servers_settle_and_one_wins_there(postgresql, new_store, make):
    """V7: also on PostgreSQL the row count names the winner."""
    first = await new_store("host:1:a", url=postgresql)
    second = await new_store("host:2:b", url=postgresql)
    await first.open()
    await second.open()
    chat = make.chat()
    replies = [make.message(chat) for _ in range(20)]
    await first.begin_turn(replies, chat)
    for reply in replies:
        answers = await asyncio.gather(
            first.settle(reply.id, Settlement(MessageState.COMPLETED)),
            second.settle(reply.id, Settlement(MessageState.INTERRUPTED)),
        )
        assert sum(answer is not None for answer in answers) == 1


async def test_waiting_text_is_in_order_after_each_revision(bare_postgresql):
    engine = create_async_engine(url_of(bare_postgresql))
    async with engine.begin() as connection:
        await connection.run_sync(go_through_the_revisions)
    await engine.dispose()


async def test_older_replies_are_counted_there_as_well(bare_postgresql):
    engine = create_async_engine(url_of(bare_postgresql))
    async with engine.begin() as connection:
        await connection.run_sync(count_older_replies)
    await engine.dispose()


async def _break_connections(url):
    engine = create_async_engine(url_of(url))
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        )
    await engine.dispose()


class _Refusal(Exception):
    """What a driver raises: only its code is looked at."""

    def __init__(self, code):
        super().__init__(code)
        self.sqlstate = code


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("57P01", Reason.FAILED),  # it is ended
        ("57P03", Reason.FAILED),  # it shuts down, or starts
        ("53300", Reason.FAILED),  # it has too many connections
        ("53100", Reason.DISK_FULL),
        ("25006", Reason.READ_ONLY),
        ("40P01", Reason.LOCKED),  # a deadlock
        ("22021", None),  # a text that it cannot hold
        ("23505", None),  # an id that is taken
    ],
)
def test_what_the_server_refuses_is_no_fault_of_what_was_asked(code, reason):
    """B3: while it shuts down or is full, text is kept in memory, and no reply fails."""
    assert reason_of(DBAPIError("INSERT", {}, _Refusal(code))) is reason
