"""Several real Jupyter Servers that share a history: through one file, or Redis and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.aids.postgresql_server import PostgresqlServer
from tests.aids.redis_server import RedisServer
from tests.browser.lab import Lab, asking
from tests.providers import OpenAIProvider, Script


@dataclass
class Several:
    """Servers that share a history.

    :ivar redis: by which they reach each other; None: through their database.
    :ivar postgresql: where their history is; None: in one file.
    """

    labs: list[Lab]
    provider: OpenAIProvider
    redis: RedisServer | None = None
    postgresql: PostgresqlServer | None = None


Start = Callable[..., Several]


@pytest.fixture(scope="package")
def start_several(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Start]:
    """Return what starts several servers, which are ended behind the last test here."""
    labs: list[Lab] = []
    redises: list[RedisServer] = []

    def start(number: int, pair: str) -> Several:
        provider = request.getfixturevalue("_provider")
        folder = tmp_path_factory.mktemp(pair)
        config = asking(provider.base_url)
        several = Several([], provider)
        if pair == "redis and postgresql":
            several.postgresql = request.getfixturevalue("postgresql_server")
            several.redis = RedisServer(folder)
            several.redis.start()
            redises.append(several.redis)
            config["StopChatApp"] |= {
                "db_url": several.postgresql.url(several.postgresql.new_database()),
                "bus_url": several.redis.url,
            }
        for n in range(number):
            lab = Lab(folder / f"server{n}", config, "jupyter_server")
            if several.postgresql is None:
                lab.data = folder / "data"
            several.labs.append(lab)
        labs.extend(several.labs)
        with ThreadPoolExecutor() as threads:
            list(threads.map(Lab.start, several.labs))
        return several

    yield start
    try:
        with ThreadPoolExecutor() as threads:
            list(threads.map(Lab.stop, labs))
    finally:
        for each in redises:
            each.kill()


@pytest.fixture(scope="package")
def _provider() -> Iterator[OpenAIProvider]:
    with OpenAIProvider().in_thread() as made:
        yield made


@pytest.fixture(scope="package")
def pair(start_several: Start) -> Callable[[str], Several]:
    """Return what finds two servers that all share: they compute seconds before their first word.

    One that a test has killed is started again, and nothing runs on them any more.
    """
    pairs: dict[str, Several] = {}

    def find(kind: str) -> Several:
        if kind not in pairs:
            pairs[kind] = start_several(2, kind)
        for lab in pairs[kind].labs:
            assert lab.process is not None
            if lab.process.poll() is not None:
                lab.start()
        pairs[kind].labs[0].ask("POST", "api/stop-chat/interrupt", b'{"everyone": true}')
        return pairs[kind]

    return find


@pytest.fixture(scope="module", params=["one file", "redis and postgresql"])
def two(request: pytest.FixtureRequest, pair: Callable[[str], Several]) -> Several:
    """Return two servers that share a history, in each way."""
    return pair(request.param)


@pytest.fixture(autouse=True)
def _endless(_provider: OpenAIProvider) -> None:
    """Have the model speak for ever, at 50 words a second."""
    _provider.forget()
    _provider.script = Script(tokens=10_000_000, rate=50)
