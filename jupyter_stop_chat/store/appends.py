"""Append text to messages: the one statement that is executed for every word."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select

from jupyter_stop_chat.wire.utf16 import whole

from .operations import Append, Operation
from .schema import IS_LIVE, deltas, messages

#: The row that a message has last.
_LAST = (
    select(func.coalesce(func.max(deltas.c.n), literal_column("0")))
    .where(deltas.c.message == messages.c.seq)
    .correlate(messages)
    .scalar_subquery()
)
#: A message that is not there, has ended, or is made by another process by now takes no more text:
#: the guard is in the statement.
_APPEND = insert(deltas).from_select(
    ["message", "n", "part", "text"],
    select(
        messages.c.seq,
        _LAST + literal_column("1"),
        bindparam("to_part", type_=deltas.c.part.type),
        bindparam("to_text", type_=deltas.c.text.type),
    ).where(
        messages.c.id == bindparam("to_id"), IS_LIVE, messages.c.process == bindparam("process")
    ),
)
#: The same for many rows in one statement of SQLite: a step of it gives the interpreter's lock
#: away and must wait for it again, so that each row would wait for the loop that is busy.
_APPEND_ROWS = f"""\
INSERT INTO deltas (message, n, part, text)
SELECT messages.seq,
  (SELECT coalesce(max(n), 0) FROM deltas WHERE message = messages.seq) + 1 + new.column1,
  new.column3, new.column4
FROM (VALUES %s) AS new JOIN messages ON messages.id = new.column2
WHERE {IS_LIVE.name} AND messages.process = ? ORDER BY new.column1"""
#: SQLite's builds before 3.32 take 999 variables in a statement.
_ROWS = 240
#: The most text of a row, in bytes of UTF-8: with its key it fits into a page of such a table
#: (1,002 bytes of 4,096, by SQLite's file format), and looking for a row reads no other's text.
_ROW_BYTES = 900


def _pieces(text: str) -> list[str]:
    """Cut a text so that each piece fits into a row; no character is cut."""
    if len(text) * 4 <= _ROW_BYTES:
        return [text]
    size = _ROW_BYTES if text.isascii() else _ROW_BYTES // 4
    return [text[at : at + size] for at in range(0, len(text), size)]


def append(connection: Connection, appends: Sequence[Append], process: str) -> None:
    """Append texts, inside a transaction that the caller opened.

    :param process: the id of the server process that writes.
    """
    if connection.dialect.name != "sqlite":
        given = [
            {
                "to_id": each.message_id,
                "to_part": each.part,
                "to_text": whole(each.text),
                "process": process,
            }
            for each in appends
            if each.text
        ]
        if given:
            connection.execute(_APPEND, given)
        return
    for statement, values in _statements(appends, process):
        connection.exec_driver_sql(statement, values)


def append_at_once(
    connection: sqlite3.Connection, operations: Sequence[Operation], process: str
) -> bool:
    """Append texts in a transaction of their own that is one statement; tell whether it could be.

    Each statement gives the interpreter's lock away and must wait for it again: of `BEGIN`,
    `INSERT` and `COMMIT` only the one that matters is left.

    :raises sqlite3.Error: nothing was written.
    """
    appends = [each for each in operations if isinstance(each, Append)]
    if len(appends) < len(operations):
        return False
    statements = _statements(appends, process)
    if len(statements) > 1:
        return False
    for statement, values in statements:
        connection.execute(statement, values)
    return True


def append_bare(connection: sqlite3.Connection, appends: Sequence[Append], process: str) -> None:
    """Append texts on the bare driver, inside a transaction that the caller opened."""
    for statement, values in _statements(appends, process):
        connection.execute(statement, values)


def _statements(
    appends: Sequence[Append], process: str
) -> list[tuple[str, tuple[str | int, ...]]]:
    """Return the statements of SQLite that append texts, each with its values."""
    rows = [
        (each.message_id, each.part, piece)
        for each in appends
        for piece in _pieces(whole(each.text))
        if piece
    ]
    statements = []
    for first in range(0, len(rows), _ROWS):
        some = rows[first : first + _ROWS]
        values = (value for n, row in enumerate(some) for value in (n, *row))
        marks = ",".join(["(?,?,?,?)"] * len(some))
        statements.append((_APPEND_ROWS % marks, (*values, process)))
    return statements
