"""The outputs of runs that no page was there for, kept until one has put them into their cells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, insert, select

from jupyter_stop_chat.ports.outputs import MOST_KEPT, MOST_KEPT_BYTES, KeptRun
from jupyter_stop_chat.store.instructions import Read
from jupyter_stop_chat.store.operations import DropOutputs, KeepOutputs, Operation
from jupyter_stop_chat.store.schema import cell_outputs, messages
from jupyter_stop_chat.wire.utf16 import whole

_TOLD = ("call_id", "path", "cell_id", "digest", "outputs", "execution_count", "ended_at")


class SqlOutputs:
    """What keeps outputs in the store's database.

    :param write: writes an operation in its turn.
    """

    def __init__(self, write: Callable[[Operation], Awaitable[Any]], read: Read) -> None:
        self._write = write
        self._read = read

    async def keep(self, run: KeptRun) -> None:
        """Keep a run, in the place of earlier ones of its cell; of a message that is gone none."""
        await self._write(KeepOutputs(run.message_id, run))

    async def of(self, owner: str, path: str) -> Sequence[KeptRun]:
        """Return what is kept for a notebook of an owner, oldest first."""
        found: list[KeptRun] = await self._read(lambda reader: reader.outputs_of(owner, path))
        return found

    async def drop(self, owner: str, message_id: str, call_id: str) -> None:
        """Keep a run no longer."""
        await self._write(DropOutputs(message_id, call_id, owner))


def outputs_of(owner: str, path: str) -> Select[Any]:
    """Select what is kept for a notebook of an owner, oldest first."""
    return (
        select(messages.c.id.label("message_id"), *(cell_outputs.c[name] for name in _TOLD))
        .join(messages, messages.c.seq == cell_outputs.c.message)
        .where(messages.c.owner == whole(owner), cell_outputs.c.path == whole(path))
        .order_by(cell_outputs.c.ended_at, cell_outputs.c.message, cell_outputs.c.call_id)
    )


def kept_of(row: Mapping[str, Any]) -> KeptRun:
    """Make a run of its row."""
    return KeptRun(**row)


def keep(connection: Connection, operation: KeepOutputs) -> None:
    """Keep the outputs of a run; of its cell the newest alone, of its owner as many as fit."""
    run = operation.run
    its = select(messages.c.seq, messages.c.owner).where(messages.c.id == run.message_id)
    message = connection.execute(its).one_or_none()
    if message is None:
        return
    row = {name: getattr(run, name) for name in _TOLD}
    row |= {name: whole(row[name]) for name in ("call_id", "path", "cell_id", "outputs")}
    table = cell_outputs
    of_cell = and_(table.c.path == row["path"], table.c.cell_id == row["cell_id"])
    mine = table.c.message.in_(select(messages.c.seq).where(messages.c.owner == message.owner))
    connection.execute(delete(table).where(of_cell, mine))
    of_call = and_(table.c.message == message.seq, table.c.call_id == row["call_id"])
    connection.execute(delete(table).where(of_call))
    size = len(row["outputs"].encode())
    connection.execute(insert(table).values(message=message.seq, size=size, **row))
    _make_room(connection, message.owner)


def drop(connection: Connection, operation: DropOutputs) -> None:
    """Keep the outputs of an owner's run no longer."""
    its = select(messages.c.seq).where(
        messages.c.id == operation.message_id, messages.c.owner == whole(operation.owner)
    )
    connection.execute(
        delete(cell_outputs).where(
            cell_outputs.c.message.in_(its), cell_outputs.c.call_id == whole(operation.call_id)
        )
    )


def _make_room(connection: Connection, owner: str) -> None:
    """Drop the oldest of an owner's where they are too many, or too large together."""
    table = cell_outputs
    newest = (
        select(table.c.message, table.c.call_id, table.c.size)
        .join(messages, messages.c.seq == table.c.message)
        .where(messages.c.owner == owner)
        .order_by(table.c.ended_at.desc(), table.c.message.desc())
    )
    size = 0
    for number, row in enumerate(connection.execute(newest).all(), 1):
        size += row.size
        if number > MOST_KEPT or (size > MOST_KEPT_BYTES and number > 1):
            its = (table.c.message == row.message, table.c.call_id == row.call_id)
            connection.execute(delete(table).where(*its))
