"""Kernels that do what a test says: what stands for the server's, where no real one is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from jupyter_stop_chat.ports.kernels import (
    Interrupted,
    KernelError,
    KernelFault,
    KernelInfo,
    RunEnd,
    RunOutcome,
)

A = "a.ipynb"


class ScriptedRun:
    """A run of a scripted kernel.

    :ivar source: what runs; None until it is sent.
    :ivar msg_id: by which message a page sent it.
    """

    def __init__(self, kernel: ScriptedKernel, mark: str) -> None:
        self.kernel, self.mark = kernel, mark
        self.source: str | None = None
        self.msg_id: str | None = None
        self.interrupts = 0
        self.refused = self.dropped = False
        self.outputs: list[Mapping[str, Any]] = []
        self.at = asyncio.Event()
        self.end: asyncio.Future[RunEnd] = asyncio.get_running_loop().create_future()

    def sent(self, msg_id: str) -> None:
        self.msg_id = msg_id

    async def taken_up(self) -> None:
        await self.at.wait()

    async def ended(self) -> RunEnd:
        return await asyncio.shield(self.end)

    def so_far(self) -> RunEnd:
        return RunEnd("done", tuple(self.outputs))

    def drop(self) -> None:
        self.dropped = True

    async def interrupt(self) -> Interrupted:
        self.interrupts += 1
        self.kernel.interrupted.set()
        if self.kernel.mute:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if self.end.done():
            return Interrupted("ended", 1.0, True)
        if not self.kernel.exact:
            if self.source is None:
                return Interrupted("not_sent", 1.0, True)
            self.finish("error", error=("KeyboardInterrupt", ""))
            return Interrupted("plain", 2.0, False)
        self.refused = True
        if self.source is None:
            return Interrupted("refused", 1.0, True)
        if not self.kernel.reacts:
            return Interrupted("pending", 100.0, True)
        self.finish("error", error=("KeyboardInterrupt", ""))
        return Interrupted("raised", 2.0, True)

    def begins(self, source: str) -> None:
        """Run, unless it was refused before."""
        if self.refused:
            self.finish("refused")
            return
        self.source = source
        self.at.set()
        self.kernel.begun.set()
        if ends := self.kernel.ends:
            outcome, outputs = ends.pop(0) if len(ends) > 1 else ends[0]
            self.finish(outcome, *outputs)

    def finish(
        self, outcome: RunOutcome = "done", *outputs: Mapping[str, Any], **more: Any
    ) -> None:
        """End."""
        if not self.end.done():
            shown = (*self.outputs, *outputs)
            self.end.set_result(RunEnd(outcome, shown, self.kernel.count, **more))


class ScriptedKernel:
    """A kernel that does what a test says.

    :ivar free: set while it has nothing else to do.
    :ivar reacts: its cells end when they are interrupted.
    :ivar mute: it answers no interrupt.
    :ivar exact: it knows runs by their marks.
    :ivar ends: how runs end as soon as they begin, the last one each further one too; where there
        are none, they do when the test says.
    :ivar begun: set when a run begins; `interrupted`: when one is to end.
    :ivar expected: set when one is about to be sent.
    """

    def __init__(self, path: str = A) -> None:
        self.exact = True
        self.info = KernelInfo("kernel-1", "python3", path)
        self.free = asyncio.Event()
        self.free.set()
        self.reacts = True
        self.mute = False
        self.count: int | None = 3
        self.ends: list[tuple[RunOutcome, Sequence[Mapping[str, Any]]]] = []
        self.begun, self.interrupted = asyncio.Event(), asyncio.Event()
        self.asked_idle, self.expected = asyncio.Event(), asyncio.Event()
        self.runs: list[ScriptedRun] = []
        self.used = 0

    @property
    def run(self) -> ScriptedRun:
        """Return the run that was made last."""
        return self.runs[-1]

    def marked(self, mark: str) -> ScriptedRun:
        """Return the run with a mark."""
        (found,) = [each for each in self.runs if each.mark == mark]
        return found

    async def idle(self) -> None:
        self.asked_idle.set()
        await self.free.wait()

    def expect(self, mark: str) -> ScriptedRun:
        self.runs.append(ScriptedRun(self, mark))
        self.expected.set()
        return self.run

    async def execute(self, run: Any, code: str) -> None:
        run.begins(code)


class ScriptedKernels:
    """What knows one kernel, or none.

    :ivar calls: what was started and restarted.
    :ivar fault: why none can be had.
    :ivar reaching: set when it is about to be used; that takes until `reachable` is.
    :ivar gate: a restart waits for it; `restarting` is set when one has begun.
    """

    def __init__(self, kernel: ScriptedKernel | None = None) -> None:
        self.kernel = kernel
        self.calls: list[tuple[Any, ...]] = []
        self.fault: KernelFault | None = None
        self.renamed: str | None = None
        self.gate: asyncio.Event | None = None
        self.reaching, self.reachable = asyncio.Event(), asyncio.Event()
        self.reachable.set()
        self.restarting = asyncio.Event()

    async def find(self, path: str) -> KernelInfo | None:
        if self.fault in {"failed", "restarting"}:
            raise KernelError(self.fault)
        return None if self.kernel is None else self.kernel.info

    @asynccontextmanager
    async def use(self, kernel_id: str) -> AsyncIterator[Any]:
        if self.fault is not None:
            raise KernelError(self.fault)
        assert self.kernel is not None
        assert kernel_id == self.kernel.info.kernel_id
        self.reaching.set()
        await self.reachable.wait()
        self.kernel.used += 1
        task = asyncio.current_task()
        try:
            yield self.kernel
        finally:
            assert asyncio.current_task() is task, "it is let go of where it was taken"
            self.kernel.used -= 1

    async def where(self, info: KernelInfo) -> str | None:
        return self.renamed or A

    async def start(self, path: str, name: str | None) -> KernelInfo:
        self.calls.append(("start", path, name))
        self.kernel = ScriptedKernel(path)
        return self.kernel.info

    async def restart(self, kernel_id: str) -> None:
        self.restarting.set()
        if self.gate is not None:
            await self.gate.wait()
        self.calls.append(("restart", kernel_id))
        assert self.kernel is not None
        for each in self.kernel.runs:
            each.finish("restarted")
