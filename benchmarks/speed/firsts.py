"""How long the first word of a reply takes from the provider to the client."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator

from serving import percentile

from .asked import Asked
from .contenders import Ours, Relay
from .load import first_took, first_word, under_load
from .provider import Provider
from .rows import Row

RATE, STREAMS = 50, 64
MODEL = f"openai:paced-{RATE}"
MEDIAN, P99, STOP_P99 = 5.0, 15.0, 20.0


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    async with Provider() as provider, Ours(provider) as ours, Relay(provider) as relay:
        found: dict[str, list[float]] = {"ours": [], "relay": []}
        for number in range(3 * asked.rounds + 1):
            for each in (ours, relay):
                stream = await first_word(each, MODEL)
                took = await first_took(provider, stream)
                await each.socket.stop(stream)
                if number:  # the first imports what it needs
                    found[each.name].append(took)
        medians = {name: statistics.median(each) for name, each in found.items()}
        what = "provider's first word → client"
        yield Row(what, "ms", medians["ours"], "relay", medians["relay"], MEDIAN, "more")

    async with Provider() as provider, Ours(provider) as ours, Relay(provider) as relay:
        loaded = {
            each.name: await under_load(each, MODEL, STREAMS, 30 * asked.rounds, provider)
            for each in (ours, relay)
        }
        load = f"under {STREAMS} × {RATE}/s of the provider"
        p99 = {name: percentile(each.firsts, 0.99) for name, each in loaded.items()}
        yield Row(
            f"{what}, p99 of {len(loaded['ours'].stops)} {load}",
            "ms",
            p99["ours"],
            "relay",
            p99["relay"],
            P99,
            "more",
        )
        p99 = {name: percentile(each.stops, 0.99) for name, each in loaded.items()}
        what = f"stop → last frame, p99 of {len(loaded['ours'].stops)} {load}"
        yield Row(what, "ms", p99["ours"], "relay", p99["relay"], STOP_P99, "alone")
