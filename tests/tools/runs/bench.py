"""A notebook in a page with a scripted kernel, and a call that runs its cells."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jupyter_stop_chat.ports.kernels import Interrupted
from jupyter_stop_chat.ports.outputs import KeptRun
from jupyter_stop_chat.ports.tools import PageError
from tests.aids.kernels import ScriptedKernel
from tests.tools.notebooks import Page, StandIn

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)


class RunningPage(Page):
    """A page that runs cells in a kernel, as the page of the package does.

    :ivar silent: it does not send what it is asked to; what is waited for is set when it is.
    :ivar queues: what it sends stands behind a person's cell, until the test has it begin.
    :ivar running: the marks of what it has sent.
    """

    def __init__(self, kernel: ScriptedKernel, **notebooks: list[Any]) -> None:
        super().__init__(**notebooks)
        self.kernel = kernel
        self.kernel_id = kernel.info.kernel_id
        self.silent = False
        self.queues = False
        self.ran = asyncio.Event()
        self.running: set[str] = set()
        self.put: list[str] = []
        self.started: list[str] = []

    def _run(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        cell = cells[self._at(cells, args["cell_id"])]
        if cell["source"] != args["source"]:
            raise PageError("changed", {"source": cell["source"]})
        if args["kernel_id"] != self.kernel_id:
            raise PageError("changed_kernel")
        self.running.add(args["mark"])
        if not self.queues:
            self.kernel.marked(args["mark"]).begins(args["source"])
        return {"msg_id": uuid.uuid4().hex}

    def _run_end(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        self._at(cells, args["cell_id"])
        is_ours = args["mark"] in self.running
        self.put += [args["mark"]] if is_ours else []
        return {"put": is_ours}

    def _start_kernel(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        self.started.append(args["path"])
        return {"kernel_id": self.kernel_id}


class RunCall(StandIn):
    """A call that runs cells.

    :ivar shown: what its line has told.
    :ivar left: what goes on behind it.
    """

    def __init__(
        self, page: Page | None, path: str | None = None, sees: bool | None = None
    ) -> None:
        super().__init__(page, path)
        self.sees = sees
        self.shown: list[Any] = []
        self.left: list[asyncio.Future[Any]] = []
        self.said: list[tuple[Interrupted, float | None]] = []
        self.own = 0
        self.waiting = asyncio.Event()

    async def page(self, operation: str, args: Mapping[str, Any], *, effect: bool = False) -> Any:
        await asyncio.sleep(0)
        if self.before_page is not None:
            self.before_page(operation)
        self.begin()
        if self.there is None:
            raise PageError("no_page")
        if getattr(self.there, "silent", False) and effect:
            self.there.ran.set()  # type: ignore[attr-defined]
            await asyncio.Event().wait()
        return self.there.do(operation, args)

    def leave(self, work: asyncio.Future[Any]) -> None:
        self.left.append(work)

    def waits_for(self, what: Any) -> None:
        self.shown.append(("waits_for", what))
        if what is not None:
            self.waiting.set()

    def progress(self, words: str) -> None:
        self.shown.append(("progress", words))
        self.waiting.set()

    @contextmanager
    def own_time(self) -> Iterator[None]:
        self.own += 1
        yield
        self.own -= 1

    def kernel_said(self, interrupted: Interrupted, idle_ms: float | None = None) -> None:
        self.said.append((interrupted, idle_ms))


class Kept:
    """What keeps outputs."""

    def __init__(self) -> None:
        self.runs: list[KeptRun] = []
        self.keeps = asyncio.Event()

    async def keep(self, run: KeptRun) -> None:
        self.runs.append(run)
        self.keeps.set()

    async def of(self, owner: str, path: str) -> list[KeptRun]:
        return [each for each in self.runs if each.path == path]

    async def drop(self, owner: str, message_id: str, call_id: str) -> None:
        self.runs = [each for each in self.runs if each.call_id != call_id]
