"""What the server puts into ipykernel, so that a run is interrupted by its mark, and no other.

It is sent as text and runs there: Python 3.8 or later, ipykernel 6 or 7. The server has no use for
more of it than its names.

A request that bears a mark is noted while the kernel's main thread answers it. The server names a
mark in a control message, which the kernel reads in another thread. That thread sends the main one
a signal which the kernel ignores by default and which reaches nothing else, no child process
either; its handler looks once more whose run this is. A run that comes later than the message that
names its mark is answered as aborted.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import signal
import sys
import threading
import time
from typing import Any

from .frames import HANDLE, calls_within, is_of, is_turn
from .raised import AGAIN_S, Raised
from .waited import interrupt_waited_for

#: To be raised with each change: a kernel may still have the one before.
VERSION = 4
MARK = "stop_chat"
REQUEST, REPLY = "stop_chat_interrupt_request", "stop_chat_interrupt_reply"
#: The signal is sent again and again, so many seconds apart: it may come where nothing can be
#: raised, or just before the main thread goes to sleep. After so long it is answered all the same,
#: and sent more and more seldom until the run has ended.
PAUSE_S, ANSWER_S, LATER, LONGEST_S = 0.004, 0.1, 1.5, 0.5
#: Where nothing has come of them in so many seconds, the main thread may be in C code that waits.
STUCK_S = 0.05
#: In so many seconds a loop cancels what it is told to, if nothing holds it.
TURNS_S = 0.03
#: Whose task it is that the loop is in: what a cell begins inherits its mark.
_RUN: contextvars.ContextVar[Any] = contextvars.ContextVar("stop_chat_run", default=None)
#: So many marks of runs that ended, and of those that shall not begin, are remembered.
MOST_MARKS = 1000


class Piece:
    """What knows which run the main thread is in, and interrupts it.

    :ivar running: the mark of that run.
    :ivar wanted: the mark of the run that is to be interrupted.
    :ivar did: what became of that.
    :ivar cancelled: the mark of the run that ipykernel was told last to cancel.
    :ivar raised: the interrupt that was raised in it.
    :ivar asked: when it was asked for; `anew`: and nothing was raised since.
    :ivar soon: the next signal is not to be waited for.
    :ivar processes: those that were interrupted since then.
    :ivar broken: the task that was cancelled since then, by its outermost frame.
    """

    version = VERSION

    def __init__(self, kernel: Any, shell: Any, base: Any, execute: Any) -> None:
        self.kernel, self.shell = kernel, shell
        self.execute = execute
        self.codes = {kind.run_code.__code__ for kind in (type(shell), base)}
        self.starts = {kind.run_cell_async.__code__ for kind in (type(shell), base)}
        own = (self.on_signal, self.interrupt_in, self.again_in, Raised.on_event)
        self.own = {each.__code__ for each in own}
        self.showing = base.showtraceback.__code__
        self.running: Any = None
        self.wanted: Any = None
        self.did = ""
        self.cancelled: Any = None
        self.later: Any = None
        self.raised: Any = None
        self.anew, self.asked, self.soon = False, 0.0, False
        self.processes: set[Any] = set()
        self.broken: Any = None
        self.refused: dict[str, None] = {}
        self.unrun: dict[str, None] = {}
        self.done: dict[str, None] = {}

    def whole(self) -> bool:
        """Tell whether nobody has put something else in its place."""
        return (
            self.kernel.shell_handlers.get("execute_request") == self.execute_request
            and self.kernel.control_handlers.get(REQUEST) == self.interrupt_request
            and signal.getsignal(signal.SIGURG) == self.on_signal
        )

    def put_in(self) -> None:
        """Take the places from which it works."""
        signal.signal(signal.SIGURG, self.on_signal)
        self.kernel.control_handlers[REQUEST] = self.interrupt_request
        self.kernel.shell_handlers["execute_request"] = self.execute_request

    async def execute_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Answer a request as ever, or as aborted where its run is not wanted any more."""
        if threading.current_thread() is not threading.main_thread():
            await self.execute(stream, ident, parent)
            return
        mark = (parent.get("metadata") or {}).get(MARK)
        mark = mark if isinstance(mark, str) else None
        before = self.running
        # First this, then the look: the other thread does it the other way round.
        self.running = mark
        _RUN.set(mark)
        try:
            if mark in self.refused:
                remember(self.unrun, mark)
                self.kernel._send_abort_reply(stream, parent, ident)
            else:
                await self.execute(stream, ident, parent)
        finally:
            if mark is not None:
                remember(self.done, mark)
                if self.wanted == mark:
                    self.wanted = None
                self.forget()
            self.running = before
            _RUN.set(before)

    async def interrupt_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Interrupt the run that is named, and answer what became of it."""
        answer = await self.interrupt(parent["content"].get("mark"))
        content = {"status": "ok", "answer": answer}
        self.kernel.session.send(stream, REPLY, content, parent, ident=ident)

    async def interrupt(self, mark: Any) -> str:
        """Interrupt a run; one that has not begun never will.

        It is called in the thread that answers control messages.
        """
        if not isinstance(mark, str) or not self.whole():
            return "unfit"
        remember(self.refused, mark)
        if self.running != mark:
            return "ended" if mark in self.done and mark not in self.unrun else "refused"
        if self.later is not None:
            self.later.cancel()
        self.did, self.cancelled, self.anew, self.asked = "", None, True, time.monotonic()
        self.processes, self.broken = set(), None
        self.wanted = mark
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            self.send(mark)
            await asyncio.sleep(PAUSE_S)
            if self.did:
                break
            if self.running != mark:
                return "refused" if mark in self.unrun else "ended"
        # It is where nothing can be raised, as while it begins on a slow machine; or in C code.
        # And what was raised may come to nothing.
        self.later = asyncio.ensure_future(self.go_on(mark))
        return self.did or "pending"

    async def go_on(self, mark: str) -> None:
        """Interrupt a run that has not ended yet, as soon as it can be."""
        pause = PAUSE_S
        while self.send(mark):
            pause = PAUSE_S if self.soon else min(pause * LATER, LONGEST_S)
            self.soon = False
            await asyncio.sleep(pause)

    def send(self, mark: str) -> bool:
        """Send the signal, if the run is still meant, and tell whether it is."""
        meant: bool = self.running == mark == self.wanted
        if meant:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGURG)
            if self.anew and time.monotonic() > self.asked + STUCK_S:
                still = lambda: self.running == mark == self.wanted and self.in_cell()  # noqa: E731
                interrupt_waited_for(self.processes, still)
        return meant

    def on_signal(self, number: int, frame: Any) -> None:
        """Interrupt what the main thread is in, if that is the run that is meant."""
        __tracebackhide__ = True  # an error that comes of this one shows its traceback as well
        if self.wanted is None or self.running != self.wanted:
            return
        handler: Any = signal.getsignal(signal.SIGINT)
        usual = handler is signal.default_int_handler
        of_ipykernel = str(getattr(handler, "__module__", "")).startswith("ipykernel")
        around = self.around(frame)
        if self.raised is not None:
            # Whoever asks again means it, also where the cell deals with the interrupt before.
            if not (self.raised.came_to_nothing(frame) or (self.anew and not self.raised.ends())):
                self.raised.watch()
                return
            self.forget()
            self.soon = True
        if (usual or of_ipykernel) and around:
            busy = self.busy(frame, around[0])
            if busy is None or time.monotonic() > self.asked + AGAIN_S:
                self.interrupt_in(frame, around, busy)
            return
        # Outside of the cell's own code an exception would end ipykernel's. It is tried again.
        if of_ipykernel:
            # The cell waits in the loop, and is cancelled there, in the second turn from now.
            # Where it goes on before that, and never waits again, the next signal finds its code.
            if self.cancelled != self.wanted:
                self.cancelled, self.anew = self.wanted, False
                handler(signal.SIGINT, frame)
                self.in_turn(self.wanted, 2)
            elif time.monotonic() > self.asked + TURNS_S:
                # The loop does not come to that. The interrupt itself would end the loop. Once a
                # task: what it does then is its way to end.
                task = self.began(frame)
                if task is not None and task is not self.broken:
                    self.broken = task
                    raise self.error(asyncio.CancelledError)
        elif callable(handler) and not usual and (around or not self.answers(frame)):
            # The cell has one of its own.
            self.wanted, self.did = None, "handler"
            handler(signal.SIGINT, frame)

    def interrupt_in(self, frame: Any, around: list[Any], busy: Any) -> None:
        """Raise the interrupt in the cell's own code.

        :param frame: where that is.
        """
        __tracebackhide__ = True
        calls = calls_within(frame, around[0], self.codes) if busy is None else []
        self.raised = Raised(self.error(KeyboardInterrupt), around, busy, calls, self.again_in)
        self.did, self.anew = "raised", False
        raise self.raised.error

    def again_in(self, frame: Any) -> None:
        """Raise it again as IPython comes back to the cell, if that is still meant."""
        __tracebackhide__ = True
        around = self.around(frame)
        if around and self.running == self.wanted is not None:
            self.forget()
            self.interrupt_in(frame, around, None)

    def error(self, kind: type[BaseException]) -> BaseException:
        """Make what is raised; IPython has it say itself how its traceback looks."""
        error: Any = kind()
        error._render_traceback_ = lambda: self.rendered(error)
        made: BaseException = error
        return made

    def rendered(self, error: BaseException) -> Any:
        """Return a traceback as ever, without the frame of the handler, of no use to anybody."""
        self.soon = True  # where this is a cell within, the one around it is about to go on
        at: Any = error.__traceback__
        while at is not None and at.tb_next is not None:
            if at.tb_next.tb_frame.f_code in self.own:
                at.tb_next = None
            at = at.tb_next
        return self.shell.InteractiveTB.structured_traceback(
            type(error), error, error.__traceback__
        )

    def around(self, frame: Any) -> list[Any]:
        """Return the frames of IPython that run the cell, if a frame is of the cell's own code.

        That may run other cells, or even answer other requests, within; or turn the loop, in which
        something of its person's may have its turn.
        """
        frames: list[Any] = []
        turns = False
        while frame is not None and frame.f_code is not _EXECUTE:
            if not turns and is_turn(frame):
                turns = True
                waits = frame.f_code is not HANDLE and frames and is_of(frames[-1], ("selectors",))
                if not (waits or (frames and self.is_own(frames[-1]))):
                    self.soon = True
                    return []
            frames.append(frame)
            frame = frame.f_back
        own = [n for n, each in enumerate(frames) if each.f_code in self.codes]
        return frames[own[-1] :] if own else []

    def is_own(self, first: Any) -> bool:
        """Tell whether a turn of the loop is of the run.

        :param first: the outermost frame of that turn.
        """
        parent = getattr(self.kernel, "_shell_parent", None)  # in ipykernel 7, of each task
        of = parent.get({}) if isinstance(parent, contextvars.ContextVar) else {}
        mark = (of.get("metadata") or {}).get(MARK) if of else self.wanted
        return _RUN.get() == self.wanted == mark and not is_of(first, _OF_LOOP)

    def in_cell(self) -> bool:
        """Tell whether the main thread is in the cell's own code, from another thread."""
        frame: Any = sys._current_frames().get(threading.main_thread().ident or 0)
        last, runs = frame, False
        while frame is not None and frame.f_code is not _EXECUTE:
            if frame.f_code is HANDLE:
                return runs and last.f_code in self.starts
            runs = runs or frame.f_code in self.codes
            last, frame = frame, frame.f_back
        return runs and frame is not None

    def forget(self) -> None:
        """Know no more of what was raised."""
        if self.raised is not None:
            self.raised.watch_no_more()
            self.raised = None

    def busy(self, frame: Any, own: Any) -> Any:
        """Return the frame of what an interrupt would be lost in, and which soon ends by itself.

        It frees an object; or it shows by what error the cell has ended.

        :param own: the frame that runs the cell.
        """
        found = None
        while frame is not own:
            code, caller = frame.f_code, frame.f_back
            if code.co_name == "__del__" or (code is self.showing and caller is own):
                found = frame
            frame = caller
        return found

    def began(self, frame: Any) -> Any:
        """Return the outermost frame of what the loop is in, if the cell has begun that."""
        while frame is not None and (frame.f_back is None or frame.f_back.f_code is not HANDLE):
            frame = frame.f_back
        own = frame is not None and self.is_own(frame) and not is_of(frame, ("IPython",))
        return frame if own else None

    def answers(self, frame: Any) -> bool:
        """Tell whether a frame is within what answers requests: it neither runs nor waits."""
        while frame is not None and frame.f_code is not _EXECUTE:
            frame = frame.f_back
        return frame is not None

    def in_turn(self, mark: str, turns: int) -> None:
        """Note that a cell was cancelled, so many turns of the loop later."""
        loop = self.kernel.io_loop.asyncio_loop
        if turns:
            loop.call_soon_threadsafe(self.in_turn, mark, turns - 1)
        elif self.wanted == mark:
            self.wanted, self.did = None, "handler"


#: What makes a kernel's loop turn.
_OF_LOOP = ("ipykernel", "tornado", "zmq", "jupyter_stop_chat")
_EXECUTE = Piece.execute_request.__code__


def remember(marks: dict[str, None], mark: str) -> None:
    """Add a mark, and forget the oldest."""
    marks[mark] = None
    while len(marks) > MOST_MARKS:
        del marks[next(iter(marks))]


def install() -> str:
    """Put the piece in, where all that it leans on is as it must be: `fit`, else `unfit`."""
    try:
        from IPython.core.getipython import get_ipython
        from IPython.core.interactiveshell import InteractiveShell

        shell: Any = get_ipython()  # type: ignore[no-untyped-call, unused-ignore]
        kernel = shell.kernel
        there = getattr(kernel, "_stop_chat", None)
        if there is not None and there.version == VERSION:
            return "fit" if there.whole() else "unfit"
        execute = kernel.shell_handlers["execute_request"]
        taken: Any = (signal.SIG_DFL, signal.SIG_IGN, None)
        if there is not None:
            if not there.whole():
                return "unfit"
            execute, taken = there.execute, (*taken, there.on_signal)
        piece = Piece(kernel, shell, InteractiveShell, execute)
        if (
            threading.current_thread() is threading.main_thread()
            and hasattr(signal, "pthread_kill")
            and signal.getsignal(signal.SIGURG) in taken
            and kernel.control_thread is not None
            and kernel.control_thread.is_alive()
            and inspect.iscoroutinefunction(execute)
            and len(inspect.signature(execute).parameters) == 3
            and len(inspect.signature(kernel._send_abort_reply).parameters) == 3
            and callable(kernel.io_loop.asyncio_loop.call_soon_threadsafe)
            and callable(kernel.session.send)
            and isinstance(kernel.control_handlers, dict)
        ):
            piece.put_in()
            kernel._stop_chat = piece
            return "fit"
    except Exception:  # noqa: BLE001 - of whichever ipykernel
        return "unfit"
    return "unfit"
