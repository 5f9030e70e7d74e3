"""How soon a stop is settled and its provider's connection closed, in each phase of a reply."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .contenders import Ours, Relay
from .processes import ProviderProcess
from .rows import Row, median

RATE = 50
#: What the provider does in each phase.
PHASES: dict[str, dict[str, Any]] = {
    "50 words a second": {"tokens": 10**9, "rate": RATE},
    "stalled in the middle": {"tokens": 10**9, "rate": RATE, "stall_after": 3},
    "headers held": {"stall": "before_headers"},
    "first token held": {"stall": "after_headers"},
    "full speed": {"tokens": 10**9},
}
#: Streams beside the one that is stopped, and the p99 of a stop among them, in milliseconds.
AMONG = {64: 20.0, 256: 100.0}


async def measure(stops: int, among: list[int]) -> list[Row]:
    """Measure each phase, a stop of ours and one of the relay's in turn."""
    rows = []
    async with ProviderProcess() as provider:
        async with Ours(provider.base_url) as ours, Relay(provider.base_url) as relay:
            for phase, script in PHASES.items():
                await provider.script(**script)
                mine, theirs = [], []
                for _ in range(stops):
                    mine.append(await _stop(ours, provider, script))
                    theirs.append(await _stop(relay, provider, script))
                rows += _rows(phase, mine, theirs)
            await provider.script(tokens=10**9, rate=RATE)
            for count in among:
                took = await _among(ours, count, max(stops, 100))
                worst = sorted(took)[int(len(took) * 0.99)] * 1e3
                name = f"stop among {count} streams, p99"
                half = f"p50 {median(took) * 1e3:.1f} ms"
                rows.append(Row(name, half, "", worst, AMONG[count], "ms"))
                print(rows[-1].markdown(), flush=True)
    return rows


async def _stop(
    contender: Ours | Relay, provider: ProviderProcess, script: dict[str, Any]
) -> tuple[float, float]:
    """Return after how many milliseconds one was settled, and its connection closed."""
    before = len(await provider.requests())
    (key,) = await contender.begin(1)
    if "stall" in script:
        while not (asked := await provider.requests())[before:] or not asked[-1]["stalled"]:
            await asyncio.sleep(0.002)
    else:
        await contender.page.first(key)
        if "stall_after" in script:
            while not (await provider.requests())[-1]["stalled"]:
                await asyncio.sleep(0.002)
        else:
            await asyncio.sleep(0.05)
    began = time.perf_counter()
    settled = await contender.stop(key)
    while (closed := (await provider.requests())[-1]["closed_at"]) is None:
        await asyncio.sleep(0.002)
    return (settled - began) * 1e3, (closed - began) * 1e3


def _rows(
    phase: str, mine: list[tuple[float, float]], theirs: list[tuple[float, float]]
) -> list[Row]:
    rows = []
    for number, (what, most) in enumerate((("settled", 2.5), ("provider closed", 1.5))):
        ours = median([each[number] for each in mine])
        bare = median([each[number] for each in theirs])
        name = f"stop, {phase}: {what}"
        rows.append(Row(name, f"{ours:.2f} ms", f"{bare:.2f} ms, bare relay", ours / bare, most))
        print(rows[-1].markdown(), flush=True)
    return rows


async def _among(ours: Ours, count: int, stops: int) -> list[float]:
    """Return how many seconds stops took among so many streams, one after the other."""
    keys = await ours.begin(count)
    await asyncio.sleep(2)
    took = []
    for number in range(stops):
        key = keys[number % count]
        began = time.perf_counter()
        took.append(await ours.stop(key) - began)
        (keys[number % count],) = await ours.begin(1)
        await asyncio.sleep(0.02)
    await ours.end()
    return took
