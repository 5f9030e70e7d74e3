"""What a word costs: processor time a word, paced and at full speed, for some streams at once."""

from __future__ import annotations

import asyncio

from .contenders import Contender, LangChainAlone, Ours, Relay
from .processes import ProviderProcess
from .rows import Row, median

#: Words a second of each stream.
RATE = 50
#: How long streams run before it counts, in seconds.
WARM = 1.5
#: How many times as much processor time as LangChain alone, by the number of streams.
MOST = {1: 1.5, 8: 1.5, 64: 1.4}


async def _microseconds(
    contender: Contender, streams: int, seconds: float, rate: float | None = None
) -> float:
    """Return the processor time a word."""
    await contender.begin(streams, rate)
    await asyncio.sleep(WARM)
    words, spent = await contender.words(), contender.processor()
    await asyncio.sleep(seconds)
    words, spent = await contender.words() - words, contender.processor() - spent
    await contender.end()
    return spent / max(words, 1) * 1e6


async def _warm(contender: Contender) -> None:
    """Have a contender import what it needs at its first use, and whatever it does after it."""
    await contender.begin(1)
    while await contender.words() < RATE:
        await asyncio.sleep(0.1)
    await contender.end()
    before = -1.0
    while contender.processor() - before > 0.01:
        before = contender.processor()
        await asyncio.sleep(1)


async def measure(streams: list[int], seconds: float, rounds: int) -> list[Row]:
    """Measure, one contender after the other, round after round."""
    rows = []
    async with ProviderProcess() as provider:
        url = provider.base_url
        async with Ours(url) as ours, LangChainAlone(url) as langchain, Relay(url) as relay:
            await provider.script(tokens=10**9, rate=RATE)
            for contender in (ours, langchain, relay):
                await _warm(contender)
            for paced in (True, False):
                await provider.script(tokens=10**9, rate=RATE if paced else None)
                for count in streams:
                    found = await _alternate((ours, langchain), count, seconds, rounds)
                    name = f"{RATE} a second" if paced else "full speed"
                    most = MOST.get(count, 1.5) if paced else 1.0
                    rows.append(_row(f"processor a word, {name}, {count} streams", found, most))
                    print(rows[-1].markdown(), flush=True)
            for count in streams:
                found = await _alternate((ours, relay), count, seconds, rounds, RATE)
                name = f"processor a word, a handler that costs nothing, {count} streams"
                rows.append(_row(name, found, 1.5, "bare relay"))
                print(rows[-1].markdown(), flush=True)
    return rows


async def _alternate(
    both: tuple[Contender, Contender],
    count: int,
    seconds: float,
    rounds: int,
    rate: float | None = None,
) -> tuple[float, float]:
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for contender, kept in zip(both, found, strict=True):
            kept.append(await _microseconds(contender, count, seconds, rate))
    return median(found[0]), median(found[1])


def _row(
    name: str, found: tuple[float, float], most: float, baseline: str = "LangChain alone"
) -> Row:
    ours, theirs = found
    return Row(name, f"{ours:.0f} µs", f"{theirs:.0f} µs, {baseline}", ours / theirs, most)
