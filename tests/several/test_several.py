"""Several servers, one history: what runs on one is seen and stopped through any other."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import pytest

from tests.conftest import Client
from tests.faults.servers import connect, leave, told
from tests.several.conftest import Several, Start

#: What a stop through another server may take, in seconds, 99 times in a hundred.
P99 = 0.2


async def _open(page: Client, chat_id: str) -> None:
    await page.send({"type": "open", "chat_id": chat_id})
    await page.until("chat", lambda frame: "messages" in frame)


async def _ask(page: Client, **fields: Any) -> tuple[str, str]:
    accepted = await page.ask(**fields)
    message_id = accepted["message"]["id"]
    await page.until("delta", lambda frame: frame["message_id"] == message_id)
    return message_id, accepted["chat_id"]


async def _stop(page: Client, message_id: str) -> tuple[dict[str, Any], float]:
    """Stop a reply, and return what is answered and after how many seconds."""
    began = time.perf_counter()
    await page.send({"type": "stop", "message_id": message_id})
    answer = await page.until("stop_result", lambda frame: frame.get("message_id") == message_id)
    (result,) = answer["results"]
    return result, time.perf_counter() - began


async def _kept(several: Several, chat_id: str, message_id: str) -> dict[str, Any]:
    """Return a message as every server has it."""
    seen = []
    for lab in several.labs:
        if lab.process is not None and lab.process.poll() is None:
            chat = await told(lab, "GET", f"chats/{chat_id}")
            seen.append(next(each for each in chat["messages"] if each["id"] == message_id))
    assert all(each == seen[0] for each in seen)
    first: dict[str, Any] = seen[0]
    return first


async def _stop_through_others(several: Several, times: int) -> list[float]:
    """Stop what runs on one server through the next, and check each; return the seconds."""
    pages = [await connect(lab) for lab in several.labs]
    took = []
    for turn in range(times):
        makes, stops = pages[turn % len(pages)], pages[(turn + 1) % len(pages)]
        message_id, chat_id = await _ask(makes)
        result, seconds = await _stop(stops, message_id)
        assert result["outcome"] == "interrupted"
        assert result["receipt"]["provider"] == "closed"
        took.append(seconds)
        if turn % 50 == 0:
            ended = await makes.end_of(message_id)
            assert (await _kept(several, chat_id, message_id))["text"] == makes.text(message_id)
            assert ended["stop"]["reason"] == "user"
        for page in pages:  # else what a long test hears is kept to its end
            page.frames.clear()
    await leave(*pages)
    return took


def _p99(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[98] if len(took) > 1 else took[0]


async def test_a_stop_through_another_server(two: Several) -> None:
    """S3: it ends where it runs, its provider is closed, and nobody is told otherwise."""
    await _stop_through_others(two, 10)


async def test_a_reply_is_followed_through_another_server(two: Several) -> None:
    """S3, H4: both show one text, the end as well; who opens it late has all of it."""
    a, b = [await connect(lab) for lab in two.labs]
    message_id, chat_id = await _ask(a)
    await _open(b, chat_id)
    await b.until("message", lambda frame: frame["message"]["text_length"] > 200)
    await a.send({"type": "stop", "message_id": message_id})
    await a.end_of(message_id)
    await b.end_of(message_id)
    kept = await _kept(two, chat_id, message_id)
    assert a.text(message_id) == b.text(message_id) == kept["text"]
    await leave(a, b)


async def test_a_new_turn_shows_on_the_other_server(two: Several) -> None:
    """S3: with Redis, also in a chat that nobody there was told to look at."""
    if two.redis is None:
        pytest.skip("through a file nothing is looked for while nothing runs")
    a, b = [await connect(lab) for lab in two.labs]
    message_id, chat_id = await _ask(a)
    await a.send({"type": "stop", "message_id": message_id})
    await a.end_of(message_id)
    await _open(b, chat_id)
    message_id, _ = await _ask(a, chat_id=chat_id)
    accepted = await b.until("accepted", lambda frame: frame["message"]["id"] == message_id)
    assert accepted["message"]["made_elsewhere"]
    await b.until("message", lambda frame: frame["message"]["text_length"] > 50)
    await b.send({"type": "stop", "chat_id": chat_id})
    await b.end_of(message_id)
    await a.end_of(message_id)
    assert a.text(message_id) == b.text(message_id)
    await leave(a, b)


async def test_everyone_is_stopped_through_any_server(two: Several) -> None:
    """S3: an operator asks one server, and all of them stop."""
    pages = [await connect(lab) for lab in two.labs]
    made = [(await _ask(page))[0] for page in pages]
    from tests.faults.servers import ask

    answer = await ask(two.labs[0], "POST", "stop-chat/interrupt", {"everyone": True})
    assert answer.code == 200, answer.body
    for page, message_id in zip(pages, made, strict=True):
        assert (await page.end_of(message_id))["stop"]["reason"] == "user"
    await leave(*pages)


# Behind all others that have the same two servers: from here on there is one.
async def test_a_server_that_is_killed(two: Several) -> None:
    """S3, rule 12: what it made is settled by another, within 20 seconds, with all its text."""
    several = two
    a, b = [await connect(lab) for lab in several.labs]
    message_id, chat_id = await _ask(a)
    await a.until("delta", lambda frame: frame["offset"] > 100)
    await _open(b, chat_id)
    assert several.labs[0].process is not None
    several.labs[0].process.kill()
    began = time.monotonic()
    ended = await asyncio.wait_for(b.end_of(message_id), 30)
    took = time.monotonic() - began
    assert (ended["state"], ended["stop"]["reason"]) == ("interrupted", "server_gone")
    kept = await _kept(several, chat_id, message_id)
    shown = a.text(message_id)
    assert kept["text"].startswith(shown)
    assert b.text(message_id) == kept["text"]
    assert took < 20
    again = await b.ask("Go on", chat_id=chat_id)
    assert again["message"]["made_elsewhere"] is False
    await leave(a, b)


@pytest.mark.stress
@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("pair", ["one file", "redis and postgresql"])
async def test_five_hundred_stops_through_others(
    start_several: Start, pair: str, number: int, record_property: Any
) -> None:
    """S3: none is missed, none is wrongly told, and 99 of 100 take at most 200 ms."""
    several = start_several(number, pair)
    took = await _stop_through_others(several, 500)
    record_property("p99_ms", round(_p99(took) * 1000, 1))
    print(f"{pair}, {number}: median {statistics.median(took):.4f} s, p99 {_p99(took):.4f} s")
    bound = P99 if several.redis is not None else 0.3
    assert _p99(took) <= bound
