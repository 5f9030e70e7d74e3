"""The watchdog of the tests: what it notices, and what is nobody's fault."""

from __future__ import annotations

import asyncio
import gc
import time

import pytest

from tests.aids.watching.watchdog import Watchdog


def compute(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


async def in_slices() -> None:
    for _ in range(10):
        compute(0.01)
        await asyncio.sleep(0)


async def at_a_stretch() -> None:
    await asyncio.sleep(0)
    compute(0.04)
    await asyncio.sleep(0)


async def _collecting() -> None:
    class Heavy:
        def __del__(self) -> None:
            compute(0.04)

    ring: list[object] = [Heavy()]
    ring.append(ring)
    del ring
    gc.collect()


async def _waiting() -> None:
    time.sleep(0.06)  # noqa: ASYNC251 - what blocks is for another to notice


def _watch(*works: object) -> list[str]:
    watchdog = Watchdog(0.03, slowest=1.0)
    with watchdog.watching():
        for work in works:
            asyncio.run(work)  # type: ignore[arg-type]
    return watchdog.take()


def test_a_callback_that_computes_for_long_is_named() -> None:
    (held,) = _watch(at_a_stretch())
    assert " ms: at_a_stretch (Task-" in held
    assert "test_watchdog.py" in held


def test_a_timer_s_callback_is_named_as_well() -> None:
    async def wait() -> None:
        asyncio.get_running_loop().call_later(0, compute, 0.04)
        await asyncio.sleep(0.01)

    (held,) = _watch(wait())
    assert "compute" in held


@pytest.mark.may_hold_the_loop("on purpose")
def test_on_a_slow_machine_more_time_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As much more as it is slower, and no more than is sensible."""

    async def hold(seconds: float) -> None:
        compute(seconds)

    monkeypatch.setattr("tests.aids.watching.watchdog._fixed_work", lambda: 0.001)
    watchdog = Watchdog(0.03, slowest=2.5)
    monkeypatch.setattr("tests.aids.watching.watchdog._fixed_work", lambda: 0.002)
    with watchdog.watching():
        asyncio.run(hold(0.04))
        assert watchdog.take() == []
        asyncio.run(hold(0.08))
        assert len(watchdog.take()) == 1
        monkeypatch.setattr("tests.aids.watching.watchdog._fixed_work", lambda: 1.0)
        asyncio.run(hold(0.1))
        assert len(watchdog.take()) == 1


def test_slices_waiting_and_garbage_hold_nobody() -> None:
    assert _watch(in_slices(), _collecting(), _waiting()) == []
