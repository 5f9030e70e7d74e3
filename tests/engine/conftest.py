"""Benches with an engine on each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.bench import Bench
from tests.engine.stores import MEMORY, copy_template, make_template, open_watched

#: So many of the like cases of one test are tried in a file at each run; memory has them all.
IN_A_FILE = 2
#: Where tests are of the steps between which a file's thread does its work: their first cases are
#: tried in a file at each run. What the others prove does not depend on where the rows are, and
#: what the rows are is proved of each database in tests/store.
STEPS = ("sending/test_lane", "sending/test_policies", "sending/test_queue.", "sending/test_send.")
STEPS += ("stopping/", "test_handed_on", "test_long_chats", "test_others", "test_races")
STEPS += ("test_elsewhere", "test_two_at_once")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave most of the like cases that are tried in a file to the stress tests."""
    seen = Counter[str]()
    for item in items:
        params = getattr(item, "callspec", None) and item.callspec.params  # type: ignore[attr-defined]
        if params and params.get("db_url") == "file":
            name = item.nodeid.partition("[")[0]
            seen[name] += 1
            of_steps = any(f"tests/engine/{each}" in name for each in STEPS)
            if seen[name] > IN_A_FILE * of_steps:
                item.add_marker("stress")
        # By which database two engines reach each other is tried where they do nothing else.
        of_peers = item.path.stem in {"test_others", "test_two_at_once"}
        if params and params.get("twins") == "postgresql" and not of_peers:
            item.add_marker("stress")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty database, to copy."""
    return make_template(tmp_path_factory.mktemp("template") / "chats.sqlite")


@pytest.fixture(params=["memory", "file"])
def db_url(request: pytest.FixtureRequest) -> str:
    """Name the database of a test: each runs on both."""
    if request.param == "memory":
        return MEMORY
    path: Path = request.getfixturevalue("tmp_path") / "chats.sqlite"
    return copy_template(request.getfixturevalue("template"), path)


@pytest.fixture
def bench(
    jp_asyncio_loop: asyncio.AbstractEventLoop, db_url: str
) -> Iterator[Callable[..., Bench]]:
    """Make benches on one store; each is checked at the end for what it left behind."""
    made: list[Bench] = []
    run = jp_asyncio_loop.run_until_complete
    store = run(open_watched(db_url))

    def make(*args: object, **options: object) -> Bench:
        new = Bench(*args, **{"store": store} | options)  # type: ignore[arg-type]
        made.append(new)
        return new

    yield make
    for each in made:
        run(each.check(runaway=each.engine.runaway))
        run(each.close())
    run(store.close())
