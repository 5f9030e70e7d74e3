"""A history that is too long is sent without its oldest turns, in large steps, and told so."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent

from jupyter_stop_chat.chat_handlers.langchain import handler as langchain
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.langchain.trimming import fitted, limit_of, size_of
from jupyter_stop_chat.ports.handler import HistoryCut, TurnMessage
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.providers import Provider, Request, Script
from tests.providers.chat_models import make_model
from tests.providers.reading import Reading

#: A request of forty messages takes a client of OpenAI 50 ms to put into its own types.
CLIENTS = "the client goes through each message"


def thread(turns: int, length: int = 400) -> list[TurnMessage]:
    """Make so many turns; the last one is the prompt."""
    return [
        TurnMessage("user" if at % 2 == 0 else "assistant", f"{at:03} " + "x" * length, f"id{at}")
        for at in range(2 * turns - 1)
    ]


def sent(request: Request) -> list[str]:
    """Return the numbers of the messages that a provider was sent."""
    told = request.body.get("messages") or request.body.get("input")
    assert isinstance(told, list)
    texts = []
    for each in told:
        content = each["content"]
        text = content if isinstance(content, str) else content[0]["text"]
        texts.append(text[:3])
    return texts


def cuts(reading: Reading) -> list[str]:
    return [event.first for event in reading.events if isinstance(event, HistoryCut)]


def test_what_fits_is_left_alone() -> None:
    said = thread(5)
    assert fitted(said, 10_000) == said


def test_the_prompt_stays_however_long_it_is() -> None:
    said = thread(3, 10_000)
    assert fitted(said, 100) == said[-1:]


def test_it_is_cut_in_large_steps() -> None:
    """The beginning of what is sent stays the same for many turns: a provider's cache holds."""
    begins = []
    for turns in range(1, 200):
        said = thread(turns)
        kept = fitted(said, 4000)
        assert kept[-1] == said[-1]
        assert kept[0].role == "user"
        assert size_of(kept) <= 4000
        begins.append(len(said) - len(kept))
    assert begins == sorted(begins)
    assert len(set(begins)) <= 199 * 2 / 15
    steps = [after - before for before, after in itertools.pairwise(begins)]
    assert max(steps) >= 15


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"profile": {"max_input_tokens": 8192}}, 8192),
        ({"profile": None, "num_ctx": 2048}, 2048),
        ({"profile": {"max_input_tokens": 8192}, "num_ctx": 4096}, 4096),
        ({"profile": {"max_input_tokens": None}}, None),
    ],
    ids=str,
)
def test_the_limit_of_a_model(fields: dict[str, Any], limit: int | None) -> None:
    assert limit_of(type("Model", (), fields)()) == limit


@pytest.mark.may_hold_the_loop(CLIENTS)
async def test_a_known_limit_is_kept_to(kind: str, provider: Provider) -> None:
    """B8: without a single refusal; the first message that was sent is told."""
    more: dict[str, Any] = {"profile": {"max_input_tokens": 2000}}
    handler = LangChainHandler(make_model(kind, provider.base_url, **more))
    reading = Reading(handler, *thread(20))
    assert await reading.end() is None
    (request,) = provider.requests
    told = sent(request)
    assert told[-1] == "038"
    assert told[0] != "000"
    assert cuts(reading) == [f"id{int(told[0])}"]
    assert len(told) % 2 == 1
    await handler.close()


@pytest.mark.may_hold_the_loop(CLIENTS)
async def test_a_refusal_tells_the_limit(
    kind: str, handler: LangChainHandler, provider: Provider
) -> None:
    """L5, B8: half is tried; the next turn begins with the same message, and is not refused."""

    def takes(request: Request) -> Script:
        return Script(tokens=2) if len(sent(request)) <= 12 else Script(trouble="context_length")

    provider.script = takes
    reading = Reading(handler, *thread(20))
    assert await reading.end() is None
    assert reading.text == "t0 t1 "
    asked = len(provider.requests)
    assert asked == 3, "39, 19 or so, 9 or so"
    first = sent(provider.requests[-1])[0]
    assert cuts(reading)[-1] == f"id{int(first)}"
    again = Reading(handler, *thread(21))
    assert await again.end() is None
    assert len(provider.requests) == asked + 1
    assert sent(provider.requests[-1])[0] == first


async def test_a_prompt_that_does_not_fit_by_itself(
    handler: LangChainHandler, provider: Provider
) -> None:
    """L5: with what is attached to it, say; told in a sentence, after few tries."""
    provider.script = Script(trouble="context_length")
    error = await Reading(handler, *thread(3)).end()
    assert isinstance(error, StopChatError)
    assert error.code is ErrorCode.CONTEXT_TOO_LONG
    assert "attachments" in error.sentence
    assert sent(provider.requests[-1]) == ["004"]
    assert len(provider.requests) <= 3


async def test_an_agent_is_given_all(kind: str, provider: Provider) -> None:
    """What of its history matters, only its maker knows."""
    provider.script = Script(trouble="context_length")
    handler = LangChainHandler(create_agent(make_model(kind, provider.base_url), []))
    assert isinstance(await Reading(handler, *thread(9)).end(), StopChatError)
    assert len(provider.requests) == 1
    await handler.close()


async def test_a_page_is_told_where_and_the_chat_what_it_cost(
    provider: Provider, kind: str, app: Any, connect: Any, jp_fetch: Any
) -> None:
    """B9: per message and per chat, over a reload."""
    import json

    app.titles = "prompt"
    services = await app.services()
    more: dict[str, Any] = {"profile": {"max_input_tokens": 100}}
    services.models.register("small", lambda name: make_model(kind, provider.base_url, **more))
    page = await connect()
    accepted = await page.ask("x" * 200, model="small:x")
    first = await page.end_of(accepted["message"]["id"])
    assert "sent_from" not in first["usage"]
    assert not first["usage"]["estimated"]
    chat_id = accepted["chat_id"]
    accepted = await page.ask("y" * 200, model="small:x", chat_id=chat_id)
    second = await page.end_of(accepted["message"]["id"])
    assert second["usage"]["sent_from"] == accepted["user_message"]["id"]
    answer = await jp_fetch("api", "stop-chat", "chats", chat_id)
    whole = json.loads(answer.body)
    assert whole["messages"][-1]["usage"] == second["usage"]
    assert whole["usage"] == {
        "input_tokens": first["usage"]["input_tokens"] + second["usage"]["input_tokens"],
        "output_tokens": 10,
        "estimated": False,
    }


@pytest.mark.may_hold_the_loop("OpenAI's client looks at each message")
@pytest.mark.parametrize(("turns", "beside"), [(3, False), (300, True)])
async def test_a_long_history_is_made_ready_beside_the_loop(
    handler: LangChainHandler,
    provider: Provider,
    monkeypatch: pytest.MonkeyPatch,
    turns: int,
    beside: bool,
) -> None:
    """L5, J6: ten thousand messages would keep everybody else waiting for half a second."""
    where: dict[str, set[bool]] = {}

    def watched(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            here = threading.current_thread() is threading.main_thread()
            where.setdefault(name, set()).add(not here)
            return real(*args, **more)

        return call

    for name in ("history", "fitted", "size_of"):
        monkeypatch.setattr(langchain, name, watched(name, getattr(langchain, name)))

    def takes(request: Request) -> Script:
        return Script(tokens=1) if len(sent(request)) <= 3 else Script(trouble="context_length")

    provider.script = takes
    await Reading(handler, *thread(turns)).end()
    assert where == {name: {beside} for name in ("history", "fitted", "size_of")}
