"""The real store, with somebody who looks on: it can be slow, it can fail, it is written down."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Executable

from jupyter_stop_chat.store.operations import Append, Operation
from jupyter_stop_chat.store.sql import SqlStore
from jupyter_stop_chat.store.sqlite import connections
from jupyter_stop_chat.store.sqlite.prepare import Prepared, prepare, url_of
from jupyter_stop_chat.store.writer import Take, Then

MEMORY = "sqlite://"


class WatchedStore(SqlStore):
    """The real store, whose database is as slow or as broken as a test wants it.

    :ivar done: what was committed, in that order.
    :ivar fails: operations of these kinds raise; a real database does not, and yet.
    :ivar open_for_writing: the gate before each transaction.
    :ivar turns: how many turns of the event loop a transaction takes more than it does anyhow;
        `read_turns`, a read.
    """

    def __init__(self, db_url: str, *, owner_process: str = "host:1:bench", **more: Any) -> None:
        super().__init__(db_url, owner_process=owner_process, **more)
        self.done: list[Operation] = []
        self.fails: tuple[type, ...] = ()
        self.open_for_writing = asyncio.Event()
        self.open_for_writing.set()
        self.turns = self.read_turns = 0
        self._at_work = self._moments = 0
        self._write_through, self._read_through = self._database.write, self._database.read
        self._database.write = self._watched_write  # type: ignore[method-assign]
        self._database.read = self._watched_read  # type: ignore[method-assign]
        self._submit_through = self._database.submit
        self._database.submit = self._watched_submit  # type: ignore[method-assign]

    async def _watched_write(self, operations: Sequence[Operation]) -> list[Any]:
        await self.open_for_writing.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if any(isinstance(each, self.fails) for each in operations):
            raise RuntimeError("the database is broken")
        with self._working():
            answers = await self._write_through(operations)
        self.done += operations
        return answers

    def _watched_submit(self, take: Take, then: Then) -> bool:
        if self.turns or self.fails or not self.open_for_writing.is_set():
            return False
        operations = take()  # what is written behind a gate that closes now is not among them
        self._at_work += 1

        def watched_then(answers: Sequence[Any], error: BaseException | None) -> None:
            self._at_work -= 1
            self._moments += 1
            if error is None:
                self.done += operations
            then(answers, error)

        return self._submit_through(lambda: operations, watched_then)

    async def _watched_read(
        self, statement: Executable, parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        for _ in range(self.read_turns):
            await asyncio.sleep(0)
        with self._working():
            return await self._read_through(statement, parameters)

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._at_work += 1
        self._moments += 1
        try:
            yield
        finally:
            self._at_work -= 1
            self._moments += 1

    async def steps(self, count: int) -> None:
        """Let so much happen: a turn of the event loop, or a call of the database that ends.

        That a call takes many turns, and how many, says nothing: none of them counts.
        """
        for _ in range(count):
            before = self._moments
            await asyncio.sleep(0)
            while self._at_work and self._moments == before:  # noqa: ASYNC110
                await asyncio.sleep(0)

    def committed_text(self, message_id: str) -> str:
        """Put together what was committed of a text."""
        return "".join(
            each.text
            for each in self.done
            if isinstance(each, Append) and (each.message_id, each.part) == (message_id, "text")
        )


async def open_watched(db_url: str = MEMORY, **options: Any) -> WatchedStore:
    """Open a store; in memory, if no other place is named."""
    store = WatchedStore(db_url, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connections, "_prepare_memory", _copy_into_memory)
        await store.open()
    return store


#: What was found of the first database that was made in memory, and all that is in it.
_empty: list[tuple[Prepared, bytes]] = []
_prepare_memory = connections._prepare_memory


def _copy_into_memory(connection: Connection) -> Prepared:
    """Make the schema of a database in memory once, and copy it from then on."""
    driver: Any = connection.connection.driver_connection
    if not _empty:
        made = _prepare_memory(connection)
        _empty.append((made, driver.serialize()))
        return made
    made, content = _empty[0]
    driver.deserialize(content)
    return made


def make_template(path: Path) -> Path:
    """Make an empty database, to copy: a schema takes much longer to make."""
    prepare(url_of(f"sqlite:///{path}"), busy_seconds=1)
    return path


def copy_template(template: Path, path: Path) -> str:
    """Copy an empty database; return its URL."""
    shutil.copyfile(template, path)
    return f"sqlite:///{path}"
