"""Replies that are stopped and asked for while many others are made."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from .client import Stream
from .contenders import Served, new_mark
from .provider import Provider

#: Seconds between a reply's first word and the next stop.
PAUSE = 0.03
#: A server that has more to do than it can is not stopped as often as that, in seconds.
PATIENCE = 40.0


@dataclass
class Took:
    """What was measured, in milliseconds.

    :ivar stops: from a stop's frame to the last frame of the reply.
    :ivar firsts: from the provider's first word to the client's.
    """

    stops: list[float] = field(default_factory=list)
    firsts: list[float] = field(default_factory=list)


async def under_load(
    contender: Served, model: str, streams: int, count: int, provider: Provider | None = None
) -> Took:
    """Stop one of the replies and ask for another in its place, again and again.

    :param streams: how many replies are made at once.
    :param count: how many are stopped, unless that takes too long.
    :param provider: what makes them, if it is to be asked when the first word was.
    """
    chance = random.Random(20_263)
    mark = await contender.begin(model, streams)
    running = [each for each in contender.socket.streams.values() if each.mark.startswith(mark)]
    took = Took()
    end = time.monotonic() + PATIENCE
    while len(took.stops) < count and time.monotonic() < end:
        await asyncio.sleep(PAUSE)
        at = chance.randrange(len(running))
        began, ended = await contender.socket.stop(running[at])
        took.stops.append((ended - began) * 1e3)
        running[at] = await first_word(contender, model)
        if provider is not None:
            took.firsts.append(await first_took(provider, running[at]))
    await contender.stop_all()
    return took


async def first_word(contender: Served, model: str) -> Stream:
    """Ask for a reply, and wait until its first word is here."""
    stream = await contender.socket.ask(model, new_mark(contender.name))
    await contender.socket.wait(stream.so_many(1))
    return stream


async def first_took(provider: Provider, stream: Stream) -> float:
    """Return the milliseconds from the provider's first word to the client's."""
    return (stream.first_at - await provider.when("first", stream.mark)) * 1e3
