"""Where the outputs of a run stay: in their cell, if a page has put them there, else kept."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from jupyter_stop_chat.ports.kernels import KernelError, KernelInfo, Kernels, RunEnd
from jupyter_stop_chat.ports.outputs import LARGEST_KEPT, KeptRun, OutputStore
from jupyter_stop_chat.ports.tools import Call, Change, PageError
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.tools.seen import digest_of
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import whole_json

from .using import Tasks

log = logging.getLogger(__name__)

#: A page is waited for so long, in seconds: what it does not say in time is kept here.
PAGE_S = 5.0


class Keeping:
    """What has outputs put into their cells, or keeps them for later.

    :param store: where; None: nowhere.
    """

    def __init__(self, kernels: Kernels, store: OutputStore | None, tasks: Tasks) -> None:
        self._kernels = kernels
        self._store = store
        self._tasks = tasks

    async def end(
        self,
        call: Call,
        change: Change,
        kernel: KernelInfo,
        mark: str,
        end: RunEnd,
        *,
        from_here: bool,
    ) -> None:
        """Have the outputs of a run that has ended put into its cell, or keep them.

        :param from_here: no page sent it.
        """
        path = await self._path_of(kernel, change.path)
        try:
            if await self._is_put(call, path, change, mark):
                return
        except asyncio.CancelledError:
            # The reply is stopped. A page that sent it has the outputs without being asked.
            if from_here or not call.has_page:
                self._tasks.run(self._keep(call, change, path, end))
            raise
        # A page that has the notebook open looks for it once it is told that the call has ended.
        await asyncio.shield(self._tasks.run(self._keep(call, change, path, end)))

    async def keep(self, call: Call, change: Change, kernel: KernelInfo, end: RunEnd) -> None:
        """Keep the outputs of a run that ended behind its reply."""
        await self._keep(call, change, await self._path_of(kernel, change.path), end)

    async def _keep(self, call: Call, change: Change, path: str, end: RunEnd) -> None:
        if self._store is None or change.cell_id is None:
            return
        outputs = await in_thread(written, end.outputs)
        run = KeptRun(
            message_id=call.message_id,
            call_id=call.call_id,
            path=path,
            cell_id=change.cell_id,
            digest=digest_of(change.before or ""),
            outputs=outputs,
            execution_count=end.execution_count,
            ended_at=now(),
        )
        try:
            await self._store.keep(run)
        except Exception as error:  # noqa: BLE001 - the model hears of the run all the same
            log.warning("outputs could not be kept: %s", type(error).__name__)

    async def _path_of(self, kernel: KernelInfo, path: str) -> str:
        """Return how a notebook is called now: it may have been renamed while its cell ran."""
        with suppress(KernelError):
            return await self._kernels.where(kernel) or path
        return path

    async def _is_put(self, call: Call, path: str, change: Change, mark: str) -> bool:
        fields = {"path": path, "cell_id": change.cell_id, "mark": mark}
        try:
            async with asyncio.timeout(PAGE_S):
                answer = await call.page("run_end", fields)
        except PageError as error:
            return error.code == "gone"  # there is nothing to put them into
        except TimeoutError:
            return False
        return isinstance(answer, dict) and answer.get("put") is True


def written(outputs: Sequence[Mapping[str, Any]], most: int = LARGEST_KEPT) -> str:
    """Return outputs as JSON; the largest are left out where there are too many. Blocks."""
    # One by one: none may hold up other threads for long.
    each = [_as_json(one) for one in outputs]
    sizes = [len(one.encode()) for one in each]
    total = sum(sizes) + 2 * len(each)
    for at in sorted(range(len(each)), key=sizes.__getitem__, reverse=True):
        if total <= most:
            break
        each[at] = _note(f"An output of {sizes[at]:,} bytes is not kept: it is too large.")
        total += len(each[at]) - sizes[at]
    return f"[{','.join(each)}]"


def _as_json(output: Mapping[str, Any]) -> str:
    try:
        return json.dumps(whole_json(output), ensure_ascii=False, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return _note("An output is not kept: no notebook could hold it.")


def _note(words: str) -> str:
    return json.dumps({"output_type": "stream", "name": "stderr", "text": f"[{words}]\n"})
