"""Bring what can still be read of a damaged SQLite file into a new one.

A damaged page hides the rows that are on it, and no others: each table is read from its
beginning, and where that ends in an error, from its end as well. What comes out is checked
before it goes in.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from jupyter_stop_chat.store.rows import chat_of, message_of
from jupyter_stop_chat.store.schema import (
    blobs,
    calls,
    cell_outputs,
    chats,
    deltas,
    earlier_requests,
    journal,
    left_running,
    message_blobs,
    messages,
    sent_instructions,
    spending,
)
from jupyter_stop_chat.wire.objects import Spent

log = logging.getLogger(__name__)

_Row = dict[str, Any]

#: The columns of a message that hold JSON.
_JSON = "usage", "cost", "stop", "error", "attachments", "tools", "instructions", "changes"

#: The tables of what belongs to messages: which columns of a sound row are text, and which JSON.
_OF_MESSAGES: dict[Table, tuple[Sequence[str], Sequence[str]]] = {
    deltas: (("part", "text"), ()),
    earlier_requests: (("owner", "request_id"), ()),
    calls: (("call_id", "name", "args", "state"), ()),
    cell_outputs: (("call_id", "path", "cell_id", "digest", "outputs", "ended_at"), ("outputs",)),
    left_running: (("process",), ()),
    journal: (("call_id", "path", "action", "state"), ("cell", "beside")),
    message_blobs: (("digest", "owner"), ()),
}


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
            _copy(source, target, calls, saved)
            _copy(source, target, cell_outputs, saved)
            _copy(source, target, left_running, saved)
            _copy(source, target, earlier_requests, saved)
            _copy(source, target, journal, saved)
            _copy(source, target, sent_instructions, owners)
            _copy(source, target, blobs, owners)
            _copy(source, target, message_blobs, saved)
            _copy(source, target, spending, set())
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
        if table is chats:  # an older one has not counted what was spent
            row |= {name: row[name] or 0 for name in Spent.model_fields}
        if _is_sound(table, row, known) and target.execute(statement, row).rowcount > 0:
            copied.append({name: row[name] for name in row if name != "data"})
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
            spent = {f"spent_{name}": row[name] for name in Spent.model_fields}
            own = ("id", "owner", "title", "created_at", "updated_at")
            chat_of({**{name: row[name] for name in own}, **spent})
            return isinstance(row["changed"], int)
        if table is spending:
            Spent(**{name: row[name] for name in Spent.model_fields})
            return isinstance(row["owner"], str) and isinstance(row["day"], str)
        if table in _OF_MESSAGES:
            words, json_ = _OF_MESSAGES[table]
            for name in json_:
                json.loads(row[name] or "null")
            return row["message"] in known and all(isinstance(row[name], str) for name in words)
        if table is blobs:
            # What is kept is what its name says: a damaged page may be in the middle of it.
            return hashlib.sha256(row["data"]).hexdigest() == row["digest"] and all(
                isinstance(row[name], kind)
                for names, kind in (
                    (("owner", "mime_type"), str),
                    (("width", "height", "size", "drafts", "drafted_at"), int),
                )
                for name in names
            )
        if table is sent_instructions:
            return row["chat_id"] in known and all(
                isinstance(row[name], str) for name in ("digest", "text")
            )
        values = {name: row[name] for name in row if name not in {"seq", "owner", "process"}}
        for name in _JSON:
            values[name] = None if row[name] is None else json.loads(row[name])
        message_of({**values, "more_text": None, "more_reasoning": None})
    except (ValueError, TypeError):
        return False
    return row["chat_id"] in known and isinstance(row["owner"], str)
