"""Two real Jupyter Servers on one data folder: each says what the other makes."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.aids.page import Page
from tests.browser.lab import Lab, asking
from tests.conftest import Client
from tests.faults.servers import connect, halt, leave, told
from tests.providers import OpenAIProvider, Script
from tests.several.conftest import Several


@pytest.fixture
def provider(_provider: OpenAIProvider, _endless: None) -> OpenAIProvider:
    """Return the model, which never comes to an end."""
    return _provider


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


@pytest.fixture(scope="module", name="pair")
def shared(pair: Callable[[str], Several]) -> list[Lab]:
    """Return two servers that all share; the last test here kills the first."""
    return pair("one file").labs


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
    halt(labs[0], "UPDATE processes SET seen_at = seen_at - 1000")
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


async def test_a_stop_is_left_for_a_server_that_is_halted(
    pair: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1, S3: it does not answer, so nothing is told to have stopped until it wakes."""
    a, b, message_id, chat_id = await _halt_one(pair, provider)
    halted_at = len(_shown(b).text(message_id))
    assert pair[0].process is not None
    pair[0].process.send_signal(signal.SIGCONT)
    assert (await a.end_of(message_id))["stop"]["reason"] == "user"
    await asyncio.wait_for(provider.requests[0].closed.wait(), 20)
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "user")
    text = await _all_show(pair, [a, b], chat_id, message_id)
    assert len(text) >= halted_at
    assert text == _tokens("t", len(text))
    await leave(a, b)


async def test_a_reply_is_stopped_through_the_other_server(
    pair: list[Lab], provider: OpenAIProvider
) -> None:
    """S3, H4: by its page and by HTTP: its provider is closed, and both have the same text."""
    a, b, message_id, chat_id = await _see(pair)
    shown = len(_shown(b).text(message_id))
    await b.send({"type": "stop", "message_id": message_id, "shown": shown})
    (result,) = (await b.until("stop_result"))["results"]
    assert (result["message_id"], result["outcome"]) == (message_id, "interrupted")
    assert result["receipt"]["provider"] == "closed"
    await asyncio.wait_for(provider.requests[0].closed.wait(), 20)
    await a.end_of(message_id)
    await b.end_of(message_id)
    assert len(await _all_show(pair, [a, b], chat_id, message_id)) == shown
    again = await a.ask(chat_id=chat_id)
    answer = await told(pair[1], "POST", f"generations/{again['message']['id']}/interrupt")
    assert answer["outcome"] == "interrupted"
    await leave(a, b)


async def test_a_prompt_waits_where_its_chat_is_worked_in(
    pair: list[Lab], provider: OpenAIProvider
) -> None:
    """S3, B10: a chat has one queue: what is asked through the second goes on in the first."""
    a, b, message_id, chat_id = await _see(pair)
    waiting = await b.ask("And then?", chat_id=chat_id)
    reply = waiting["message"]
    assert (reply["state"], reply["made_elsewhere"]) == ("queued", True)
    assert (await told(pair[0], "GET", "generations"))["generations"][-1]["message_id"] == reply[
        "id"
    ]
    await b.send({"type": "stop", "message_id": message_id})
    await b.until("stop_result")  # only then is it paused
    await b.send({"type": "resume", "chat_id": chat_id})
    await a.until("delta", lambda frame: frame["message_id"] == reply["id"])
    await b.send({"type": "stop", "chat_id": chat_id})
    assert (await a.end_of(reply["id"]))["stop"]["reason"] == "user"
    await b.end_of(reply["id"])
    await _all_show(pair, [a, b], chat_id, reply["id"])
    await leave(a, b)


async def test_the_second_server_takes_over_when_the_first_dies(
    pair: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: shown as it grows, and after `kill -9` it is ended."""
    first, second = pair
    a, b = await connect(first), await connect(second)
    accepted = await a.ask()
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    await a.until("delta")
    messages = await _open(b, chat_id)
    assert (messages[-1]["state"], messages[-1]["made_elsewhere"]) == ("generating", True)
    await b.until("message", lambda frame: frame["message"]["text"] != "")
    assert first.process is not None
    first.process.kill()
    await asyncio.to_thread(first.process.wait)
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_gone")
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
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_gone")
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
    halt(first, "UPDATE processes SET seen_at = seen_at - 16")
    ended = await b.end_of(message_id)
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_gone")
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
    assert result["outcome"] == "interrupted"
    await b.end_of(message_id)
    assert (await a.end_of(message_id))["stop"]["reason"] == "user"
    text = await _all_show(labs, [a, b], chat_id, message_id)
    assert text[:half] == _tokens("t", half)
    assert text[half:].lstrip() == _tokens("u", len(text[half:].lstrip()))
    await leave(a, b)
