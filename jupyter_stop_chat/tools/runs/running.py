"""The tool that runs a cell: exactly what a person saw, in the notebook's own kernel."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from functools import partial
from typing import Any

from jupyter_stop_chat.ports.kernels import Kernel, KernelError, KernelInfo, Kernels
from jupyter_stop_chat.ports.pictures import PictureMaker
from jupyter_stop_chat.ports.tools import (
    Asking,
    Call,
    Change,
    PageError,
    Proposal,
    ToolError,
    ToolPicture,
    ToolResult,
)
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.tools.documents import Documents
from jupyter_stop_chat.tools.documents import in_words as page_in_words
from jupyter_stop_chat.tools.paths import path_of
from jupyter_stop_chat.tools.reading import Reading
from jupyter_stop_chat.tools.seen import Seen
from jupyter_stop_chat.tools.sources import known, source_of
from jupyter_stop_chat.wire.errors import StopChatError

from .attempt import SHOWN_AFTER_S, Attempt, Finished, PersonRuns
from .going import Runs
from .keeping import Keeping
from .outputs import Told, told
from .using import Tasks, Using
from .words import (
    ALSO_BY_PERSON,
    ASKED,
    BY_PERSON,
    DIED,
    NO_KERNEL,
    NOT_BEGUN,
    REFUSED,
    RESTARTED,
    THEIRS,
    TOO_BUSY,
    in_words,
    seconds,
)

#: How long a cell may run, in seconds, where the model does not say, and at most.
LIMIT_S, LONGEST_S = 300, 3600
#: A kernel that is busy is waited for so long, in seconds.
WAIT_S = 3600.0
#: So often a cell is sent that the kernel does not begin with.
MOST_SENT = 5


class Running:
    """What runs cells for models.

    :param seen: what they have seen of notebooks.
    :param pictures: makes small what they are shown; None: they are shown none.
    """

    def __init__(
        self,
        documents: Documents,
        reading: Reading,
        seen: Seen,
        kernels: Kernels,
        runs: Runs,
        keeping: Keeping,
        tasks: Tasks,
        pictures: PictureMaker | None = None,
    ) -> None:
        self._documents = documents
        self._reading = reading
        self._seen = seen
        self._kernels = kernels
        self._runs = runs
        self._keeping = keeping
        self._tasks = tasks
        self._pictures = pictures

    async def propose(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Look what a cell is: exactly that runs, if a person allows it."""
        path = path_of(call, args)
        try:
            cells = await self._reading.look(call, path)
        except PageError as error:
            raise page_in_words(error) from error
        cell_id = known([each["id"] for each in cells], args["cell_id"])
        source, kind = await source_of(self._documents, call, path, cell_id)
        if kind != "code":
            raise ToolError(f"This is a {kind} cell: only code cells can be run.")
        if not source.strip():
            raise ToolError("This cell is empty: there is nothing to run.")
        await self._kernel_of(path)
        change = Change(path, "run", cell_id, "code", before=source)
        return await self._documents.proposal(path, change)

    async def run(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Run what was allowed.

        :raises Asking: the cell is not as it was when that was allowed.
        """
        changes = call.proposal.changes
        if len(changes) != 1 or changes[0].path != path_of(call, args):
            raise Asking
        limit = float(args.get("time_limit_s") or LIMIT_S)
        try:
            with call.own_time():
                finished = await self._finished(call, changes[0], limit)
        except KernelError as error:
            raise in_words(error) from error
        except PageError as error:
            raise page_in_words(error) from error
        return await self._answer(call, changes[0], finished, limit)

    async def _kernel_of(self, path: str) -> KernelInfo:
        try:
            info = await self._kernels.find(path)
        except KernelError as error:
            raise in_words(error) from error
        if info is None:
            raise ToolError(NO_KERNEL)
        return info

    # --- running it --------------------------------------------------------------------------

    async def _finished(self, call: Call, change: Change, limit: float) -> Finished:
        info = await self._kernel_of(change.path)
        using = Using(self._kernels, info.kernel_id)
        is_left = False
        try:
            kernel = await using.kernel()
            for _ in range(MOST_SENT):
                await self._idle(call, kernel)
                if await self._source(call, change) != change.before:
                    raise Asking
                # So that it is known what has run, whatever stands in the cell later.
                n = await call.note(change)
                keep = partial(self._keeping.keep, call, change, info)
                attempt = Attempt(call, change, using, kernel, self._runs, self._tasks, keep)
                try:
                    finished = await attempt.carried_out(limit)
                except PersonRuns:
                    self._tasks.run(call.noted(n, done=False))
                    why = THEIRS
                    continue
                except Asking:
                    self._tasks.run(call.noted(n, done=False))
                    raise
                finally:
                    is_left = attempt.is_left
                has_run = finished.end.outcome not in {"aborted", "refused"}
                self._tasks.run(call.noted(n, done=has_run))
                if finished.end.outcome != "aborted":
                    break
                why = NOT_BEGUN
            else:
                raise ToolError(why)
        finally:
            if not is_left:
                self._tasks.run(using.close())
        if finished.ended:
            await self._keeping.end(
                call,
                change,
                info,
                finished.mark,
                finished.end,
                from_here=attempt.from_here,
            )
        return finished

    async def _source(self, call: Call, change: Change) -> str:
        """Return what the cell is now, while it was waited for: also in a file that is saved."""
        source, _ = await source_of(self._documents, call, change.path, change.cell_id or "")
        return source

    async def _idle(self, call: Call, kernel: Kernel) -> None:
        """Wait until the kernel has nothing to do: nothing is sent to one that has."""
        shown = asyncio.get_running_loop().call_later(SHOWN_AFTER_S, call.waits_for, "kernel")
        try:
            async with asyncio.timeout(WAIT_S):
                await kernel.idle()
        except TimeoutError:
            raise ToolError(TOO_BUSY) from None
        finally:
            shown.cancel()
            call.waits_for(None)

    # --- telling of it -----------------------------------------------------------------------

    async def _answer(
        self, call: Call, change: Change, finished: Finished, limit: float
    ) -> ToolResult:
        end, sees = finished.end, call.sees is True and self._pictures is not None
        said = await in_thread(told, end.outputs, sees=sees)
        pictures, lost = await self._shown(call, said)
        words, failed = _ended(finished, limit)
        parts = [words, said.text]
        parts += [f"[{each}: it could not be shown]" for each in lost]
        if end.left_out:
            parts.append(f"[{end.left_out:,} more characters of outputs are not told]")
        if end.asked:
            parts.append(ASKED)
        parts.append(self._seen.news(call.chat_id, change.path))
        return ToolResult("\n".join(filter(None, parts)), failed=failed, pictures=pictures)

    async def _shown(self, call: Call, said: Told) -> tuple[tuple[ToolPicture, ...], list[str]]:
        """Make small what a model is shown; return it, and what cannot be shown."""
        shown: list[ToolPicture] = []
        lost: list[str] = []
        for number, (_, data) in enumerate(said.pictures, 1):
            assert self._pictures is not None
            try:
                raw = await in_thread(base64.b64decode, data)
                made = await self._pictures.made(raw, call.owner)
            except (binascii.Error, ValueError, StopChatError):
                lost.append(f"Picture {number}")
                continue
            encoded = (await in_thread(base64.b64encode, made.data)).decode("ascii")
            shown.append(ToolPicture(made.picture.mime_type, encoded))
        return tuple(shown), lost


def _ended(finished: Finished, limit: float) -> tuple[str, bool]:
    """Tell how a run ended; tell as well whether that is a failure of the call."""
    end, took = finished.end, seconds(finished.took)
    count = f"[{end.execution_count}] " if end.execution_count is not None else ""
    if not finished.ended:
        return (
            f"The time limit of {seconds(limit)} is over. The cell was interrupted, and does not "
            "react: it is still running, and the kernel takes nothing else. Ask the person "
            "whether to restart the kernel (restart_kernel).",
            True,
        )
    if end.outcome == "restarted":
        return RESTARTED, True
    if end.outcome == "died":
        return DIED, True
    if end.outcome == "refused":
        return REFUSED, True
    is_broken = end.error is not None and end.error[0] == "KeyboardInterrupt"
    if finished.over:
        return f"The cell {count}was interrupted at its time limit of {seconds(limit)}.", True
    if is_broken:
        return f"The cell {count}ended after {took}. {BY_PERSON}", True
    also = f" {ALSO_BY_PERSON}" if finished.by_person else ""
    if end.outcome == "error":
        name = end.error[0] if end.error else "an error"
        return f"The cell {count}failed after {took}, with {name}.{also}", False
    return f"The cell {count}ran to its end in {took}.{also}", False
