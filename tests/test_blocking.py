"""What is noticed of calls that block a loop, and in whose code."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from blockbuster import BlockingError

from tests import examples
from tests.aids.watching.blocking import nothing_blocks

HERE = sys.modules[__name__]


def sleep() -> None:
    time.sleep(0)


def may_sleep() -> None:
    sleep()


async def test_a_call_in_what_is_scanned_fails_each_time() -> None:
    with nothing_blocks(HERE):
        for _ in range(2):
            with pytest.raises(BlockingError, match=r"time\.sleep"):
                sleep()
        await asyncio.to_thread(sleep)
    sleep()


async def test_others_may_where_a_package_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    with nothing_blocks(examples):
        sleep()
        may_sleep()


async def test_without_a_package_nobody_may_but_where_it_is_allowed() -> None:
    with nothing_blocks(allowed=[("tests/test_blocking.py", {"may_sleep"})]):
        may_sleep()
        with pytest.raises(BlockingError):
            sleep()
        may_sleep()
