"""The bound of the tests: what still waits is ended where it waits, and told."""

from __future__ import annotations

import asyncio
import traceback

import pytest

from tests.aids.watching.bounded import bounded


async def _beside() -> None:
    await asyncio.Event().wait()


async def test_a_test_that_waits_for_ever_fails_where_it_waits() -> None:
    async def waits_for_what_never_comes() -> None:
        await asyncio.Event().wait()

    beside = asyncio.create_task(_beside(), name="beside")
    with pytest.raises(TimeoutError) as failed:
        await bounded(waits_for_what_never_comes, 0.01)()
    beside.cancel()
    told = "".join(traceback.format_exception(failed.value))
    assert "in waits_for_what_never_comes" in told
    assert "still waited after 0.01 s" in told
    assert "beside: <coroutine object _beside" in told


async def test_a_test_that_ends_is_left_alone() -> None:
    ended = []

    async def ends(name: str) -> None:
        ended.append(name)

    await bounded(ends, 10)(name="a")
    assert ended == ["a"]
    with pytest.raises(TimeoutError) as failed:
        await bounded(_times_out, 10)()
    assert not hasattr(failed.value, "__notes__"), "that is its own"


async def _times_out() -> None:
    raise TimeoutError
