"""A provider that did not answer is asked again: before the first token, seen, and stopped."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import Any

import pytest
from langchain.agents import create_agent

from jupyter_stop_chat.chat_handlers.langchain import handler as langchain
from jupyter_stop_chat.chat_handlers.langchain import retrying
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.retrying import wait_before_retry
from jupyter_stop_chat.ports.handler import Retrying
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.chat_handlers.test_provider_errors import CODES
from tests.providers import Provider, Script, Trouble
from tests.providers.reading import LONG, Reading

RETRIED: list[Trouble] = ["rate_limit", "timeout", "server_error", "overloaded"]


class Waits(list[float]):
    """What notes what is waited for, and wait until it is let go on."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        self.begun.set()
        await self.go_on.wait()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    made = Waits()
    made.go_on.set()
    monkeypatch.setattr(retrying, "WAITS", (1.0, 3.0))
    monkeypatch.setattr(langchain, "pause", made)
    return made


def told(reading: Reading) -> list[Retrying]:
    return [event for event in reading.events if isinstance(event, Retrying)]


@pytest.mark.parametrize("trouble", RETRIED)
async def test_what_may_pass_is_asked_again(
    trouble: Trouble, handler: LangChainHandler, provider: Provider, waits: Waits
) -> None:
    """V3: twice, told each time with its wait and its reason; then the answer comes."""
    provider.scripts.extend([Script(trouble=trouble)] * 2)
    provider.script = Script(tokens=["Good ", "day."])
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.text == "Good day."
    assert told(reading) == [Retrying(1.0, 2, CODES[trouble]), Retrying(3.0, 3, CODES[trouble])]
    assert waits == [1.0, 3.0]
    assert len(provider.requests) == 3
    assert reading.reports == ["started", "closed"] * 3


@pytest.mark.parametrize("trouble", sorted(set(CODES) - set(RETRIED)))
async def test_what_will_not_pass_is_told_at_once(
    trouble: Trouble, handler: LangChainHandler, provider: Provider, waits: Waits
) -> None:
    """L5: a wrong key does not get right by waiting."""
    provider.script = Script(trouble=trouble)
    reading = Reading(handler)
    assert isinstance(await reading.end(), StopChatError)
    assert waits == []
    assert len(provider.requests) == 1


async def test_the_third_failure_is_told(
    handler: LangChainHandler, provider: Provider, waits: Waits
) -> None:
    """L5."""
    provider.script = Script(trouble="overloaded")
    reading = Reading(handler)
    error = await reading.end()
    assert isinstance(error, StopChatError)
    assert error.code is ErrorCode.PROVIDER_FAILED
    assert len(provider.requests) == 3


@pytest.mark.parametrize("trouble", ["server_error", "rate_limit"])
async def test_nothing_is_asked_again_once_text_has_come(
    trouble: Trouble, handler: LangChainHandler, provider: Provider, waits: Waits
) -> None:
    """V1: what was seen stays, and is billed once."""
    provider.script = Script(tokens=9, trouble=trouble, trouble_after=2)
    reading = Reading(handler)
    assert isinstance(await reading.end(), StopChatError)
    assert reading.text == "t0 t1 "
    assert len(provider.requests) == 1
    assert waits == []


async def test_a_stop_ends_the_wait(
    handler: LangChainHandler, provider: Provider, waits: Waits
) -> None:
    """V8: nothing is sent after it, and no connection is left in use."""
    waits.go_on.clear()
    provider.script = Script(trouble="overloaded")
    reading = Reading(handler)
    await asyncio.wait_for(waits.begun.wait(), LONG)
    assert await reading.stop() == "cancelled"
    waits.go_on.set()
    assert len(provider.requests) == 1
    assert reading.reports == ["started", "closed"]


async def test_a_connection_that_breaks_before_the_first_token(
    handler: LangChainHandler, provider: Provider, kind: str, waits: Waits
) -> None:
    """V3."""
    provider.scripts.append(Script(drop_after=0))
    provider.script = Script(tokens=2)
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.text == "t0 t1 "
    assert [each.code for each in told(reading)] == [ErrorCode.PROVIDER_FAILED]


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"Retry-After": "61"}, None),
        ({"x-should-retry": "false"}, None),
        ({"Retry-After": "soon"}, 1.0),
        ({"Retry-After": "-3"}, 1.0),
        ({"Retry-After": "nan"}, 1.0),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic"])
async def test_the_provider_says_how_long(
    headers: dict[str, str],
    waited: float | None,
    handler: LangChainHandler,
    provider: Provider,
    waits: Waits,
) -> None:
    """L5: who asks to wait for long is not waited for; Ollama's client keeps no headers."""
    provider.scripts.append(Script(trouble="rate_limit", headers=headers))
    reading = Reading(handler)
    error = await reading.end()
    if waited is None:
        assert isinstance(error, StopChatError)
        assert error.code is ErrorCode.RATE_LIMITED
        assert waits == []
    else:
        assert error is None
        assert waits == [waited]


class _Answered(Exception):
    def __init__(self, status: int, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__("no")
        self.status_code = status
        self.response = type("Response", (), {"headers": headers or {}, "status_code": status})()
        self.__dict__.update(more)


def test_a_date_says_how_long_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "WAITS", (1.0, 3.0))
    later = formatdate(time.time() + 30, usegmt=True)
    wait = wait_before_retry(_Answered(503, {"retry-after": later}), 0)
    assert wait is not None
    assert 20 < wait <= 31
    assert wait_before_retry(_Answered(503, {"retry-after": formatdate(0, usegmt=True)}), 0) == 0


def test_what_is_not_worth_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quota that is used up, and a limit of our own that the person has waited for."""
    monkeypatch.setattr(retrying, "WAITS", (1.0, 3.0))
    assert wait_before_retry(_Answered(429), 0) == 1.0
    assert wait_before_retry(_Answered(429), 1) == 3.0
    assert wait_before_retry(_Answered(429), 2) is None
    assert wait_before_retry(_Answered(429, code="insufficient_quota"), 0) is None
    assert wait_before_retry(TimeoutError(), 0) is None
    assert wait_before_retry(ConnectionRefusedError(), 0) is None
    assert wait_before_retry(ValueError("no"), 0) is None


async def test_an_agent_is_not_asked_again(provider: Provider, kind: str, waits: Waits) -> None:
    """Nobody knows what its tools have done."""
    from tests.providers.chat_models import make_model

    provider.script = Script(trouble="overloaded")
    handler = LangChainHandler(create_agent(make_model(kind, provider.base_url), []))
    assert isinstance(await Reading(handler).end(), StopChatError)
    assert len(provider.requests) == 1
    await handler.close()


async def test_a_client_library_that_asks_again_by_itself_is_told_not_to(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its retries would be seen by nobody."""
    from jupyter_stop_chat.models import Models
    from tests.providers import OpenAIProvider

    async with OpenAIProvider(Script(trouble="overloaded")) as openai:
        parameters = {"openai": {"base_url": openai.base_url, "api_key": "k-0123456"}}
        models = Models(tmp_path, parameters=parameters)
        handler, _ = await models.resolve("openai:gpt-test")
        assert isinstance(await Reading(handler).end(), StopChatError)
        assert len(openai.requests) == 1
        await models.close()


async def test_a_page_sees_that_it_is_tried_again(
    provider: Provider, waits: Waits, app: Any, connect: Any, kind: str
) -> None:
    """V3, V8: in the message, while it is waited for; a stop then ends it for good."""
    from tests.providers.chat_models import make_model

    app.titles = "prompt"
    waits.go_on.clear()
    services = await app.services()
    services.models.register("tried", lambda name: make_model(kind, provider.base_url))
    provider.script = Script(trouble="rate_limit")
    page = await connect()
    accepted = await page.ask(model="tried:x")
    frame = await page.until("message", lambda frame: frame["message"].get("retry"))
    retry = frame["message"]["retry"]
    assert (retry["code"], retry["attempt"]) == ("rate_limited", 2)
    assert 0 < retry["wait_ms"] <= 1000
    other = await connect()
    await other.send({"type": "open", "chat_id": accepted["chat_id"]})
    opened = await other.until("chat", lambda frame: "messages" in frame)
    assert opened["messages"][-1]["retry"]["attempt"] == 2, "who comes later sees it too"
    waits.begun.clear()
    waits.go_on.set()
    cleared = await page.until("message", lambda frame: not frame["message"].get("retry"))
    assert cleared["message"]["state"] == "generating"
    ended = await page.end_of(accepted["message"]["id"])
    assert ended["error"]["code"] == "rate_limited"
    assert "retry" not in ended

    waits.go_on.clear()
    waits.begun.clear()
    accepted = await page.ask(model="tried:x")
    await asyncio.wait_for(waits.begun.wait(), LONG)
    sent = len(provider.requests)
    await page.send({"type": "stop", "message_id": accepted["message"]["id"]})
    ended = await page.end_of(accepted["message"]["id"])
    assert ended["state"] == "interrupted"
    assert ended["stop"]["provider"] == "closed"
    assert "retry" not in ended
    waits.go_on.set()
    assert len(provider.requests) == sent
