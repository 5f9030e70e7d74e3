"""The bytes on the socket, and what a word costs at the end of a long text."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import AsyncIterator

from . import clock
from .asked import Asked
from .contenders import Ours, Relay, Served
from .provider import Provider
from .rows import Row

MERGED, GROWN = 1.1, 1.2
#: Kilobytes of text that are there already, and words a second that come behind.
SHORT, LONG, RATE = 10, 1000, 200


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    async with Provider() as provider, Ours(provider) as ours, Relay(provider) as relay:
        for streams in asked.streams[:2]:
            found: dict[str, list[float]] = {"ours": [], "relay": []}
            for _ in range(max(1, asked.rounds // 2)):
                for each in (ours, relay):
                    found[each.name].append(await _bytes(each, streams, asked.seconds))
            mine, its = (statistics.median(found[name]) for name in ("ours", "relay"))
            what = f"bytes on the socket a byte of text, {streams} at full speed"
            yield Row(what, "", mine, "relay", its, MERGED, "alone")
        long, short = [], []
        for _ in range(max(3, asked.rounds // 2)):
            short.append(await _at_length(ours, SHORT, asked.seconds))
            long.append(await _at_length(ours, LONG, asked.seconds))
        what = f"processor a word behind {LONG} kB of text"
        behind = f"behind {SHORT} kB"
        yield Row(what, "µs", statistics.median(long), behind, statistics.median(short), GROWN)


async def _bytes(contender: Served, streams: int, seconds: float) -> float:
    await contender.begin("openai:full", streams)
    socket = contender.socket
    received, text = socket.received, socket.text
    await asyncio.sleep(seconds)
    received, text = socket.received - received, socket.text - text
    await contender.stop_all()
    return received / text


async def _at_length(ours: Ours, kilobytes: int, seconds: float) -> float:
    stream = await ours.socket.ask(f"grown:{kilobytes},{RATE}", "Go")
    await ours.socket.wait(stream.so_many(RATE))  # the long text is here, and settled down
    words, used = stream.words, clock.processor(ours.pid)
    await asyncio.sleep(seconds)
    words, used = stream.words - words, clock.processor(ours.pid) - used
    await ours.socket.stop(stream)
    return used / words * 1e6
