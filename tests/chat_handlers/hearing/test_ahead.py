"""A body that is read ahead: how far, what is told, and that nothing of it is left."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.chat_handlers.hearing import ahead
from jupyter_stop_chat.chat_handlers.hearing.ahead import Ahead
from tests.chat_handlers.hearing.bodies import Body


async def settled() -> None:
    """Let whoever can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_came_meanwhile_is_taken_as_one() -> None:
    wait = asyncio.Event()
    body = Ahead(Body([b"one ", b"two ", wait, b"three"]))
    assert await body.take() == b"one two "
    wait.set()
    assert await body.take() == b"three"
    assert await body.take() is None
    assert await body.take() is None
    await body.close()


async def test_only_so_much_is_read_ahead() -> None:
    """V10: a provider that is faster than its reader waits, and memory is bounded."""
    piece = b"x" * 1024
    source = Body([piece] * 1000)
    body = Ahead(source)
    await settled()
    assert source.taken == ahead.MOST
    took = 0
    while (data := await body.take()) is not None:
        assert len(data) <= ahead.MOST
        took += len(data)
    assert took == len(piece) * 1000
    await body.close()


async def test_a_piece_larger_than_that_comes_whole() -> None:
    large = b"x" * (3 * ahead.MOST)
    body = Ahead(Body([large, b"y"]))
    assert [await body.take() for _ in range(3)] == [large, b"y", None]
    await body.close()


async def test_what_came_before_an_error_comes_before_it() -> None:
    """T4."""
    body = Ahead(Body([b"so ", b"far", OSError("gone")]))
    await settled()
    assert await body.take() == b"so far"
    with pytest.raises(OSError, match="gone"):
        await body.take()
    await body.close()


async def test_an_error_comes_to_who_waits() -> None:
    wait = asyncio.Event()
    body = Ahead(Body([wait, OSError("gone")]))
    taking = asyncio.create_task(body.take())
    await settled()
    wait.set()
    with pytest.raises(OSError, match="gone"):
        await taking
    await body.close()


@pytest.mark.parametrize("where", ["before it began", "waiting for more", "waiting for room"])
async def test_a_close_leaves_no_task(where: str) -> None:
    """V1, V10."""
    pieces = [asyncio.Event()] if where == "waiting for more" else [b"x" * 1024] * 1000
    source = Body(pieces)
    others = asyncio.all_tasks()
    body = Ahead(source)
    if where != "before it began":
        await settled()
    await body.close()
    assert asyncio.all_tasks() == others
    assert source.over.is_set() == (where != "before it began")
    await body.close()


async def test_a_take_that_is_given_up_takes_nothing() -> None:
    wait = asyncio.Event()
    body = Ahead(Body([wait, b"late"]))
    taking = asyncio.create_task(body.take())
    await settled()
    taking.cancel()
    await asyncio.wait({taking})
    wait.set()
    assert await body.take() == b"late"
    await body.close()


class Rude:
    """A body whose end goes wrong, as it is closed.

    :param breaks: it broke before.
    """

    def __init__(self, *, breaks: bool) -> None:
        self._pieces = [b"all"]
        self._breaks = breaks
        self.tried = asyncio.Event()

    def __aiter__(self) -> Rude:
        return self

    async def __anext__(self) -> bytes:
        if self._pieces:
            return self._pieces.pop()
        if self._breaks:
            raise OSError("gone")
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.tried.set()
        raise RuntimeError("cannot be closed")


@pytest.mark.parametrize("breaks", [True, False])
async def test_a_body_that_cannot_be_closed_is_nobody_s_concern(breaks: bool) -> None:
    """B1: a task whose exception nobody asks for would be told in the log."""
    body = Ahead(Rude(breaks=breaks))
    assert await body.take() == b"all"
    if breaks:
        with pytest.raises(OSError, match="gone"):
            await body.take()
    else:
        assert await body.take() is None
    await body.close()
    assert body._task.exception() is None


async def test_a_body_that_cannot_be_closed_at_all_is_read() -> None:

    class Bare:
        pieces = (b"all",)

        def __aiter__(self) -> Bare:
            return self

        async def __anext__(self) -> bytes:
            for piece in self.pieces:
                self.pieces = ()
                return piece
            raise StopAsyncIteration

    body = Ahead(Bare())
    assert await body.take() == b"all"
    assert await body.take() is None
    await body.close()
    assert body._task.exception() is None
