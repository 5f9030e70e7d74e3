"""How soon a provider's first token is a page's first text, and another request is answered."""

from __future__ import annotations

import asyncio
import time

from tornado.httpclient import AsyncHTTPClient

from .contenders import Ours, Relay
from .processes import ProviderProcess
from .rows import Row, median

RATE = 50
#: Streams beside the ones that are measured.
AMONG = 64


async def first_texts(count: int) -> list[Row]:
    """Measure the first text of one reply, alone and among others."""
    rows = []
    async with ProviderProcess() as provider:
        async with Ours(provider.base_url) as ours, Relay(provider.base_url) as relay:
            await provider.script(tokens=10**9, rate=RATE)
            mine, theirs = [], []
            for _ in range(count):
                mine.append(await _first(ours, provider))
                theirs.append(await _first(relay, provider))
            rows.append(_over("first text, alone, median", median(mine), median(theirs), 5.0))
            print(rows[-1].markdown(), flush=True)
            found = []
            for contender in (ours, relay):
                await contender.begin(AMONG)
                await asyncio.sleep(2)
                took = sorted([await _first(contender, provider) for _ in range(max(count, 50))])
                found.append(took[int(len(took) * 0.99)])
                await contender.end()
            rows.append(_over(f"first text among {AMONG} streams, p99", *found, 15.0))
            print(rows[-1].markdown(), flush=True)
    return rows


async def _first(contender: Ours | Relay, provider: ProviderProcess) -> float:
    """Return how many milliseconds after its provider's first token a reply had text."""
    await provider.script(stall="after_headers", tokens=10**9, rate=RATE)
    before = len(await provider.requests())
    (key,) = await contender.begin(1)
    while not (asked := await provider.requests())[before:] or not asked[-1]["stalled"]:
        await asyncio.sleep(0.002)
    began = time.perf_counter()
    await provider.resume()
    came = await contender.page.first(key)
    await contender.stop(key)
    return (came - began) * 1e3


def _over(name: str, ours: float, bare: float, most: float) -> Row:
    return Row(name, f"{ours:.1f} ms", f"{bare:.1f} ms, bare relay", ours - bare, most, "ms more")


async def other_requests(seconds: float) -> list[Row]:
    """Measure another request to the server while many streams run at full speed."""
    rows = []
    async with ProviderProcess() as provider:
        await provider.script(tokens=10**9)
        found = []
        for each in (Ours, Relay):
            async with each(provider.base_url) as contender:
                await contender.begin(AMONG)
                await asyncio.sleep(2)
                took, began = [], time.perf_counter()
                while time.perf_counter() - began < seconds:
                    asked = time.perf_counter()
                    await AsyncHTTPClient().fetch(contender.status)
                    took.append((time.perf_counter() - asked) * 1e3)
                    await asyncio.sleep(0.02)
                found.append(took)
                await contender.end()
        ours, bare = found
        for what, measure, most in (("median", median, 20.0), ("longest", max, 100.0)):
            name = f"another request under {AMONG} streams at full speed, {what}"
            base = f"{measure(bare):.1f} ms, bare relay"
            rows.append(Row(name, f"{len(ours)} asked", base, measure(ours), most, "ms"))
            print(rows[-1].markdown(), flush=True)
    return rows
