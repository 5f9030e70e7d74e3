"""A thousand replies that wait for a provider that holds its headers."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator

from . import clock
from .asked import Asked
from .contenders import LangChain, Ours
from .provider import Provider
from .rows import Row

COUNT = 1000
#: All of them are to have stopped in so many seconds.
STOPPED = 2.0


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    memory: dict[str, list[float]] = {"ours": [], "langchain": []}
    stopped: dict[str, list[float]] = {"ours": [], "langchain": []}
    for _ in range(max(1, asked.rounds // 3)):
        for contender in (Ours, LangChain):
            # A new process each time: what was freed once is not taken again.
            async with Provider() as provider, contender(provider) as each:
                await each.begin("openai:paced-50", 1)
                await each.stop_all()
                before = clock.memory(each.pid)
                mark = await each.begin("openai:headers", COUNT, waits=False)
                await provider.when("stalled", mark, COUNT)
                memory[each.name].append((clock.memory(each.pid) - before) / COUNT)
                stopped[each.name].append(await each.stop_all())
                await provider.when("closed", mark, COUNT)
    ours, langchain = (statistics.median(memory[name]) for name in ("ours", "langchain"))
    yield Row(f"memory of a reply, {COUNT} waiting", "KiB", ours, "langchain", langchain)
    ours, langchain = (statistics.median(stopped[name]) for name in ("ours", "langchain"))
    what = f"all {COUNT} stopped"
    yield Row(what, "s", ours, "langchain", langchain, STOPPED, "alone")
