"""How soon a stop is answered on the socket, and how soon its provider is let go of."""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

from jupyter_stop_chat.wire.utf16 import utf16_length
from tests.aids.bare import bare
from tests.providers import Script
from tests.server.conftest import provider

__all__ = ["provider"]


async def test_stop_closes_the_provider_and_keeps_what_was_shown(
    provider: Any, connect: Any, app: Any, tmp_path: Path
) -> None:
    """V1, J7, S5: the terminal frame and the provider's close within 10 ms each, by the median.

    On a machine that is busy with other things: within ten times what the bare steps take.
    """
    provider.script = Script(tokens=100_000, rate=50)
    page = await connect()
    ends: list[float] = []
    closes: list[float] = []
    late: list[int] = []
    async with bare(tmp_path) as steps:
        for _ in range(21):
            await steps.measure()
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
            late.append(request.tokens_sent - sent_before)
            result = await page.until("stop_result")
            assert result["results"][0]["outcome"] == "interrupted"
            kept = page.text(message_id)
            assert utf16_length(kept) == message["text_length"]
    assert statistics.median(late) <= 2
    # The first one pays for imports.
    print(
        f"terminal frame after {statistics.median(ends[1:]) * 1000:.1f} ms, provider's close "
        f"after {statistics.median(closes[1:]) * 1000:.1f} ms: medians of 20"
    )
    soon = steps.soon(10) / 1000
    assert statistics.median(ends[1:]) <= soon
    assert statistics.median(closes[1:]) <= soon
    await provider.no_connections()
    services = await app.services()
    assert services.engine.registry.empty
