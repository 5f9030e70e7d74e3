"""Two engines with stores of their own on one database, as two servers have them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import update

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.ports.peers import Announced
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.store.degraded import saving
from jupyter_stop_chat.store.schema import processes
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged
from tests.aids.fed import Fed
from tests.aids.turns import until
from tests.connection.wire import Wire
from tests.engine.bench import MODEL, OWNER, Bench


@pytest.fixture(params=["file", "postgresql"])
def twins(
    request: pytest.FixtureRequest, tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Any]:
    """Return two engines with stores of their own on one database, as two servers have them."""
    run = jp_asyncio_loop.run_until_complete
    url = f"sqlite:///{tmp_path}/chats.sqlite"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    model = Fed()
    stores, benches = [], []
    for name in ("host:1:a", "host:2:b"):
        store = run(make_store(url, owner_process=name))
        run(store.open())
        stores.append(store)
        benches.append(Bench(store=store))
        benches[-1].handlers[MODEL] = model  # type: ignore[assignment]
    yield SimpleNamespace(a=benches[0], b=benches[1], model=model, stores=stores)
    for bench in benches:
        run(bench.engine.shutdown())
    for store in stores:
        run(store.close())


async def begin(twins: Any, text: str = "half ") -> Accepted:
    """Let A make a reply that B looks at."""
    accepted: Accepted = await twins.a.send()
    await say(twins, accepted.message.id, text)
    twins.b.follow(accepted.chat_id)
    chat = await twins.b.engine.chat(OWNER, accepted.chat_id)
    messages = await twins.b.store.get_messages(accepted.chat_id)
    assert messages[-1].made_elsewhere
    twins.b.engine.elsewhere.watch_opened(chat, messages, ())
    return accepted


async def opened(twins: Any, chat_id: str, **how: Any) -> Wire:
    """Return a page of B that has a chat open."""
    page = Wire(twins.b)
    await page.opens(chat_id, **how)
    return page


def hear_what_is_left(twins: Any) -> None:
    """Tell B of what its store settles for who ended, as a server does."""
    twins.stores[1]._saver._on_recovered = twins.b.engine.left_behind


async def say(twins: Any, message_id: str, *events: Any) -> None:
    twins.model.feed(message_id, *events)
    said = twins.model.said[message_id]
    made = twins.a.engine.generation(message_id)
    await until(lambda: str(made.text) == said)


async def lose(twins: Any) -> None:
    """Have A look ended: its lock is free, as the system leaves it, and it was last seen long ago.

    The one decides in a file, the other on a database server.
    """
    await asyncio.to_thread(twins.stores[0]._saver._lock.release)
    seen = processes.c.seen_at
    await twins.stores[1]._database.transact(
        lambda connection: connection.execute(
            update(processes).where(processes.c.id == "host:1:a").values(seen_at=seen - 16)
        )
    )


def told_of(bench: Bench) -> list[Any]:
    return [each.message for each in bench.heard.told if isinstance(each, MessageMoved)]


def states(bench: Bench) -> list[tuple[str, str | None]]:
    changes = [each for each in bench.heard.told if isinstance(each, ChatChanged)]
    return [(each.chat.state, each.chat.title) for each in changes]


async def take_away(twins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have B take what A makes for left behind, as when A was suspended for long."""
    monkeypatch.setattr(saving, "is_gone", lambda *args, **more: True)
    await twins.b.store.recover()
    monkeypatch.undo()


async def looked(twins: Any, page: Wire) -> None:
    """Wait until B has looked at what it was told of, without any look of its timer."""
    b = twins.b.engine
    await until(lambda: b.elsewhere._watched._soon is None and not len(b.background))
    await page.idle()


async def ended(twins: Any, text: str = "done") -> Accepted:
    """Let A make a whole reply."""
    accepted: Accepted = await twins.a.send("one")
    twins.model.feed(accepted.message.id, text, None)
    await until(lambda: not twins.a.engine.running() and not len(twins.a.engine.background))
    return accepted


async def until_kept(twins: Any, message_id: str, holds: Callable[[Any], bool]) -> None:
    """Wait until the database has something of a message."""
    kept = None
    while kept is None or not holds(kept):
        kept = await twins.a.store.get_message(message_id)


def announced(change: Any) -> Announced:
    return Announced(encode(change))
