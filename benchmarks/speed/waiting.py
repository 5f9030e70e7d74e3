"""What a thousand replies cost that wait for slow providers, and how soon all are stopped."""

from __future__ import annotations

import asyncio
import time

from .contenders import LangChainAlone, Ours
from .processes import ProviderProcess
from .rows import Row

COUNT = 1000


async def measure() -> list[Row]:
    """Measure the memory of each over LangChain's own, and the stop of all."""
    found = []
    stopped = 0.0
    async with ProviderProcess() as provider:
        await provider.script(stall="before_headers")
        for each in (Ours, LangChainAlone):
            async with each(provider.base_url) as contender:
                before = len(await provider.requests())
                await contender.begin(10)
                while len(await provider.requests()) < before + 10:
                    await asyncio.sleep(0.05)
                memory = _bytes(contender)
                await contender.begin(COUNT)
                while len(await provider.requests()) < before + 10 + COUNT:
                    await asyncio.sleep(0.1)
                found.append((_bytes(contender) - memory) / COUNT / 1024)
                began = time.perf_counter()
                await contender.end()
                if isinstance(contender, Ours):
                    stopped = time.perf_counter() - began
    ours, theirs = found
    rows = [
        Row(
            f"memory of each of {COUNT} replies that wait",
            f"{ours:.0f} kB",
            f"{theirs:.0f} kB, LangChain alone",
            ours - theirs,
            100.0,
            "kB more",
        ),
        Row(f"all {COUNT} stopped", "", "", stopped, 2.0, "s"),
    ]
    for row in rows:
        print(row.markdown(), flush=True)
    return rows


def _bytes(contender: Ours | LangChainAlone) -> float:
    return contender.memory() * (2**20 if isinstance(contender, Ours) else 1)
