"""Stopping replies of real client libraries, over real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import psutil
import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.ports.handler import Text
from tests.providers import NeverAccepts, Provider, Script
from tests.providers.chat_models import make_model
from tests.providers.reading import LONG, Reading, soon


def client_sockets(port: int) -> int:
    """Count the sockets of this process that are connected to a provider."""
    return sum(
        1
        for each in psutil.Process().net_connections("tcp")
        if each.raddr and each.raddr.port == port and each.status == psutil.CONN_ESTABLISHED
    )


async def assert_closed(reading: Reading, provider: Provider) -> None:
    """Assert that the receipt will be right: closed was said, and closed it is."""
    assert reading.reports == ["started", "closed"]
    assert reading.open_at_report == 0
    # The event loop closes a transport's socket in its next turns.
    for _ in range(3):
        await asyncio.sleep(0)
    assert client_sockets(provider.port) == 0
    request = provider.requests[-1]
    await soon(request.closed)
    assert not request.completed
    await asyncio.wait_for(provider.no_connections(), LONG)


STALLS: dict[str, dict[str, Any]] = {
    "before_headers": {"stall": "before_headers"},
    "headers_only": {"stall": "after_headers"},
    "stalled": {"stall_after": 3},
}


@pytest.mark.parametrize("phase", STALLS)
async def test_stop_closes_the_provider_while_the_model_is_awaited(
    phase: str, handler: LangChainHandler, provider: Provider
) -> None:
    """V1, V8, J7, B2: in each phase, the socket closes, and is reported closed."""
    provider.script = Script(tokens=10**9, **STALLS[phase])
    reading = Reading(handler)
    request = await asyncio.wait_for(provider.next_request(), LONG)
    await soon(request.stalled)
    if phase == "stalled":
        await soon(reading.first_text)
    assert await reading.stop() == "cancelled"
    await assert_closed(reading, provider)
    assert request.tokens_sent == (3 if phase == "stalled" else 0)


async def test_stop_closes_the_provider_while_tokens_flow(
    handler: LangChainHandler, provider: Provider
) -> None:
    """V1, V8: an endless reply at full speed ends, and not one token is made after that."""
    provider.script = Script(tokens=10**9)
    reading = Reading(handler, count_open=lambda: len(_pool(handler).connections))
    await soon(reading.first_text)
    assert await reading.stop() == "cancelled"
    await assert_closed(reading, provider)
    sent = provider.tokens_sent
    for _ in range(20):
        await asyncio.sleep(0)
    assert provider.tokens_sent == sent


@pytest.mark.parametrize("stalls", [True, False], ids=["stalled", "flowing"])
async def test_stop_closes_the_provider_while_the_reader_is_busy_elsewhere(
    stalls: bool, handler: LangChainHandler, provider: Provider
) -> None:
    """V1, B2: the cancel lands outside of the generator, which is then closed layer by layer."""
    provider.script = Script(tokens=10**9, stall_after=3 if stalls else None)
    reading = Reading(handler, busy=True, count_open=lambda: len(_pool(handler).connections))
    await soon(reading.first_text)
    assert await reading.stop() == "cancelled"
    await assert_closed(reading, provider)


async def test_stop_while_connecting(kind: str) -> None:
    """V8, B1: a provider that never takes the connection."""
    with NeverAccepts() as silent:
        handler = LangChainHandler(make_model(kind, f"{silent.origin}/v1"))
        reading = Reading(handler)
        await soon(reading.started)
        for _ in range(50):  # far enough into the connect
            await asyncio.sleep(0)
        assert await reading.stop() == "cancelled"
        assert reading.reports == ["started", "closed"]
        await handler.close()


async def test_the_flag_alone_ends_a_reply(handler: LangChainHandler, provider: Provider) -> None:
    """V2, S4: no cancel at all; the flag is seen at the next chunk."""
    script = Script(tokens=10**9, stall_after=3)
    provider.script = script
    reading = Reading(handler)
    await soon(reading.first_text)
    before = len(reading.events)
    reading.stopped = True
    script.stall_after = None
    script.resume.set()
    assert await reading.end() is None
    await assert_closed(reading, provider)
    assert len(reading.events) <= before + 3


async def test_a_cancel_that_arrives_with_a_chunk_is_not_lost(
    handler: LangChainHandler, provider: Provider
) -> None:
    """B1: `asyncio.wait_for` of Python 3.11 swallows such a cancel, and the model then stalls.

    The cancel is sent in the very step in which the provider has sent its last token, so that both
    reach the client library together.
    """
    for number in range(1, 25):  # each of the ways to stall and to stop, with each other
        provider.script = Script(tokens=10**9, stall_after=number % 3)
        reading = Reading(handler)
        request = await asyncio.wait_for(provider.next_request(number), LONG)
        await soon(request.stalled)
        for _ in range(number % 8):
            await asyncio.sleep(0)
        # Without the flag as well: who cancels may be somebody else.
        assert await reading.stop(flag=number % 2 == 0) == "cancelled"
    await asyncio.wait_for(provider.no_connections(), LONG)


@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.stress)])
async def test_cancels_at_every_step_lose_no_place_in_the_pool(
    handler: LangChainHandler, provider: Provider, rounds: int
) -> None:
    """V7, B1: after many cancels at all steps of a request, none is left, and the next goes."""
    provider.script = Script(tokens=3)
    for number in [*range(50)] * rounds:
        reading = Reading(handler)
        for _ in range(number):
            await asyncio.sleep(0)
        await reading.stop()
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.text == "t0 t1 t2 "
    # OpenAI's client before 3.49 or so keeps none for the next request.
    assert client_sockets(provider.port) == len(_pool(handler).connections) <= 1


async def test_a_cancel_beside_another_reply_leaves_that_one_alone(
    handler: LangChainHandler, provider: Provider
) -> None:
    """J4: connections are shared; stopping one reply takes none from another."""
    provider.script = Script(tokens=3, stall_after=1)
    other = Reading(handler)
    await soon(other.first_text)
    for number in range(40):
        reading = Reading(handler)
        for _ in range(number):
            await asyncio.sleep(0)
        assert await reading.stop() == "cancelled"
    provider.script.resume.set()
    assert await other.end() is None
    assert other.text == "t0 t1 t2 "
    await handler.close()
    assert client_sockets(provider.port) == 0


def _pool(handler: LangChainHandler) -> Any:
    model = handler._model
    client = getattr(model, "root_async_client", None) or model._async_client
    return client._client._transport._pool


async def test_a_reply_to_its_end(handler: LangChainHandler, provider: Provider) -> None:
    """B9: text, then the usage that the provider counted, once."""
    provider.script = Script(tokens=["Good ", "day", "."])
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.text == "Good day."
    assert [(use.input_tokens, use.output_tokens) for use in reading.usage] == [(7, 3)]
    assert isinstance(reading.events[0], Text)
    assert reading.reports == ["started", "closed"]


async def test_reasoning(kind: str, handler: LangChainHandler, provider: Provider) -> None:
    """V8, T7: what the model thinks is told apart from its text, whoever serves it."""
    provider.script = Script(tokens=["42"], reasoning=["Six ", "times seven."])
    reading = Reading(handler)
    assert await reading.end() is None
    assert reading.text == "42"
    assert reading.reasoning == "Six times seven."


async def test_a_stop_in_the_middle_of_reasoning(kind: str, provider: Provider) -> None:
    """V8, T7."""
    handler = LangChainHandler(make_model(kind, provider.base_url))
    provider.script = Script(tokens=5, reasoning=["Hm. "], stall_after=0)
    reading = Reading(handler)
    request = await asyncio.wait_for(provider.next_request(), LONG)
    await soon(request.stalled)
    await soon(reading.first_thought)
    assert await reading.stop() == "cancelled"
    assert reading.text == ""
    await assert_closed(reading, provider)
    await handler.close()


async def test_an_ended_reply_can_be_followed_by_another(
    handler: LangChainHandler, provider: Provider
) -> None:
    """J5: stop, and ask again at once."""
    provider.script = Script(tokens=10**9, stall_after=2)
    first = Reading(handler)
    await soon(first.first_text)
    provider.script = Script(tokens=["again"])
    first.stopped = True
    first.task.cancel()
    second = Reading(handler)
    assert await second.end() is None
    assert second.text == "again"
    assert await first.end() == "cancelled"
    await soon(provider.requests[0].closed)
