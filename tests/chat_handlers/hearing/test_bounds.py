"""Bodies that no real model sends: how far they are read, and that all others go on meanwhile."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

import pytest

from jupyter_stop_chat.chat_handlers.hearing import bounds, packing
from jupyter_stop_chat.chat_handlers.hearing.ahead import Ahead
from jupyter_stop_chat.chat_handlers.hearing.faults import ProviderFault
from jupyter_stop_chat.chat_handlers.hearing.packing import Packing
from tests.chat_handlers.hearing.bodies import DONE, STREAM, Body, chunk, client_of

PIECE = b"x" * 65536
#: Far more than is read.
ENDLESS = [PIECE] * 1000
JSON = {"content-type": "application/json"}


def packed(*parts: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*map(packing.compress, parts), packing.flush()])


#: Zeros, and how many.
ZEROS = packed(b"\0" * 24_000_000), 24_000_000


async def read(
    body: Body,
    headers: dict[str, str] = STREAM,
    path: str = "",
    seen: list[bytes] | None = None,
) -> bytes:
    said = [] if seen is None else seen
    async with client_of(body, headers=headers) as client:
        request = client.build_request("POST", f"http://there{path}")
        response = await client.send(request, stream=True)
        try:
            async for each in response.aiter_bytes():
                said.append(each)
        finally:
            await response.aclose()
    return b"".join(said)


class Others:
    """What counts how often others go on while a test works."""

    def __init__(self) -> None:
        self.turns = 0

    async def __aenter__(self) -> Others:
        self._task = asyncio.create_task(self._count())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _count(self) -> None:
        while True:
            self.turns += 1
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("begin", "headers", "path"),
    [
        (chunk("Hello"), STREAM, ""),
        (b'{"message": {"content": "Hello"}, "done": false}\n', STREAM, "/api/chat"),
        (b'{"choices": "', JSON, ""),
    ],
    ids=["an event", "a line", "a whole answer"],
)
async def test_what_has_no_end_is_read_no_further_than_any_that_has_one(
    begin: bytes, headers: dict[str, str], path: str
) -> None:
    """L5, V10: memory is bounded, it is the provider's fault, and its connection is closed."""
    body = Body([begin, *ENDLESS])
    with pytest.raises(ProviderFault, match="too long"):
        await read(body, headers, path)
    assert body.taken < bounds.LONGEST + 4 * len(PIECE)
    assert body.closed
    assert body.over.is_set()


async def test_what_stands_before_an_answer_is_not_kept() -> None:
    """V10: some send blanks until the model has begun."""
    blanks = Body([b" " * 65536] * 200 + [b'{"choices": []}'])
    assert await read(blanks, JSON) == b'{"choices": []}'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'data: {"choices": [' + b"{}," * 300_000 + b"{}]}\n\n", "many parts"),
        (b"data: {}\n" * 30_000 + b"\n", "many lines"),
        (b"data: 1\r" * 30_000 + b"\r", "many lines"),
    ],
)
async def test_an_event_that_would_hold_up_all_others(data: bytes, why: str) -> None:
    """L5, V10: it is not read; what came before it is."""
    seen: list[bytes] = []
    with pytest.raises(ProviderFault, match=why):
        await read(Body([chunk("Hello") + data, DONE]), seen=seen)
    assert seen == [chunk("Hello")]


async def test_json_that_is_too_deep_is_passed_over() -> None:
    """L5: as all that is none."""
    deep = b"data: " + b"[" * 100_000 + b"\n\n"
    assert await read(Body([chunk("a"), deep, chunk("b"), DONE])) == b"".join(
        [chunk("a"), chunk("b"), DONE]
    )


async def test_a_mark_of_the_order_of_bytes_takes_no_word_with_it() -> None:
    """L5: some servers begin with one; it may be cut."""
    said = chunk("Hello") + DONE
    assert await read(Body([b"\xef\xbb\xbf" + said])) == said
    assert await read(Body([b"\xef", b"\xbb", b"\xbf", said])) == said


async def test_a_little_that_is_packed_may_be_much() -> None:
    """V10: it is unpacked a piece at a time, whole, and others go on between."""
    data, zeros = ZEROS
    unpacking, length = Packing(), 0
    piece = unpacking.unpack(data)
    while True:
        assert len(piece) <= packing.MOST
        length += len(piece)
        if not unpacking.has_more:
            break
        piece = unpacking.unpack()
    assert length == zeros
    async with Others() as others:
        with pytest.raises(ProviderFault, match="too long"):
            await read(Body([data]), {**STREAM, "content-encoding": "gzip"})
    assert others.turns >= bounds.LONGEST // packing.MOST


async def test_nothing_is_kept_of_what_stands_behind_a_packed_body() -> None:
    """V10."""
    unpacking = Packing()
    assert unpacking.unpack(packed(b"all") + b"more") == b"all"
    for _ in range(100):
        assert unpacking.unpack(PIECE) == b""
    assert not unpacking.has_more
    assert len(unpacking._unpacking.unused_data) < len(PIECE)


class Small:
    """A body that was cut small, and comes at once."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b"x"


async def test_all_others_go_on_while_small_pieces_come_at_once() -> None:
    """V10."""
    async with Others() as others:
        body = Ahead(Small())
        length = 0
        while (data := await body.take()) is not None:
            length += len(data)
        await body.close()
    assert length == 10_000
    assert others.turns > 10_000 // bounds.PIECES_AT_ONCE


async def test_all_others_go_on_while_events_come_at_once_that_say_nothing() -> None:
    """V10: a client library passes over them without a word."""
    async with Others() as others:
        said = await read(Body([b"data: 1\n\n" * 5000, DONE]))
    assert said == DONE
    assert others.turns > 5000 // bounds.EVENTS_AT_ONCE
