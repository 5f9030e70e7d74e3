"""What another request to the server waits for while many replies come at full speed."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from .asked import Asked
from .contenders import Ours, Relay, Served
from .provider import Provider
from .rows import Row

MEDIAN, MOST = 20.0, 100.0
#: So many requests are made at least, however long they take.
LEAST = 5


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    streams = max(asked.streams)
    async with Provider() as provider, Ours(provider) as ours, Relay(provider) as relay:
        found: dict[str, list[float]] = {"ours": [], "relay": []}
        for _ in range(max(1, asked.rounds // 3)):
            for each in (ours, relay):
                await each.begin("openai:full", streams)
                found[each.name] += await _requests(each, asked.seconds)
                await each.stop_all()
    what = f"GET /api/status under {streams} at full speed"
    medians = {name: statistics.median(each) for name, each in found.items()}
    yield Row(what, "ms", medians["ours"], "relay", medians["relay"], MEDIAN, "alone")
    most = {name: max(each) for name, each in found.items()}
    yield Row(f"the longest such, of {len(found['ours'])}", "ms", most["ours"], "relay",
              most["relay"], MOST, "alone")  # fmt: skip


async def _requests(contender: Served, seconds: float) -> list[float]:
    """Make one request after the other; return the milliseconds that each took."""
    http = AsyncHTTPClient(force_instance=True)
    request = HTTPRequest(
        f"http://127.0.0.1:{contender.port}/api/status", headers=contender.headers
    )
    took = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(took) < LEAST:
        began = time.monotonic()
        await http.fetch(request)
        took.append((time.monotonic() - began) * 1e3)
    http.close()
    return took
