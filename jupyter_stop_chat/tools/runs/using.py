"""A kernel that is used as long as somebody needs it: also longer than the call that began it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from jupyter_stop_chat.ports.kernels import Kernel, Kernels


class Using:
    """A connection to a kernel, which one task opens and closes.

    Whoever has it may be cancelled, and hand it on.
    """

    def __init__(self, kernels: Kernels, kernel_id: str) -> None:
        self._over = asyncio.Event()
        self._kernel: asyncio.Future[Kernel] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._hold(kernels, kernel_id), name="stop-chat-kernel")

    async def kernel(self) -> Kernel:
        """Return the kernel.

        :raises KernelError: it cannot be had.
        """
        return await asyncio.shield(self._kernel)

    async def close(self) -> None:
        """Let go of it."""
        self._over.set()
        if not self._kernel.done():
            self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.exception()  # it is let go of all the same

    async def _hold(self, kernels: Kernels, kernel_id: str) -> None:
        try:
            async with kernels.use(kernel_id) as kernel:
                self._kernel.set_result(kernel)
                await self._over.wait()
        except BaseException as error:
            if self._kernel.done():
                raise
            if isinstance(error, asyncio.CancelledError):
                self._kernel.cancel()
                raise
            self._kernel.set_exception(error)
            self._kernel.exception()  # whoever asked may be gone


class Tasks:
    """What goes on beside the calls, until the server ends."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def run(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin with something, and hold it to its end."""
        task = asyncio.create_task(work, name="stop-chat-run")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # nobody waits for it

    async def close(self, patience: float = 2.0) -> None:
        """End what does not end by itself soon.

        :param patience: in seconds.
        """
        with suppress(ValueError):  # there is nothing
            await asyncio.wait(set(self._tasks), timeout=patience)
        for each in self._tasks:
            each.cancel()
        with suppress(ValueError):
            await asyncio.wait(set(self._tasks), timeout=patience)
