"""Two real Jupyter Servers on one data folder: each says what the other makes."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab, asking
from tests.conftest import Client
from tests.faults.servers import connect, leave, told
from tests.page import Page
from tests.providers import OpenAIProvider, Script


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model."""
    with OpenAIProvider().in_thread() as made:
        yield made


@pytest.fixture
def provider(shared_provider: OpenAIProvider) -> OpenAIProvider:
    """Return the model, which never comes to an end."""
    shared_provider.forget()
    shared_provider.script = Script(tokens=10_000_000, rate=50)
    return shared_provider


@pytest.fixture
def no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have servers run where files cannot be locked, as in some network homes."""
    refusing = "def flock(*args): raise OSError(37, 'No locks available')"
    (tmp_path / "sitecustomize.py").write_text(f"import fcntl\n{refusing}\nfcntl.flock = flock\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)


@contextmanager
def _two(folder: Path, provider: OpenAIProvider) -> Iterator[list[Lab]]:
    """Start two servers, as somebody does who forgot that one runs."""
    config = asking(provider.base_url)
    made = [Lab(folder / name, config, "jupyter_server") for name in ("a", "b")]
    for lab in made:
        lab.data = folder / "data"
    with ThreadPoolExecutor() as threads:
        list(threads.map(Lab.start, made))
    yield made
    for lab in made:
        lab.stop()


@pytest.fixture
def labs(tmp_path: Path, provider: OpenAIProvider) -> Iterator[list[Lab]]:
    """Start two servers for one test."""
    with _two(tmp_path, provider) as made:
        yield made


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: OpenAIProvider
) -> Iterator[list[Lab]]:
    """Start two servers that tests share; the last of them kills the first."""
    with _two(tmp_path_factory.mktemp("pair"), shared_provider) as made:
        yield made


async def _open(page: Client, chat_id: str) -> list[dict[str, Any]]:
    await page.send({"type": "open", "chat_id": chat_id})
    opened = await page.until("chat", lambda frame: "messages" in frame)
    return list(opened["messages"])


def _shown(page: Client) -> Page:
    """Show what came: a gap, or text that is doubled, fails."""
    shown = Page()
    for frame in page.frames:
        shown.show(frame)
    return shown


async def test_a_chat_that_is_deleted_through_the_other_server(
    pair: list[Lab], provider: OpenAIProvider
) -> None:
    """H4: the model is stopped, and the page that shows it is told that it is gone."""
    first, second = pair
    a = await connect(first)
    accepted = await a.ask()
    await a.until("delta")
    await told(second, "DELETE", f"chats/{accepted['chat_id']}")
    gone = await a.until("chat", lambda frame: frame.get("deleted", False))
    assert gone["chat"]["id"] == accepted["chat_id"]
    await asyncio.wait_for(provider.requests[0].closed.wait(), 20)
    assert (await told(first, "GET", "generations"))["generations"] == []
    await leave(a)


async def _see(labs: list[Lab]) -> tuple[Client, Client, str, str]:
    """Have the first make a reply that a page of each sees grow."""
    a, b = await connect(labs[0]), await connect(labs[1])
    accepted = await a.ask()
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    await a.until("delta")
    await _open(b, chat_id)
    await b.until("message", lambda frame: frame["message"]["text"] != "")
    return a, b, message_id, chat_id


def _halt(lab: Lab, *statements: str) -> None:
    """Halt a server, where it holds no lock of the database, and change that meanwhile."""
    assert lab.process is not None
    with closing(sqlite3.connect(lab.data / "stop-chat" / "chats.sqlite", timeout=0)) as database:
        while True:
            lab.process.send_signal(signal.SIGSTOP)
            os.waitpid(lab.process.pid, os.WUNTRACED)
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                lab.process.send_signal(signal.SIGCONT)
                continue
            for statement in statements:
                database.execute(statement)
            database.commit()
            return


def _tokens(letter: str, length: int) -> str:
    return "".join(f"{letter}{n} " for n in range(length))[:length]


async def _all_show(labs: list[Lab], pages: list[Client], chat_id: str, message_id: str) -> str:
    """Check that pages and servers have one text, and return it."""
    texts = {_shown(page).text(message_id) for page in pages}
    for lab in labs:
        last = (await told(lab, "GET", f"chats/{chat_id}"))["messages"][-1]
        texts.add(last["text"])
        assert not last["made_elsewhere"]
    (text,) = texts
    return text


async def _halt_one(labs: list[Lab], provider: OpenAIProvider) -> tuple[Client, Client, str, str]:
    """Halt the first, and check that the second begins nothing and ends nothing."""
    a, b, message_id, chat_id = await _see(labs)
    _halt(labs[0], "UPDATE processes SET seen_at = seen_at - 1000")
    prompt = {"type": "send", "request_id": str(uuid.uuid4()), "chat_id": chat_id, "body": "And?"}
    await b.send(prompt)
    assert (await b.until("error"))["code"] == "made_elsewhere"
    await b.send({"type": "stop", "chat_id": chat_id})
    (result,) = (await b.until("stop_result"))["results"]
    assert (result["message_id"], result["outcome"]) == (message_id, "made_elsewhere")
    reply = (await _open(b, chat_id))[-1]
    assert (reply["state"], reply["made_elsewhere"]) == ("generating", True)
    assert not provider.requests[0].closed.is_set()
    return a, b, message_id, chat_id


async def test_a_server_that_is_halted_keeps_its_reply(
    pair: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: the other says who makes it, begins nothing beside it and ends nothing."""
    a, b, message_id, chat_id = await _halt_one(pair, provider)
    halted_at = len(_shown(b).text(message_id))
    assert pair[0].process is not None
    pair[0].process.send_signal(signal.SIGCONT)
    await b.until("message", lambda frame: frame["message"]["text_length"] > halted_at)
    await a.send({"type": "stop", "message_id": message_id})
    assert (await a.end_of(message_id))["stop"]["reason"] == "user"
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "user")
    text = await _all_show(pair, [a, b], chat_id, message_id)
    assert len(text) >= halted_at
    assert text == _tokens("t", len(text))
    await leave(a, b)


async def test_the_second_server_says_who_makes_it_and_takes_over_when_that_dies(
    pair: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: shown as it grows, no stop that does nothing, and after `kill -9` it is ended."""
    first, second = pair
    a, b = await connect(first), await connect(second)
    accepted = await a.ask()
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    await a.until("delta")
    messages = await _open(b, chat_id)
    assert (messages[-1]["state"], messages[-1]["made_elsewhere"]) == ("generating", True)
    await b.until("message", lambda frame: frame["message"]["text"] != "")
    await b.send({"type": "stop", "message_id": message_id})
    (result,) = (await b.until("stop_result"))["results"]
    assert (result["message_id"], result["outcome"]) == (message_id, "made_elsewhere")
    answer = await told(second, "POST", f"generations/{message_id}/interrupt")
    assert answer["outcome"] == "made_elsewhere"
    assert not provider.requests[0].closed.is_set()
    frame = {"type": "send", "request_id": message_id, "chat_id": chat_id, "body": "And now?"}
    await b.send(frame)
    assert (await b.until("error"))["code"] == "made_elsewhere"
    assert first.process is not None
    first.process.kill()
    await asyncio.to_thread(first.process.wait)
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_restart")
    whole = await told(second, "GET", f"chats/{chat_id}")
    assert whole["messages"][-1]["text"] == _shown(b).text(message_id) != ""
    again = await b.ask("Go on", chat_id=chat_id)
    await b.until("delta", lambda frame: frame["message_id"] == again["message"]["id"])
    await leave(a, b)


@pytest.mark.stress
async def test_a_server_that_is_killed_while_it_is_halted(
    labs: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: then its reply is ended by the other."""
    a, b, message_id, chat_id = await _halt_one(labs, provider)
    assert labs[0].process is not None
    labs[0].process.kill()
    await asyncio.to_thread(labs[0].process.wait)
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_restart")
    await _all_show(labs[1:], [b], chat_id, message_id)
    await leave(a, b)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.stress
async def test_a_server_that_was_halted_for_long_where_nothing_can_be_locked(
    labs: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: the other goes on with its reply; when it wakes, not a word of it is in there."""
    first, _ = labs
    a, b, message_id, chat_id = await _see(labs)
    _halt(first, "UPDATE processes SET seen_at = seen_at - 61")
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_restart")
    half = ended["text_length"]
    # Other words than those that the first server still gets.
    provider.scripts.append(Script(tokens=[f"u{n} " for n in range(100_000)], rate=50))
    await b.send({"type": "continue", "message_id": message_id, "request_id": str(uuid.uuid4())})
    await b.until("delta", lambda frame: frame["message_id"] == message_id)
    assert first.process is not None
    first.process.send_signal(signal.SIGCONT)
    await a.until("message", lambda frame: frame["message"]["made_elsewhere"])
    await asyncio.wait_for(provider.requests[0].closed.wait(), 20)
    assert not provider.requests[1].closed.is_set()
    await a.send({"type": "stop", "message_id": message_id})
    (result,) = (await a.until("stop_result"))["results"]
    assert result["outcome"] == "made_elsewhere"
    await b.send({"type": "stop", "message_id": message_id})
    await b.end_of(message_id)
    assert (await a.end_of(message_id))["stop"]["reason"] == "user"
    text = await _all_show(labs, [a, b], chat_id, message_id)
    assert text[:half] == _tokens("t", half)
    assert text[half:].lstrip() == _tokens("u", len(text[half:].lstrip()))
    await leave(a, b)
