"""The socket, from the outside: a page's frames in, the server's frames out."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_stop_chat.protocol import MAX_FRAME_BYTES
from tests.providers import OpenAIProvider, Script

MODEL = "openai:gpt-loopback"


@pytest.fixture
def provider(app: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model on loopback, in the server's own loop."""
    made = OpenAIProvider()
    jp_asyncio_loop.run_until_complete(made.start())
    app.model_parameters = {"openai": {"base_url": made.base_url, "api_key": "sk-canary"}}
    app.default_model = MODEL
    yield made
    jp_asyncio_loop.run_until_complete(made.stop())


async def test_a_prompt_is_answered_to_its_end(provider: Any, connect: Any) -> None:
    provider.script = Script(tokens=["Once ", "upon ", "a ", "time 🗼."])
    page = await connect()
    accepted = await page.ask("A story")
    message = await page.end_of(accepted["message"]["id"])
    assert message["state"] == "completed"
    assert page.text(message["id"]) == "Once upon a time 🗼."
    assert message["text_length"] == len("Once upon a time 🗼.") + 1
    assert "stop" not in message


async def test_stop_closes_the_provider_and_keeps_what_was_shown(
    provider: Any, connect: Any, app: Any
) -> None:
    """V1, J7, S5: the terminal frame and the provider's close within 10 ms each, by the median."""
    provider.script = Script(tokens=100_000, rate=200)
    page = await connect()
    ends: list[float] = []
    closes: list[float] = []
    for _ in range(21):
        accepted = await page.ask()
        message_id = accepted["message"]["id"]
        await page.until("delta")
        await page.until("delta")
        request = provider.requests[-1]
        began = time.perf_counter()
        sent_before = request.tokens_sent
        await page.send({"type": "stop", "message_id": message_id})
        message = await page.end_of(message_id)
        ends.append(time.perf_counter() - began)
        await asyncio.wait_for(request.closed.wait(), 10)
        closes.append(request.closed_at - began)
        assert message["state"] == "interrupted"
        assert message["stop"]["provider"] == "closed"
        assert request.tokens_sent - sent_before <= 2
        result = await page.until("stop_result")
        assert result["results"][0]["outcome"] == "interrupted"
        kept = page.text(message_id)
        assert _units(kept) == message["text_length"]
    # The first one pays for imports.
    print(
        "end ms",
        statistics.median(ends[1:]) * 1000,
        "close ms",
        statistics.median(closes[1:]) * 1000,
    )
    assert statistics.median(ends[1:]) <= 0.010
    assert statistics.median(closes[1:]) <= 0.010
    await provider.no_connections()
    services = await app.services()
    assert services.engine.registry.empty


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
