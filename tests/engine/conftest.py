"""Benches with an engine on each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_stop_chat.store import make_store
from tests.engine.bench import Bench


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module on each of the stores that it names in `STORES`."""
    kinds = getattr(metafunc.module, "STORES", None)
    if kinds is not None and "store_kind" in metafunc.fixturenames:
        metafunc.parametrize("store_kind", kinds)


@pytest.fixture
def store_kind() -> str:
    """Name the store that benches get."""
    return "stand-in"


@pytest.fixture
def bench(
    jp_asyncio_loop: asyncio.AbstractEventLoop, store_kind: str
) -> Iterator[Callable[..., Bench]]:
    """Make benches; each is checked at the end for what it left behind."""
    made: list[Bench] = []
    stores: list[Any] = []
    run = jp_asyncio_loop.run_until_complete
    if store_kind == "sqlite":
        stores.append(run(make_store("sqlite://", owner_process="host:1:bench")))
        run(stores[0].open())

    def make(*args: object, **options: object) -> Bench:
        if stores:
            options.setdefault("store", stores[0])
        new = Bench(*args, **options)  # type: ignore[arg-type]
        made.append(new)
        return new

    yield make
    for each in made:
        run(each.check(runaway=each.engine.runaway))
        run(each.close())
    for store in stores:
        run(store.close())
