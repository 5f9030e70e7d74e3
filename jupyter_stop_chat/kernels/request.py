"""One request to run a cell, as a kernel tells of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from jupyter_stop_chat.ports.kernels import RunEnd, RunOutcome

from .heard import Heard
from .outputs import KINDS, MOST, Outputs

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
#: No kernel counts so far: what keeps outputs could not hold it.
MOST_COUNTED = 2**31
#: A longer text on a stream is read to there, in bytes: no more of it could be kept.
LONGEST_READ = MOST
#: What ipykernel's default frontend says where nobody can be asked.
NOBODY_ASKED = "StdinNotImplementedError"
#: Errors that are an interrupt: one that nobody caught, or that of a cell that awaits.
_INTERRUPTS = frozenset({"KeyboardInterrupt", "CancelledError"})
#: What IPython's %%bash says of a process that has no exit status yet, since it was interrupted,
#: and of one that has.
_OF_BASH = {"TypeError": "%d format", "CalledProcessError": "died with <Signals.SIG"}


@dataclass(slots=True)
class Request:
    """What was heard of one request.

    :ivar taken: told once: the kernel has taken it up.
    :ivar life: the kernel's, in which that was, or in which it was sent.
    :ivar begun: its cell runs, or did.
    :ivar interrupt: its error comes of an interrupt.
    :ivar ended: told once: the kernel is done with it.
    :ivar on_begin: called once, as its cell begins.
    """

    msg_id: str
    outputs: Outputs
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    life: Hashable = None
    begun: bool = False
    count: int | None = None
    error: tuple[str, str] | None = None
    interrupt: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    on_begin: Callable[[], None] | None = None

    async def hear(self, heard: Heard) -> None:
        """Take a message of which it is the parent."""
        if heard.kind == "execute_input":
            count = (await heard.content()).get("execution_count")
            is_count = isinstance(count, int) and 0 <= count < MOST_COUNTED
            self.count = count if is_count else None
            self._begin()
        elif heard.kind in KINDS:
            self._begin()
            if self.outputs.full(heard.kind, heard.size):
                self.outputs.leave_out(heard.size)
                return
            if heard.kind == "stream" and heard.size > LONGEST_READ:
                self.outputs.add(heard.kind, await heard.beginning(LONGEST_READ), LONGEST_READ)
                self.outputs.leave_out(heard.size - LONGEST_READ)
                return
            content = await heard.content()
            self.outputs.add(heard.kind, content, heard.size)
            if heard.kind == "error":
                self.error = (_plain(content.get("ename")), _plain(content.get("evalue")))
                self.interrupt = _is_interrupt(*self.error, content.get("traceback"))

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            self.taken.set()
            if self.on_begin is not None:
                self.on_begin()

    def told(self, outcome: RunOutcome | None = None, *, stopped: bool = False) -> RunEnd:
        """Tell how it ended, and what it showed.

        :param outcome: where that cannot be seen from what was heard.
        :param stopped: its run was to be interrupted.
        """
        error = self.error
        if outcome is None and not self.begun:
            outcome = "refused" if stopped else "aborted"
        elif outcome is None:
            outcome = "error" if error is not None else "done"
        if stopped and self.interrupt:
            error = ("KeyboardInterrupt", "")
        asked = self.error is not None and self.error[0] == NOBODY_ASKED
        shown = self.outputs.built()
        return RunEnd(outcome, shown, self.count, error, self.outputs.left_out, asked)


def _is_interrupt(name: str, value: str, traceback: object) -> bool:
    """Tell whether an error comes of an interrupt: it is one, or came up while one was handled."""
    lines = traceback if isinstance(traceback, list) else []
    return (
        name in _INTERRUPTS
        or (name in _OF_BASH and _OF_BASH[name] in value)
        or any("KeyboardInterrupt" in str(line) for line in lines)
    )


def _plain(text: object) -> str:
    return _COLOURS.sub("", str(text or ""))
