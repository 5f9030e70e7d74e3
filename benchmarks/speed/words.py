"""The processor time of a word: beside LangChain alone, and beside a bare relay."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator

from .asked import Asked
from .contenders import Contender, LangChain, Ours, Relay, processor_a_word
from .provider import Provider
from .rows import Row

RATE = 50
#: So much of LangChain's own time is wanted at most; more streams have the last one's.
PACED = {1: 1.5, 8: 1.5, 64: 1.4}


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    async with Provider() as provider:
        async with Ours(provider) as ours, LangChain(provider) as langchain:
            for streams in asked.streams:
                yield await _row(
                    f"processor a word, {streams} × {RATE}/s",
                    (f"openai:paced-{RATE}", streams, PACED.get(streams, 1.4)),
                    (ours, langchain),
                    asked,
                )
            for streams in asked.streams:
                yield await _row(
                    f"processor a word, {streams} at full speed",
                    ("openai:full", streams, 1.0),
                    (ours, langchain),
                    asked,
                )
        async with Ours(provider) as ours, Relay(provider) as relay:
            for streams in asked.streams:
                yield await _row(
                    f"processor a word, {streams} × {RATE}/s, a handler that costs nothing",
                    (f"paced:{RATE}", streams, 1.5),
                    (ours, relay),
                    asked,
                )


async def _row(
    what: str,
    load: tuple[str, int, float],
    contenders: tuple[Contender, Contender],
    asked: Asked,
) -> Row:
    model, streams, target = load
    took: dict[str, list[float]] = {each.name: [] for each in contenders}
    for _ in range(max(3, asked.rounds // 2)):
        for each in contenders:
            took[each.name].append(await processor_a_word(each, model, streams, asked.seconds))
    ours, baseline = (statistics.median(took[each.name]) for each in contenders)
    return Row(what, "µs", ours, contenders[1].name, baseline, target)
