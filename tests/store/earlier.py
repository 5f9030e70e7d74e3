"""A database as each revision of the schema had it, with rows of all that it could keep."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, insert

from jupyter_stop_chat.store import migrations

WHEN = "2026-01-01T00:00:00.000Z"
OWNER = "somebody"
CHAT, PROMPT, STOPPED, SECOND, FAILED, WAITING = (
    f"00000000-0000-4000-8000-{n:012}" for n in range(1, 7)
)
REQUEST, EARLIER = (f"00000000-0000-4000-8000-{n:012}" for n in range(11, 13))
PICTURE = b"\x89PNG, as far as a database knows"
DIGEST = "ab" * 32
PLOT = {"name": "plot.png", "text": "", "mime_type": "image/png", "blob": DIGEST}
PLOT |= {"width": 4, "height": 3}
SAID = "Answer in one line."
RECEIPT = {
    "reason": "user",
    "requested_at": WHEN,
    "cancelled_ms": 2.0,
    "provider": "closed",
    "provider_ms": 3.0,
    "settled_ms": 9.0,
    "discarded": False,
}
#: A call as it was told before tools could change anything.
CALL = {
    "call_id": "c1",
    "name": "look",
    "state": "completed",
    "args": '{"n": 5}',
    "result": "prime",
}
ERROR = {"code": "rate_limited", "message": "Too many requests.", "error_id": "e1"}
USAGE = {"input_tokens": 11, "output_tokens": 6, "estimated": False}


def config_of(connection: Connection) -> Config:
    """Return Alembic's settings for a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def revisions() -> list[str]:
    """Return all revisions, oldest first."""
    script = ScriptDirectory(str(Path(migrations.__file__).parent))
    return [each.revision for each in script.walk_revisions()][::-1]


def _message(seq: int, id_: str, role: str, state: str, text: str, **more: Any) -> dict[str, Any]:
    length = len(text.encode("utf-16-le")) // 2
    row = {"seq": seq, "id": id_, "chat_id": CHAT, "owner": OWNER, "role": role, "text": text}
    return row | {"text_length": length, "state": state, "created_at": WHEN} | more


def rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a table and a row of it, in an order in which each finds what it refers to."""
    spent = {"input_tokens": 11, "output_tokens": 6, "cost": 250}
    spent |= {"estimated": False, "unpriced": False}
    chat = {"id": CHAT, "owner": OWNER, "title": "Primes 🔢", "created_at": WHEN}
    chat |= {"updated_at": WHEN, "changed": 3, "instructions": SAID, "last_charge": STOPPED}
    yield "chats", chat | spent
    attached = [{"name": "notes.md", "text": "# Primes", "mime_type": "text/plain"}, PLOT]
    prompt = _message(1, PROMPT, "user", "completed", "List the primes 🔢.", attachments=attached)
    yield "messages", prompt | {"path": "primes.ipynb"}
    stopped = _message(2, STOPPED, "assistant", "interrupted", "2, 3, 5, and", reply_to=PROMPT)
    stopped |= {"request_id": REQUEST, "model": "openai:x", "usage": USAGE, "reasoning": "Hm."}
    stopped |= {"stop": RECEIPT, "tools": [CALL], "process": "old-host:1:a", "mode": "agent"}
    stopped |= {"cost": {"amount": 250, "estimated": False}, "instructions": [DIGEST]}
    yield "messages", stopped | {"changes": {"cells": 1, "undone": False}}
    yield "messages", _message(3, SECOND, "user", "completed", "And now?", reply_to=STOPPED)
    failed = _message(4, FAILED, "assistant", "failed", "", reply_to=SECOND, error=ERROR)
    yield "messages", failed | {"finish_reason": "cut_off"}
    waiting = _message(5, WAITING, "assistant", "generating", "", reply_to=PROMPT)
    yield "messages", waiting | {"version_of": STOPPED, "process": "old-host:1:a"}
    for n, text in enumerate(("From their ", "st"), 1):
        yield "deltas", {"message": 5, "n": n, "part": "text", "text": text}
    yield "processes", {"id": "old-host:1:a", "seen_at": 1}
    yield "earlier_requests", {"owner": OWNER, "request_id": EARLIER, "message": 2}
    yield "sent_instructions", {"chat_id": CHAT, "digest": DIGEST, "text": SAID}
    blob = {"owner": OWNER, "digest": DIGEST, "mime_type": "image/png", "width": 4, "height": 3}
    blob |= {"size": len(PICTURE), "drafts": 0, "drafted_at": 1, "data": PICTURE}
    yield "blobs", blob
    yield "message_blobs", {"message": 1, "digest": DIGEST, "owner": OWNER}
    yield "spending", {"owner": OWNER, "day": WHEN[:10]} | spent
    call = {"message": 2, "n": 0, "step": 1, "at": 6, "call_id": "c1", "name": "look"}
    yield "calls", call | {"args": '{"n": 5}', "result": "prime", "state": "completed"}
    change = {"message": 2, "n": 0, "call_id": "c1", "path": "primes.ipynb", "action": "insert"}
    change |= {"cell_id": "cell-1", "cell_type": "code", "after": "2 + 3", "state": "done"}
    yield "journal", change
    allowed = {"owner": OWNER, "chat_id": CHAT, "tool": "run_cell", "allowed_at": WHEN}
    yield "allowed_tools", allowed
    kept = {"message": 2, "call_id": "c1", "path": "primes.ipynb", "cell_id": "cell-1"}
    kept |= {"digest": DIGEST, "outputs": "[]", "size": 2, "ended_at": WHEN}
    yield "cell_outputs", kept


def make(path: Path, revision: str) -> None:
    """Make a file as it was at a revision, with rows of all that it had a place for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        command.upgrade(config_of(connection), revision)
        known = MetaData()
        known.reflect(connection)
        for name, row in rows():
            table = known.tables.get(name)
            if table is not None:
                could = {column: row[column] for column in row if column in table.columns}
                if "blobs" not in known.tables and "attachments" in could:
                    could["attachments"] = [one for one in could["attachments"] if one is not PLOT]
                connection.execute(insert(table), could)
    engine.dispose()
    with sqlite3.connect(path) as found:
        assert found.execute("SELECT * FROM alembic_version").fetchall() == [(revision,)]
    found.close()
