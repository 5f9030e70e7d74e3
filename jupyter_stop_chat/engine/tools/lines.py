"""The tool calls of a reply as they are shown, a line each, and how those end that have not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal

from jupyter_stop_chat.engine.pending import CALL_LIMIT, shown_call
from jupyter_stop_chat.ports.store import GOING_ON
from jupyter_stop_chat.wire.tools import CallCounts, KernelStop, ServerStop, ToolCall


class Lines:
    """The tool calls of one reply.

    :param tell: told of each call that is shown anew.
    :ivar shown: those that are committed, by their ids.
    :ivar made: those that were made.
    :ivar changed: which cells they changed, and which files, without a cell.
    :ivar counts: what became of those that passed the gate, once the reply has ended.
    :ivar kernel: what the kernel of a cell that was stopped said.
    :ivar server: what the server of a tool that was stopped said.
    :ivar on_late: told of a call that ended after its reply had.
    """

    def __init__(self, calls: Iterable[ToolCall], tell: Callable[[ToolCall], None]) -> None:
        self.shown = {each.call_id: each for each in calls}
        self.made = dict(self.shown)
        self.changed: set[tuple[str, str | None]] = set()
        self.counts: CallCounts | None = None
        self.kernel: KernelStop | None = None
        self.server: ServerStop | None = None
        self.on_late: Callable[[ToolCall], None] = lambda call: None
        self._tell = tell
        #: Those that passed the gate: of them all is known, also what waits for its commit.
        self._gated: set[str] = set()
        #: What of them runs on although nobody waits for it.
        self._left: set[str] = set()

    def make(self, call: ToolCall) -> ToolCall:
        """Note a call, and return it as it will be shown."""
        call = shown_call(call)
        self.made[call.call_id] = call
        return call

    def pass_gate(self, call: ToolCall) -> ToolCall:
        """Note a call that passes the gate; it is kept whole elsewhere."""
        call = shown_call(call, CALL_LIMIT)
        self.made[call.call_id] = call
        self._gated.add(call.call_id)
        return call

    def tell(self, call_id: str, fields: Mapping[str, Any]) -> None:
        """Show something of a call that runs, which is not kept."""
        call = self.shown.get(call_id)
        if call is not None and call.state == "running":
            self.show(call.model_copy(update=dict(fields)))

    def show(self, call: ToolCall) -> None:
        """Show a call as it is now."""
        self.shown[call.call_id] = call
        self._tell(call)

    def amend(self, call: ToolCall) -> None:
        """Show that a call of an earlier part of the reply has ended, which ran on behind that."""
        before = self.shown.get(call.call_id)
        if before is not None and before.state == "still_running":
            self.show(call)

    # --- the end -----------------------------------------------------------------------------

    def end(self, length: int, *, failed: bool) -> None:
        """Give each call that has not ended its end: the reply's own.

        :param length: of the reply's text: no call is behind its end.
        """
        counts = Counter[str]()
        known = {**self.shown, **{each: self.made[each] for each in self._gated}}
        for call_id, call in known.items():
            gated, ended = call_id in self._gated, call
            if call.state in GOING_ON:
                began = call.state == "running"
                counts["interrupted" if began else "not_begun"] += 1
                state: Literal["failed", "interrupted", "still_running"]
                state = "failed" if failed and began else "interrupted"
                state = "still_running" if call_id in self._left else state
                over = {"approval": None, "waits_for": None, "progress": None}
                ended = call.model_copy(update={"state": state, **over})
            elif gated and call.state != "refused":
                counts["completed"] += 1
            if gated:
                ended = ended.model_copy(update={"at": min(ended.at or 0, length)})
            if ended != self.shown.get(call_id):
                self.show(ended)
        if self._gated:
            files = sum(1 for _, cell_id in self.changed if cell_id is None)
            cells = len(self.changed) - files
            self.counts = CallCounts(**counts, cells_changed=cells, files_changed=files)

    def leave(self, call_id: str, work: asyncio.Future[Any]) -> None:
        """Note that a call goes on behind its stop, until something is done."""
        self._left.add(call_id)
        work.add_done_callback(partial(self._done, call_id))

    def _done(self, call_id: str, work: asyncio.Future[Any]) -> None:
        if not work.cancelled():
            work.exception()  # nobody is told any more
        self._end_late(call_id)

    def leave_all(self) -> None:
        """Note that what runs does not end with its reply."""
        self._left.update(each for each in self._gated if self.made[each].state == "running")

    def end_all(self) -> None:
        """Note that it has ended."""
        for each in list(self._left):
            self._end_late(each)

    def tell_late(self, tell: Callable[[ToolCall], None], kept: Iterable[ToolCall]) -> None:
        """Tell from now on of calls that end after their reply.

        :param kept: as they were written down: one may have ended meanwhile.
        """
        self.on_late = tell
        for before in kept:
            call = self.shown.get(before.call_id)
            if call is not None and before.state == "still_running" != call.state:
                tell(call)

    def _end_late(self, call_id: str) -> None:
        self._left.discard(call_id)
        call = self.shown.get(call_id)
        if call is not None and call.state == "still_running":
            call = call.model_copy(update={"state": "interrupted"})
            self.show(call)
            self.on_late(call)
