"""A database that cannot be opened is like one that cannot be written: the chat goes on."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from tests.aids.fed import Fed
from tests.browser.lab import Lab, asking
from tests.faults.servers import connect, told
from tests.providers import OpenAIProvider, Script

#: Holds all of a database until its standard input ends: not even a read gets through.
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA locking_mode = EXCLUSIVE")
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
connection.rollback()
"""
Mend = Callable[[], None]


def _locked(file: Path) -> Mend:
    file.parent.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", LOCKER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"locked\n"
    return lambda: (process.communicate(timeout=60), None)[1]


def _file_for_folder(file: Path) -> Mend:
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    file.parent.write_text("not a folder")
    return file.parent.unlink


def _no_folder_possible(file: Path) -> Mend:
    """A folder in which nothing can be made, not even by root, as one that is not mounted."""
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    file.parent.symlink_to("/proc/self/fdinfo/none")
    return file.parent.unlink


def _folder_for_file(file: Path) -> Mend:
    file.mkdir(parents=True)
    return file.rmdir


KINDS = [_locked, _file_for_folder, _no_folder_possible, _folder_for_file]


def _codes(page: Any) -> list[str]:
    return [frame["code"] for frame in page.frames if frame["type"] == "error"]


@pytest.fixture
def out_of_the_way() -> Iterator[list[Mend]]:
    """Yield what puts the database's place in order again, at the latest when the test ends."""
    kept: list[Mend] = []
    yield kept
    for mend in kept:
        mend()


async def _talk(page: Any, model: Fed, body: str, **fields: Any) -> dict[str, Any]:
    """Ask, be answered, and return the end."""
    accepted = await page.ask(body, model="fed:x", **fields)
    message_id = accepted["message"]["id"]
    model.feed(message_id, f"answer to {body}", None)
    ended = await page.end_of(message_id)
    assert ended["state"] == "completed"
    return ended


def _in_file(file: str) -> dict[str, list[str]]:
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute(
            "SELECT chats.title, messages.text FROM messages JOIN chats ON chats.id = chat_id "
            "ORDER BY seq"
        )
        found: dict[str, list[str]] = {}
        for title, text in rows:
            found.setdefault(title, []).append(text)
        return found


@pytest.mark.parametrize("kind", KINDS)
async def test_everything_goes_on_in_memory_and_is_saved_in_the_end(
    app: Any, connect: Any, jp_fetch: Any, out_of_the_way: list[Mend], kind: Any
) -> None:
    """H3: each route and each frame works, everyone is told once, and nothing is lost."""
    app.titles = "prompt"
    out_of_the_way.append(await asyncio.to_thread(kind, Path(app._sqlite_file())))
    services = await app.services()
    model = Fed()
    services.models.register("fed", lambda name: model)

    async def ask(*path: str, **more: Any) -> Any:
        answer = await jp_fetch("api", "stop-chat", *path, **more)
        return json.loads(answer.body) if answer.body.startswith(b"{") else answer.body.decode()

    page = await connect()
    assert (await page.until("error"))["code"] == "not_saved"
    first = await _talk(page, model, "about whales")
    chat = first["chat_id"]
    await _talk(page, model, "and more", chat_id=chat)
    # Stopped, and gone on with.
    asked = await page.ask("a long one", chat_id=chat, model="fed:x")
    long = asked["message"]["id"]
    model.feed(long, "half of ")
    await page.until("delta")
    await page.send({"type": "stop", "request_id": asked["request_id"]})
    stopped = await page.until("stop_result")
    assert [each["outcome"] for each in stopped["results"]] == ["interrupted"]
    await page.send({"type": "continue", "message_id": long, "request_id": str(uuid.uuid4())})
    await page.until("accepted")
    model.feed(long, "it", None)
    assert (await page.end_of(long))["state"] == "completed"
    # A stop that comes first is remembered, as ever.
    early = str(uuid.uuid4())
    await page.send({"type": "stop", "request_id": early})
    assert (await page.until("stop_result"))["results"][0]["outcome"] == "remembered"
    # Another page, and every route.
    other = await connect()
    await other.send({"type": "open", "chat_id": chat})
    opened = await other.until("chat", lambda frame: "messages" in frame)
    assert [each["text"] for each in opened["messages"]][-1] == "half of it"
    second = (await _talk(page, model, "about stars"))["chat_id"]
    gone = (await _talk(page, model, "gone soon"))["chat_id"]
    assert [each["id"] for each in (await ask("chats"))["chats"]] == [gone, second, chat]
    found = await ask("chats", params={"query": "stars"})
    assert [each["id"] for each in found["chats"]] == [second]
    patch = {"method": "PATCH", "body": json.dumps({"title": "Whales"})}
    assert (await ask("chats", chat, **patch))["title"] == "Whales"
    await ask("chats", second, method="PATCH", body=json.dumps({"title": "Stars"}))
    await ask("chats", gone, method="DELETE")
    whole = await ask("chats", chat)
    assert len(whole["messages"]) == 6
    assert "about whales" in await ask("chats", chat, "export", params={"format": "md"})
    copied = await ask("chats", chat, "export", params={"format": "json"})
    body = copied if isinstance(copied, str) else json.dumps(copied)
    copy = await ask("chats", method="POST", body=body)
    await ask("chats", copy["id"], method="PATCH", body=json.dumps({"title": "Copy"}))
    health = await ask("health")
    assert (health["status"], health["store"]["degraded"]) == ("degraded", True)
    # What only the database could know is not called unknown.
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("api", "stop-chat", "chats", str(uuid.uuid4()))
    assert json.loads(refused.value.response.body)["code"] == "not_readable"
    await page.send({"type": "open", "chat_id": str(uuid.uuid4())})
    assert (await page.until("error"))["code"] == "not_readable"

    await asyncio.to_thread(out_of_the_way.pop())
    for each in (page, other):
        assert (await each.until("error"))["code"] == "saved_again"
    assert _codes(other) == ["not_saved", "saved_again"]
    saved = await asyncio.to_thread(_in_file, app._sqlite_file())
    assert saved.keys() == {"Whales", "Stars", "Copy"}
    assert saved["Whales"][0] == "about whales"
    assert saved["Whales"][-1] == "half of it"
    assert saved["Copy"] == saved["Whales"]
    assert (await ask("chats", chat))["messages"] == whole["messages"]
    await _talk(page, model, "all is well", chat_id=chat)


@pytest.mark.stress
async def test_a_server_that_starts_beside_a_locked_database(tmp_path: Path) -> None:
    """H3: a real server process; a chat of before is there again when the lock is gone."""
    with OpenAIProvider(Script(tokens=5)).in_thread() as provider:
        lab = Lab(tmp_path, asking(provider.base_url), "jupyter_server")
        file = lab.data / "stop-chat" / "chats.sqlite"
        await asyncio.to_thread(lab.start)
        before = await _one_turn(lab)
        await asyncio.to_thread(lab.stop)
        mend = await asyncio.to_thread(_locked, file)
        await asyncio.to_thread(lab.start)
        try:
            during = await _one_turn(lab, "not_saved")
        finally:
            await asyncio.to_thread(mend)
        again = await connect(lab)
        while (await told(lab, "GET", "health"))["status"] != "ok":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        for chat_id in (before, during):
            await again.send({"type": "open", "chat_id": chat_id})
            opened = await again.until(
                "chat",
                lambda frame, chat_id=chat_id: (
                    "messages" in frame and frame["chat"]["id"] == chat_id
                ),
            )
            assert [each["state"] for each in opened["messages"]] == ["completed"] * 2
        again.socket.close()
        await asyncio.to_thread(lab.stop)
        saved = await asyncio.to_thread(_in_file, str(file))
        assert [len(texts) for texts in saved.values()] == [4]


async def _one_turn(lab: Lab, heard: str | None = None) -> str:
    page = await connect(lab)
    if heard is not None:
        assert (await page.until("error"))["code"] == heard
    accepted = await page.ask("Hello")
    assert (await page.end_of(accepted["message"]["id"]))["state"] == "completed"
    page.socket.close()
    return str(accepted["chat_id"])
