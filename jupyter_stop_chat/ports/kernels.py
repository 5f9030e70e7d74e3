"""What tools know of kernels: where one is, a run of one cell in it, and how that is ended.

A run is known by its mark, which nobody can guess: the kernel is asked to end the run with that
mark, and nothing else. A person's cells have none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from jupyter_stop_chat.wire.tools import KernelAnswer

#: Where a run's mark stands in the metadata of its request.
MARK = "stop_chat"

#: `missing`: the document has no kernel. `dead`: it has one that does not live. `restarting`:
#: it is being started. `no_answer`: it lives, and says nothing. `failed`: the server could not.
KernelFault = Literal["missing", "dead", "restarting", "no_answer", "failed"]
#: How a run ended. `done`, `error`: the cell did. `aborted`: the kernel did not begin it, since a
#: cell before it had failed. `refused`: nor this, because its run was stopped. `restarted`,
#: `died`: the kernel did, and the run with it.
RunOutcome = Literal["done", "error", "aborted", "refused", "restarted", "died"]


class KernelError(Exception):
    """A failure: a kernel cannot be had."""

    def __init__(self, code: KernelFault) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class KernelInfo:
    """A kernel of this server.

    :ivar name: of its kernel spec.
    :ivar path: the document that it runs for, as that is called now; it may run for others, too.
    :ivar session_id: what stands for the two together, whatever the document is called later.
    """

    kernel_id: str
    name: str
    path: str
    session_id: str = ""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What a kernel said to an interrupt of a run.

    :ivar ms: after so many milliseconds.
    :ivar exact: nothing else can have been interrupted.
    """

    answer: KernelAnswer
    ms: float
    exact: bool


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, and what it showed.

    :ivar outputs: as nbformat 4 has them, in order.
    :ivar left_out: so many characters of outputs were not kept; the notebook's own are whole.
    :ivar error: the name and the value of the error that ended it, without colours.
    :ivar asked: the cell wanted to ask its person something, and nobody was there.
    """

    outcome: RunOutcome
    outputs: Sequence[Mapping[str, Any]] = ()
    execution_count: int | None = None
    error: tuple[str, str] | None = None
    left_out: int = 0
    asked: bool = False


class Run(Protocol):
    """One run of a cell, from before it is sent to its end."""

    mark: str

    def sent(self, msg_id: str) -> None:
        """Note by which message somebody else sent it."""
        ...

    async def taken_up(self) -> None:
        """Wait until the kernel has come to it: it may stand behind a person's cell."""
        ...

    async def ended(self) -> RunEnd:
        """Wait until the kernel is done with it, and tell how it ended; for all who ask."""
        ...

    async def interrupt(self) -> Interrupted:
        """End this run and no other, and tell what the kernel says, within half a second.

        One that comes to the kernel later is refused there. May be called again.
        """
        ...

    def so_far(self) -> RunEnd:
        """Return what it has shown by now."""
        ...

    def drop(self) -> None:
        """Watch for it no more, where it was not sent."""
        ...


class Kernel(Protocol):
    """A kernel that is being used.

    :ivar exact: it ends a run by its mark; else an interrupt is sent after a look at what runs.
    """

    info: KernelInfo
    exact: bool

    async def idle(self) -> None:
        """Wait until the kernel has nothing to do, and can end runs by their marks.

        :raises KernelError: it never will be.
        """
        ...

    def expect(self, mark: str) -> Run:
        """Watch for a run that is about to be sent."""
        ...

    async def execute(self, run: Run, code: str) -> None:
        """Send a run from here, where no page does; it can ask nobody for input."""
        ...


class Kernels(Protocol):
    """The kernels of a server."""

    async def find(self, path: str) -> KernelInfo | None:
        """Return the kernel that runs for a document; None where there is none.

        :raises KernelError: `failed`.
        """
        ...

    def use(self, kernel_id: str) -> AbstractAsyncContextManager[Kernel]:
        """Be connected to a kernel of this server.

        :raises KernelError: `missing`, `dead`, `failed`.
        """
        ...

    async def where(self, info: KernelInfo) -> str | None:
        """Return how the document is called now that a kernel was found for."""
        ...

    async def start(self, path: str, name: str | None) -> KernelInfo:
        """Start a kernel for a document.

        :param name: of its kernel spec; None: the server's own choice.
        :raises KernelError: `failed`.
        """
        ...

    async def restart(self, kernel_id: str) -> None:
        """Start a kernel anew.

        :raises KernelError: `missing`, `failed`.
        """
        ...

    async def close(self) -> None:
        """Let go of all kernels; runs in them go on."""
        ...
