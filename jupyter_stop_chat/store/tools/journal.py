"""What replies changed and ran: written down before it is done, and what became of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from jupyter_stop_chat.ports.tools import Change, ChangeState, Noted
from jupyter_stop_chat.store.instructions import Read
from jupyter_stop_chat.store.operations import MarkChanges, NoteChange, Operation
from jupyter_stop_chat.store.schema import IS_LIVE, journal, messages
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.tools import Changes
from jupyter_stop_chat.wire.utf16 import whole, whole_json

#: Of so many messages the number of their next change is remembered.
MOST_MESSAGES = 1000
#: What a message changed, in order.
OF_MESSAGE = (
    select(*(column for column in journal.c if column.name != "message"))
    .join(messages, messages.c.seq == journal.c.message)
    .where(messages.c.id == bindparam("id"))
    .order_by(journal.c.n)
)


class SqlJournal:
    """What remembers in the store's database what replies changed.

    :param write: writes an operation in its turn.
    """

    def __init__(self, write: Callable[[Operation], Awaitable[Any]], read: Read) -> None:
        self._write = write
        self._read = read
        #: By message, the number of its next change. It is counted here: what is kept in memory
        #: for a while has the same number there and in the database.
        self._next: OrderedDict[str, int] = OrderedDict()

    async def note(self, message_id: str, call_id: str, change: Change) -> int:
        """Write down a change that is about to be made by a live message; return its number.

        :raises StopChatError: `not_possible_now`: the message has ended.
        """
        try:
            return await self._note(message_id, call_id, change)
        except StopChatError as error:
            if error.code is not ErrorCode.NOT_POSSIBLE_NOW:
                raise
        # It may have been gone on with elsewhere meanwhile, where more was noted.
        self._next.pop(message_id, None)
        return await self._note(message_id, call_id, change)

    async def _note(self, message_id: str, call_id: str, change: Change) -> int:
        if message_id not in self._next:
            known = await self.changes(message_id)
            self._next.setdefault(message_id, known[-1].n + 1 if known else 0)
        n = self._next[message_id]
        self._next[message_id] = n + 1
        self._next.move_to_end(message_id)
        if len(self._next) > MOST_MESSAGES:
            self._next.popitem(last=False)
        await self._write(NoteChange(message_id, n, call_id, change))
        return n

    async def mark(self, message_id: str, states: Mapping[int, ChangeState]) -> None:
        """Write down what became of changes, by their numbers; also of a message that ended."""
        await self._write(MarkChanges(message_id, dict(states)))

    async def changes(self, message_id: str) -> list[Noted]:
        """Return what a message changed, in order."""
        rows: list[dict[str, Any]] = await self._read(lambda reader: reader.journal_of(message_id))
        return [noted_of(row) for row in rows]


def noted_of(row: Mapping[str, Any]) -> Noted:
    """Make a change of its row."""
    values = dict(row)
    n, call_id, state = (values.pop(name) for name in ("n", "call_id", "state"))
    return Noted(n, call_id, Change(**values), state)


# --- inside a transaction --------------------------------------------------------------------


def note(connection: Connection, operation: NoteChange, process: str) -> None:
    """Write down a change of a live message of this process.

    :raises StopChatError: `not_possible_now`: it has ended, or another change has that number.
    """
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    seq = connection.execute(select(messages.c.seq).where(*mine)).scalar_one_or_none()
    if seq is None:
        raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "the message has ended")
    row = {"message": seq, "n": operation.n, "state": "begun", **_row_of(operation)}
    its = (journal.c.message == seq, journal.c.n == operation.n)
    there = connection.execute(select(journal).where(*its)).mappings().one_or_none()
    if there is None:
        connection.execute(insert(journal).values(row))
        _sum_up(connection, seq)
    elif any(there[name] != row[name] for name in ("call_id", "path", "action", "cell_id")):
        raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "another change has this number")


def mark(connection: Connection, operation: MarkChanges) -> None:
    """Write down what became of changes."""
    its = select(messages.c.seq).where(messages.c.id == operation.message_id)
    seq = connection.execute(its).scalar_one_or_none()
    if seq is None:
        return
    for n, state in sorted(operation.states.items()):
        one = (journal.c.message == seq, journal.c.n == n)
        connection.execute(update(journal).where(*one).values(state=state))
    _sum_up(connection, seq)


def write_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what messages changed in place of what is there of these messages.

    :param rows: with the numbers of their messages in this database.
    """
    for seq in {row["message"] for row in rows}:
        connection.execute(delete(journal).where(journal.c.message == seq))
    if rows:
        connection.execute(insert(journal), list(rows))


def _row_of(operation: NoteChange) -> dict[str, Any]:
    change = operation.change
    return {
        "call_id": whole(operation.call_id),
        "path": whole(change.path),
        "action": change.action,
        "cell_id": None if change.cell_id is None else whole(change.cell_id),
        "cell_type": None if change.cell_type is None else whole(change.cell_type),
        "before": None if change.before is None else whole(change.before),
        "after": None if change.after is None else whole(change.after),
        "cell": whole_json(change.cell),
        "beside": whole_json(change.beside),
    }


def _sum_up(connection: Connection, seq: int) -> None:
    """Write into a message how much it changed: what began may have been done as well.

    A cell that ran was not changed.
    """
    columns = (journal.c.path, journal.c.cell_id, journal.c.state)
    its = (journal.c.message == seq, journal.c.state != "failed", journal.c.action != "run")
    made = connection.execute(select(*columns).where(*its)).all()
    told = Changes(
        cells=len({(row.path, row.cell_id) for row in made if row.cell_id is not None}),
        files=len({row.path for row in made if row.cell_id is None}),
        undone=any(row.state == "undone" for row in made),
    )
    changes = told.model_dump(mode="json") if made else None
    connection.execute(update(messages).where(messages.c.seq == seq).values(changes=changes))
