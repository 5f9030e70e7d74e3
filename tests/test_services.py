"""The end of the server: each part is closed, whatever another one does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from jupyter_stop_chat import closing
from jupyter_stop_chat.closing import close_part
from jupyter_stop_chat.services import Services


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
        for name in ("engine", "installing", "models", "store")
    }
    await Services(**parts).close()
    release.set()
    assert ended == ["engine", "installing", "models", "store"]
    told = [record.message for record in caplog.records if "close" in record.message]
    assert len(told) == 4
    assert "canary" not in caplog.text


async def test_a_part_that_is_closed_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    await close_part("it", Part("it", [], "").close)
    assert not caplog.records
