"""The end of the server: each part is closed, whatever another one does."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import pytest

from jupyter_stop_chat import closing, services
from jupyter_stop_chat.closing import close_part
from jupyter_stop_chat.services import Services, end_services
from jupyter_stop_chat.store.sql import SqlStore


class Part:
    """A part that notes its end, and then behaves as it is told."""

    def __init__(
        self, name: str, ended: list[str], ending: str, release: asyncio.Event | None = None
    ) -> None:
        self._name, self._ended, self._ending = name, ended, ending
        self._release = release or asyncio.Event()

    async def close(self) -> None:
        self._ended.append(self._name)
        match self._ending:
            case "raises":
                raise RuntimeError("with sk-canary-in-it")
            case "hangs":
                await asyncio.Event().wait()
            case "is cancelled":
                raise asyncio.CancelledError
            case "ignores its cancel":
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
                await self._release.wait()

    shutdown = close


PARTS = ("engine", "mcp", "tools", "pictures", "peers", "installing", "models", "store")


@pytest.mark.parametrize("ending", ["raises", "hangs", "is cancelled", "ignores its cancel"])
async def test_the_store_is_closed_last_and_always(
    ending: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """B7: what only memory holds is saved, whatever a plugin does."""
    monkeypatch.setattr(closing, "PATIENCE_S", 0.05)
    ended: list[str] = []
    release = asyncio.Event()
    parts: Any = {
        name: Part(name, ended, ending, release)
        for name in (
            "engine",
            "mcp",
            "tools",
            "pictures",
            "peers",
            "installing",
            "models",
            "store",
        )
    }
    await Services(**parts, instructions=None, documents=None).close()  # type: ignore[arg-type]
    release.set()
    assert ended == [*parts]
    told = [record.message for record in caplog.records if "close" in record.message]
    assert len(told) == 8
    assert "canary" not in caplog.text


async def test_a_part_that_is_closed_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    await close_part("it", Part("it", [], "").close)
    assert not caplog.records


async def test_a_start_that_fails_behind_the_store_leaves_none_open(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B7: where what reaches other servers cannot be made, say."""
    closed = []
    real = SqlStore.close

    async def fail(*_: object) -> None:
        raise RuntimeError("no peers")

    async def close(self: SqlStore) -> None:
        closed.append(self)
        await real(self)

    monkeypatch.setattr(services, "_make_peers", fail)
    monkeypatch.setattr(SqlStore, "close", close)
    with pytest.raises(RuntimeError, match="no peers"):
        await app.services()
    assert len(closed) == 1


@pytest.mark.parametrize("stubborn", [False, True])
async def test_a_start_that_hangs_holds_no_servers_end_up(
    app: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, stubborn: bool
) -> None:
    """B7: a database that does not answer, say; what was opened is closed."""
    monkeypatch.setattr(closing, "PATIENCE_S", 0.05)
    begun, go_on, closed = asyncio.Event(), asyncio.Event(), []
    real = SqlStore.close

    async def hang(self: SqlStore, _: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            if stubborn:
                await go_on.wait()

    async def close(self: SqlStore) -> None:
        closed.append(self)
        await real(self)

    monkeypatch.setattr(SqlStore, "open", hang)
    monkeypatch.setattr(SqlStore, "close", close)
    asking = asyncio.create_task(app.services())
    await begun.wait()
    await asyncio.wait_for(app.stop_extension(), 20)
    assert "still being started" in caplog.text
    go_on.set()
    with suppress(asyncio.CancelledError):
        await asking
    assert len(closed) == 1


async def test_what_is_started_late_is_closed_all_the_same() -> None:
    ended: list[str] = []
    parts: Any = {
        name: Part(name, ended, "")
        for name in (
            "engine",
            "mcp",
            "tools",
            "pictures",
            "peers",
            "installing",
            "models",
            "store",
        )
    }
    go_on = asyncio.Event()

    async def make() -> Services:
        await go_on.wait()
        return Services(**parts, instructions=None, documents=None)  # type: ignore[arg-type]

    made = asyncio.create_task(make())
    ending = asyncio.create_task(end_services(made))
    go_on.set()
    await ending
    assert ended[-1] == "store"


async def test_the_log_is_given_back_at_the_servers_end(app: Any) -> None:
    """H5: another server in the same process has its own."""
    ours = logging.getLogger("jupyter_stop_chat")
    assert ours.parent is app.serverapp.log
    await app.stop_extension()
    assert ours.parent is not app.serverapp.log
