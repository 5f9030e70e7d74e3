"""SQLAlchemy's statements on the bare driver: what is executed for every word and every end.

To prepare a statement takes SQLAlchemy longer than SQLite to execute it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select
from sqlalchemy.dialects import sqlite

from jupyter_stop_chat.store.appends import append_at_once, append_bare
from jupyter_stop_chat.store.operations import Append, Operation, Settle
from jupyter_stop_chat.store.settle import settle_short

_DIALECT = sqlite.dialect(paramstyle="named")
_Convert = Callable[[Any], Any]


def apply_at_once(
    driver: sqlite3.Connection, operations: Sequence[Operation], process: str
) -> list[Any] | None:
    """Apply texts and ends of messages in a transaction of their own.

    :returns: what each answers; None where some are of other kinds, and nothing was done.
    :raises StopChatError: an operation cannot be done, and nothing was.
    :raises sqlite3.Error: nothing was written.
    """
    if append_at_once(driver, operations, process):
        return [None] * len(operations)
    if not all(isinstance(each, Append | Settle) for each in operations):
        return None
    driver.execute("BEGIN IMMEDIATE")
    try:
        answers = _apply(driver, operations, process)
        driver.execute("ROLLBACK" if answers is None else "COMMIT")
    except BaseException:
        if driver.in_transaction:
            driver.execute("ROLLBACK")
        raise
    return answers


def _apply(
    driver: sqlite3.Connection, operations: Sequence[Operation], process: str
) -> list[Any] | None:
    """Apply texts and ends of messages; return what each answers, or None where one is long."""
    executor = Bare(driver)
    answers: list[Any] = []
    appends: list[Append] = []
    for operation in operations:
        answer: Any = None
        if isinstance(operation, Append):
            appends.append(operation)
        elif isinstance(operation, Settle):
            if any(each.message_id == operation.message_id for each in appends):
                append_bare(driver, appends, process)
                appends = []
            fits, answer = settle_short(executor, operation, process)
            if not fits:
                return None
        answers.append(answer)
    append_bare(driver, appends, process)
    return answers


class Bare:
    """A connection of SQLite's driver that executes statements that SQLAlchemy compiled once."""

    def __init__(self, driver: sqlite3.Connection) -> None:
        self._driver = driver

    def rows(self, statement: Any, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that a statement finds."""
        compiled = _compiled(statement)
        found = self._driver.execute(compiled.sql, compiled.bound(values))
        return [compiled.row(row) for row in found]

    def change(self, statement: Any, values: Mapping[str, Any]) -> int:
        """Return how many rows a statement changed."""
        compiled = _compiled(statement)
        return self._driver.execute(compiled.sql, compiled.bound(values)).rowcount


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as SQLite's driver takes it.

    :ivar values: those of its parameters that it brings itself.
    :ivar binds: how the other ones become SQLite's, by name, where they must.
    :ivar columns: the names of its columns, with how their values become Python's.
    """

    sql: str
    values: dict[str, Any]
    binds: dict[str, _Convert]
    columns: Sequence[tuple[str, _Convert | None]]

    def bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return all parameters."""
        binds = self.binds
        return self.values | {
            name: binds[name](value) if name in binds else value for name, value in values.items()
        }

    def row(self, row: Sequence[Any]) -> dict[str, Any]:
        """Name the values of a row."""
        return {
            name: value if convert is None else convert(value)
            for (name, convert), value in zip(self.columns, row, strict=True)
        }


@lru_cache(maxsize=32)
def _compiled(statement: Any) -> _Compiled:
    compiled = statement.compile(dialect=_DIALECT)
    binds = {
        name: convert
        for name, bind in compiled.binds.items()
        if (convert := bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) is not None
    }
    columns = [
        (column.name, column.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None))
        for column in (statement.selected_columns if isinstance(statement, Select) else ())
    ]
    given = {name: value for name, value in compiled.params.items() if value is not None}
    return _Compiled(str(compiled), given, binds, columns)
