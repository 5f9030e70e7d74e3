"""The tool calls of messages, whole, as their models are told them in later turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.store.instructions import Read
from jupyter_stop_chat.store.operations import KeepCalls, Operation, PutCall
from jupyter_stop_chat.store.schema import IS_LIVE, calls, messages
from jupyter_stop_chat.wire.utf16 import whole

#: The columns of a call, but for its place.
COLUMNS = ("step", "at", "call_id", "name", "args", "result", "state")


class SqlCalls:
    """What keeps tool calls in the store's database.

    :param write: writes an operation in its turn.
    """

    def __init__(self, write: Callable[[Operation], Awaitable[Any]], read: Read) -> None:
        self._write = write
        self._read = read

    def put(self, message_id: str, n: int, call: Told) -> Awaitable[None]:
        """Keep a call of a live message, in the place of its earlier state."""
        return self._write(PutCall(message_id, n, call))

    async def of(self, message_ids: Sequence[str]) -> dict[str, list[Told]]:
        """Return the calls of messages, in order."""
        found: dict[str, list[Told]] = await self._read(lambda reader: reader.calls(message_ids))
        return found


def put(connection: Connection, operation: PutCall, process: str) -> None:
    """Keep a call of a live message of this process."""
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    message = connection.execute(select(messages.c.seq).where(*mine)).scalar_one_or_none()
    if message is None:
        return
    row = _row_of(operation.call)
    its = (calls.c.message == message, calls.c.n == operation.n)
    if not connection.execute(update(calls).where(*its).values(row)).rowcount:
        connection.execute(insert(calls).values(message=message, n=operation.n, **row))


def keep(connection: Connection, operation: KeepCalls) -> None:
    """Keep the calls of a message that is brought in, in the place of what is there of them."""
    its = select(messages.c.seq).where(messages.c.id == operation.message_id)
    message = connection.execute(its).scalar_one_or_none()
    if message is None:
        return
    connection.execute(delete(calls).where(calls.c.message == message))
    rows = [
        {"message": message, "n": n, **_row_of(each)} for n, each in enumerate(operation.calls)
    ]
    write_rows(connection, rows)


def write_rows(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of calls, in the place of nothing."""
    if rows:
        connection.execute(insert(calls), rows)


def told_by(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Told]]:
    """Make calls of rows that are in order, by the ids of their messages."""
    found: defaultdict[str, list[Told]] = defaultdict(list)
    for row in rows:
        found[row["id"]].append(Told(**{name: row[name] for name in COLUMNS}))
    return dict(found)


def _row_of(call: Told) -> dict[str, Any]:
    return {
        "step": call.step,
        "at": call.at,
        "call_id": whole(call.call_id),
        "name": whole(call.name),
        "args": whole(call.args),
        "result": None if call.result is None else whole(call.result),
        "state": call.state,
    }
