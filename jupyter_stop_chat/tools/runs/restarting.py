"""The tool that starts a notebook's kernel, or starts it anew: a person is asked each time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from jupyter_stop_chat.ports.contents import ContentsError
from jupyter_stop_chat.ports.kernels import KernelError, Kernels
from jupyter_stop_chat.ports.tools import Call, PageError, Proposal, ToolResult
from jupyter_stop_chat.tools.documents import Documents
from jupyter_stop_chat.tools.documents import in_words as page_in_words
from jupyter_stop_chat.tools.paths import path_of
from jupyter_stop_chat.tools.reading import Reading

from .using import Tasks
from .words import in_words

_T = TypeVar("_T")
_NOT_OPEN = frozenset({"not_open", "no_page"})


class Restarting:
    """What starts kernels for models."""

    def __init__(
        self, documents: Documents, reading: Reading, kernels: Kernels, tasks: Tasks
    ) -> None:
        self._documents = documents
        self._reading = reading
        self._kernels = kernels
        self._tasks = tasks

    async def propose(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Have a person asked, whatever rules there are: what is defined in the kernel is lost."""
        try:
            await self._reading.look(call, path_of(call, args))
        except PageError as error:
            raise page_in_words(error) from error
        return Proposal(always_asked=True)

    async def run(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Start the kernel of a notebook, or start it anew."""
        path = path_of(call, args)
        try:
            info = await self._kernels.find(path)
            if info is None:
                return await self._start(call, path)
            call.begin()
            await self._to_its_end(call, self._kernels.restart(info.kernel_id))
        except KernelError as error:
            raise in_words(error) from error
        except PageError as error:
            raise page_in_words(error) from error
        return ToolResult(
            "The kernel is started anew: nothing is defined in it any more. Run again what is "
            "needed, in its order."
        )

    async def _start(self, call: Call, path: str) -> ToolResult:
        try:
            await call.page("start_kernel", {"path": path}, effect=True)
        except PageError as error:
            if error.code not in _NOT_OPEN:
                raise
            name = await self._name(path)
            call.begin()
            await self._to_its_end(call, self._kernels.start(path, name))
        return ToolResult("A kernel is started: nothing is defined in it yet.")

    async def _name(self, path: str) -> str | None:
        """Return which kernel a notebook is for, by its own word."""
        if self._documents.contents is None:
            return None
        try:
            notebook = await self._documents.contents.cells(path)
        except ContentsError as error:
            raise page_in_words(error) from error
        metadata = notebook.get("metadata")
        spec = metadata.get("kernelspec") if isinstance(metadata, dict) else None
        name = spec.get("name") if isinstance(spec, dict) else None
        return name if isinstance(name, str) and name else None

    async def _to_its_end(self, call: Call, work: Coroutine[Any, Any, _T]) -> _T:
        """Do something that must not end half-way: behind a stop it is told of."""
        task = self._tasks.run(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.done():
                call.leave(task)
            raise
