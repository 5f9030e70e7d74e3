"""How long a stop takes, in each phase of a reply and while many others are made."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator

from serving import percentile

from .asked import Asked
from .contenders import Ours, Relay, Served, new_mark
from .load import under_load
from .provider import Provider
from .rows import Row

#: The phase, the provider's plan, and how many words are waited for; 0: until it stalls.
PHASES = [
    ("50 words a second", "paced-50", 3),
    ("stalled in the middle", "middle", 5),
    ("headers held", "headers", 0),
    ("first word held", "first", 0),
    ("full speed", "full", 1),
]
SETTLED, CLOSED = 2.5, 1.5
#: How many replies are made at once, and what p99 is wanted at most, in milliseconds.
LOADS = {64: 20.0, 256: 100.0}
RATE = 50


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    async with Provider() as provider:
        for phase, plan, words in PHASES:
            async with Ours(provider) as ours, Relay(provider) as relay:
                async for row in _phase(phase, (plan, words), (ours, relay), provider, asked):
                    yield row
        for streams, target in LOADS.items():
            async with Ours(provider) as ours, Relay(provider) as relay:
                took = {
                    each.name: await under_load(each, f"paced:{RATE}", streams, 30 * asked.rounds)
                    for each in (ours, relay)
                }
            p99 = {name: percentile(each.stops, 0.99) for name, each in took.items()}
            what = (
                f"stop → last frame, p99 of {len(took['ours'].stops)} under {streams} × {RATE}/s"
            )
            yield Row(what, "ms", p99["ours"], "relay", p99["relay"], target, "alone")


async def _phase(
    phase: str,
    plan: tuple[str, int],
    contenders: tuple[Served, Served],
    provider: Provider,
    asked: Asked,
) -> AsyncIterator[Row]:
    settled: dict[str, list[float]] = {each.name: [] for each in contenders}
    closed: dict[str, list[float]] = {each.name: [] for each in contenders}
    for number in range(3 * asked.rounds + 1):
        for each in contenders:
            took = await _stop(each, *plan, provider)
            if number:  # the first imports what it needs
                settled[each.name].append(took[0])
                closed[each.name].append(took[1])
    for what, found, target in (
        ("last frame", settled, SETTLED),
        ("provider's close", closed, CLOSED),
    ):
        ours, relay = (statistics.median(found[each.name]) for each in contenders)
        yield Row(f"stop → {what}, {phase}", "ms", ours, "relay", relay, target)


async def _stop(
    contender: Served, plan: str, words: int, provider: Provider
) -> tuple[float, float]:
    """Stop one reply; return the milliseconds to the last frame, and to the provider's close."""
    stream = await contender.socket.ask(f"openai:{plan}", new_mark(contender.name))
    if words:
        await contender.socket.wait(stream.so_many(words))
    else:
        await provider.when("stalled", stream.mark)
    began, ended = await contender.socket.stop(stream)
    closed = await provider.when("closed", stream.mark)
    return (ended - began) * 1e3, (closed - began) * 1e3
