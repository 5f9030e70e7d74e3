"""Bring what can still be read of a damaged SQLite file into a new one.

A damaged page hides the rows that are on it, and no others: each table is read from its
beginning, and where that ends in an error, from its end as well. What comes out is checked
before it goes in.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from jupyter_stop_chat.store.rows import chat_of, message_of
from jupyter_stop_chat.store.schema import chats, deltas, earlier_requests, messages

log = logging.getLogger(__name__)

_Row = dict[str, Any]


def salvage(damaged: Path, new: Path) -> int:
    """Copy every chat and message that can be read. Blocks.

    :param damaged: a database that was set aside; it is only read.
    :param new: a database with the newest schema.
    :returns: how many messages were saved.
    """
    address = f"{damaged.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as source,
        closing(sqlite3.connect(new)) as target,
    ):
        source.row_factory = sqlite3.Row
        source.text_factory = lambda raw: raw.decode("utf-8", "replace")
        with target:
            owners = {row["id"] for row in _copy(source, target, chats, set())}
            saved = {row["seq"] for row in _copy(source, target, messages, owners)}
            _copy(source, target, deltas, saved)
            _copy(source, target, earlier_requests, saved)
    return len(saved)


def _copy(
    source: sqlite3.Connection, target: sqlite3.Connection, table: Table, known: set[Any]
) -> list[_Row]:
    """Copy the rows of one table that are sound and belong to known ones, and return them."""
    columns = [column.name for column in table.columns]
    statement = (
        f"INSERT OR IGNORE INTO {table.name} ({', '.join(columns)}) "
        f"VALUES ({', '.join(':' + column for column in columns)})"
    )
    copied = []
    for found in _walk(source, table.name):
        row = {column: found.get(column) for column in columns}
        if _is_sound(table, row, known) and target.execute(statement, row).rowcount > 0:
            copied.append(row)
    return copied


def _walk(source: sqlite3.Connection, table: str) -> Iterator[_Row]:
    """Read a table in the order in which its rows lie."""
    try:
        source.execute(f"SELECT rowid FROM {table} LIMIT 0")
        key = ["rowid"]
    except sqlite3.OperationalError:
        key = [row["name"] for row in source.execute(f"PRAGMA table_info({table})") if row["pk"]]
    for order in ("ASC", "DESC"):
        try:
            # NOT INDEXED: an index may be damaged where the table is not, or the other way.
            by = ", ".join(f"{column} {order}" for column in key)
            for row in source.execute(f"SELECT * FROM {table} NOT INDEXED ORDER BY {by}"):
                yield dict(row)
        except sqlite3.DatabaseError as error:
            log.warning("Some of the table %s cannot be read (%s).", table, type(error).__name__)
        else:
            return


def _is_sound(table: Table, row: _Row, known: set[Any]) -> bool:
    """Tell whether a row is what the wire contract allows."""
    try:
        if table is chats:
            chat_of({name: row[name] for name in row if name != "changed"})
            return isinstance(row["changed"], int)
        if table in (deltas, earlier_requests):
            words = ("part", "text") if table is deltas else ("owner", "request_id")
            return row["message"] in known and all(isinstance(row[name], str) for name in words)
        values = {name: row[name] for name in row if name not in {"seq", "owner", "process"}}
        for name in ("usage", "stop", "error", "attachments", "tools"):
            values[name] = None if row[name] is None else json.loads(row[name])
        message_of({**values, "more_text": None, "more_reasoning": None})
    except (ValueError, TypeError):
        return False
    return row["chat_id"] in known and isinstance(row["owner"], str)
