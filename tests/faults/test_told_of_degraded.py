"""A person is told once that chats cannot be saved, and once that they are again."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.aids.fed import Fed

#: Holds the database's lock until its standard input ends.
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA busy_timeout = 30000")
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
connection.rollback()
"""


@pytest.fixture
def lock(app: Any) -> Iterator[Any]:
    """Lock the database from another process; what is returned lets go of it."""
    held: list[subprocess.Popen[str]] = []

    def hold() -> Any:
        process = subprocess.Popen(
            [sys.executable, "-c", LOCKER, app._sqlite_file()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        held.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        return process.communicate

    yield hold
    for process in held:
        if process.poll() is None:
            process.communicate(timeout=60)


def _codes(page: Any) -> list[str]:
    return [frame["code"] for frame in page.frames if frame["type"] == "error"]


async def test_a_database_that_another_process_locks(
    app: Any, connect: Any, jp_fetch: Any, lock: Any
) -> None:
    """B3, rule 8: the reply goes on, each page is told once, and all is saved in the end."""
    services = await app.services()
    model = Fed()
    services.models.register("fed", lambda name: model)
    app.titles = "prompt"
    first, second = await connect(), await connect()
    accepted = await first.ask(model="fed:x")
    message_id = accepted["message"]["id"]
    model.feed(message_id, "before ")
    await first.until("delta")
    release = await asyncio.to_thread(lock)
    model.feed(message_id, "during ")
    for page in (first, second):
        assert (await page.until("error"))["code"] == "not_saved"
    if first.text(message_id) == "before ":
        await first.until("delta")
    assert first.text(message_id) == "before during "
    late = await connect()
    assert (await late.until("error"))["code"] == "not_saved"
    health = json.loads((await jp_fetch("api", "stop-chat", "health")).body)
    assert (health["status"], health["store"]["reason"]) == ("degraded", "locked")
    model.feed(message_id, "and after", None)
    message = await first.end_of(message_id)
    assert message["state"] == "completed"
    await asyncio.to_thread(release)
    for page in (first, second, late):
        assert (await page.until("error"))["code"] == "saved_again"
        assert _codes(page) == ["not_saved", "saved_again"]
    after = await connect()
    await after.send("no frame")
    await after.until("error")
    assert _codes(after) == ["bad_frame"]
    health = json.loads((await jp_fetch("api", "stop-chat", "health")).body)
    assert (health["status"], health["store"]["degraded"]) == ("ok", False)

    def in_file() -> Any:
        with closing(sqlite3.connect(app._sqlite_file())) as database:
            row = database.execute("SELECT text, state FROM messages WHERE id = ?", (message_id,))
            return row.fetchone()

    assert await asyncio.to_thread(in_file) == ("before during and after", "completed")


async def test_a_damaged_file_is_set_aside_and_that_is_told(
    app: Any, connect: Any, jp_fetch: Any
) -> None:
    """B3: what could not be read at the start is kept, and whoever comes is told."""
    file = Path(app._sqlite_file())
    file.parent.mkdir(parents=True)
    file.write_bytes(b"This is no database. " * 500)  # noqa: ASYNC240 - some bytes
    page = await connect()
    assert (await page.until("error"))["code"] == "set_aside"
    health = json.loads((await jp_fetch("api", "stop-chat", "health")).body)
    assert (health["status"], health["store"]["set_aside"]) == ("ok", 1)
    assert str(file.parent) not in json.dumps(health), "no path leaves the server"
    kept = [each for each in file.parent.iterdir() if "corrupt" in each.name]
    assert kept[0].read_bytes().startswith(b"This is no database.")
