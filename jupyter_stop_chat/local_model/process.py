"""The parent's side of the child process that runs the model: who asked it for what.

All of it happens on the event loop; `pipes` does what blocks.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from . import CONTEXT, PIPE_PROTOCOL
from .pipes import End, Pipes

log = logging.getLogger(__name__)

#: How long a child that was asked to end may take, in seconds.
_END_S = 0.5
#: More threads than this make a small model slower.
_MOST_THREADS = 8

#: How the child is started. `-P` keeps files of the working directory from being imported.
CHILD: tuple[str, ...] = (sys.executable, "-P", "-m", "jupyter_stop_chat.local_model.child")

Reason = Literal["missing_file", "missing_package", "bad_model", "crashed", "no_memory"]
#: What llama.cpp and Python say when they get no more memory.
_NO_MEMORY = re.compile(r"failed to allocate|unable to allocate|bad_alloc|MemoryError")


class StartFailed(Exception):
    """Why the child could not load the model.

    :param reason: `missing_file` also stands for a file that is no GGUF.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use and how long it may take.

    :ivar context: tokens that all requests of a child hold together.
    :ivar parallel: requests that a child works on at once; more of them wait.
    :ivar confirm_s: seconds until a child that does not confirm a cancel is killed.
    :ivar start_s: seconds until a child that has not loaded the model is killed.
    :ivar idle_s: seconds without a request until a child is ended.
    :ivar memory_mb: megabytes that a child may use besides the weights; 0: as many as it likes.
    """

    context: int = CONTEXT
    parallel: int = 4
    confirm_s: float = 2.0
    start_s: float = 120.0
    idle_s: float = 600.0
    memory_mb: int = 0


def thread_count() -> int:
    """Count the cores to use: one is left to the server."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores - 1, _MOST_THREADS))


class Countdown:
    """What calls something once, after a time, unless it is stopped before."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float, callback: Callable[[], None]) -> None:
        """Start, or start anew."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(seconds, callback)

    def stop(self) -> None:
        """Call nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Request:
    """One request to the child.

    :param on_closed: called once, when the child works on it no more.
    """

    def __init__(self, request_id: int, on_closed: Callable[[], None]) -> None:
        self.id = request_id
        self.closed = False
        self.cancelled = False
        self.deadline = Countdown()
        self._on_closed = on_closed
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def next(self) -> dict[str, Any]:
        """Wait for what the child says next about this request; `done` or `cancelled` is last.

        :raises StopChatError: `local_model_crashed`, `context_too_long`, `generation_failed`.
        """
        message = await self._said.get()
        if message["type"] == "error":
            raise StopChatError(message["code"], message.get("detail", ""))
        return message

    def say(self, message: dict[str, Any]) -> None:
        """Pass on what the child said."""
        self._said.put_nowait(message)

    def close(self) -> None:
        """Note that the child works on this no more."""
        self.closed = True
        self.deadline.stop()
        try:
            self._on_closed()
        except Exception:
            log.exception("A reply could not be told that the local model works on it no more")


class ModelProcess:
    """The owner of one child and of the requests to it. Belongs to the event loop it is made on.

    :param path: the GGUF file.
    :param limits: what it may use.
    :param command: how the child is started.
    """

    def __init__(
        self, path: Path, limits: Limits | None = None, command: Sequence[str] = CHILD
    ) -> None:
        self._limits = limits or Limits()
        self._requests: dict[int, Request] = {}
        self._ids = itertools.count(1)
        #: No further request is taken: it is ending, or has ended.
        self.ending = False
        #: Set when the child is gone.
        self.gone = asyncio.Event()
        self._loaded = False
        #: Set when it is known whether the model could be loaded.
        self._decided = asyncio.Event()
        self._failure: Reason | None = None
        self._waiting = 0
        self._idle = Countdown()
        self._nobody_waits = Countdown()
        self._ending_deadline = Countdown()
        self._start_deadline = Countdown()
        self._start_deadline.start(self._limits.start_s, self._too_slow)
        self._pipes = Pipes(command, path, self._take, self._end_all)
        self._pipes.send(
            type="load",
            protocol=PIPE_PROTOCOL,
            path=str(path),
            context=self._limits.context,
            parallel=self._limits.parallel,
            threads=thread_count(),
            memory_mb=self._limits.memory_mb,
        )

    @property
    def pid(self) -> int | None:
        """Return the child's process id, once it is started."""
        return self._pipes.pid

    @property
    def busy(self) -> bool:
        """Tell whether anyone waits for it."""
        return bool(self._requests) or self._waiting > 0

    async def ready(self) -> None:
        """Wait until the model is loaded.

        :raises StartFailed: it cannot be.
        """
        self._waiting += 1
        self._nobody_waits.stop()
        self._idle.stop()
        try:
            await self._decided.wait()
        finally:
            self._waiting -= 1
            if self._waiting == 0 and not self._decided.is_set():
                # Loading goes on for a moment, since the next prompt is likely to be near.
                self._nobody_waits.start(self._limits.confirm_s, self.kill)
            self._rest()
        if self._failure is not None:
            raise StartFailed(self._failure)

    def ask(
        self,
        messages: list[dict[str, str]],
        parameters: dict[str, Any],
        on_closed: Callable[[], None],
    ) -> Request:
        """Ask the child, which must be ready, for an answer.

        :param messages: the history; a last one of the assistant is gone on from.
        :param on_closed: called once, when the child works on it no more.
        :raises StopChatError: `local_model_crashed`, when it has ended meanwhile.
        """
        if self.ending:
            raise StopChatError(ErrorCode.LOCAL_MODEL_CRASHED, "it ended before it was asked")
        self._idle.stop()
        request = Request(next(self._ids), on_closed)
        self._requests[request.id] = request
        self._pipes.send(type="generate", id=request.id, messages=messages, parameters=parameters)
        return request

    def cancel(self, request: Request) -> None:
        """Have the child stop working on a request; it confirms later, or is killed."""
        if request.closed or request.cancelled:
            return
        request.cancelled = True
        self._pipes.send(type="cancel", id=request.id)
        request.deadline.start(self._limits.confirm_s, self._unconfirmed)

    def kill(self) -> None:
        """End the child at once."""
        self.ending = True
        self._pipes.kill()

    async def close(self) -> None:
        """End the child and wait until it is gone."""
        self.end()
        try:
            async with asyncio.timeout(_END_S):
                await self.gone.wait()
        except TimeoutError:
            self.kill()
            await self.gone.wait()

    def end(self) -> None:
        """Ask the child to end; one that does not is killed."""
        if not self.ending:
            self.ending = True
            self._pipes.close()
            self._ending_deadline.start(_END_S, self.kill)

    # --- on the loop ---------------------------------------------------------------------

    def _rest(self) -> None:
        """Start to count idle time, if it is idle."""
        if self._loaded and not self.ending and not self.busy:
            self._idle.start(self._limits.idle_s, self.end)

    def _too_slow(self) -> None:
        log.warning("The local model was not loaded in %g s", self._limits.start_s)
        self.kill()

    def _unconfirmed(self) -> None:
        log.warning("The local model did not confirm a stop in time and is ended")
        self.kill()

    def _take(self, message: dict[str, Any]) -> None:
        """Take one message of the child; what it may not say ends it."""
        try:
            if not self._decided.is_set():
                self._take_start(message)
            else:
                self._take_answer(message)
        except (KeyError, TypeError, ValueError):
            log.warning("The local model said something that nobody understands and is ended")
            self.kill()

    def _take_start(self, message: dict[str, Any]) -> None:
        if message["type"] == "ready":
            if message["protocol"] != PIPE_PROTOCOL:
                raise ValueError(message["protocol"])
            self._loaded = True
        elif message["type"] == "failed":
            missing = message["reason"] == "missing_package"
            self._failure = "missing_package" if missing else "bad_model"
            self.ending = True
            if not missing and self._limits.memory_mb:
                return  # it ends now, and its log tells whether it was the file
        else:
            raise ValueError(message["type"])
        self._start_deadline.stop()
        self._nobody_waits.stop()
        self._decided.set()
        self._rest()

    def _take_answer(self, message: dict[str, Any]) -> None:
        request = self._requests[message["id"]]
        kind = message["type"]
        if kind in ("reading", "text", "reasoning", "done"):
            counted = message["input_tokens" if kind == "reading" else "output_tokens"]
            text = message["text"] if kind in ("text", "reasoning") else ""
            if not isinstance(counted, int) or not isinstance(text, str):
                raise TypeError(kind)
        if kind in ("reading", "text", "reasoning"):
            request.say(message)
            return
        if kind == "error":
            too_long = message["reason"] == "context_too_long"
            code = ErrorCode.CONTEXT_TOO_LONG if too_long else ErrorCode.GENERATION_FAILED
            message = {"type": "error", "code": code}
        elif kind not in ("done", "cancelled"):
            raise ValueError(kind)
        del self._requests[request.id]
        request.say(message)
        request.close()
        self._rest()

    def _end_all(self, end: End) -> None:
        """Tell everyone that the child is gone."""
        expected = (self.ending and not self._requests) or end.missing_file
        if self._failure is not None or not expected:
            log.warning("The local model ended unexpectedly (status %s)\n%s", end.status, end.log)
        self.ending = True
        self._start_deadline.stop()
        self._idle.stop()
        self._nobody_waits.stop()
        self._ending_deadline.stop()
        if not self._decided.is_set():
            self._failure = self._failure or ("missing_file" if end.missing_file else "crashed")
            if self._limits.memory_mb and _NO_MEMORY.search(end.log):
                self._failure = "no_memory"
            self._decided.set()
        self.gone.set()
        gone = list(self._requests.values())
        self._requests.clear()
        for request in gone:
            code = ErrorCode.LOCAL_MODEL_CRASHED
            request.say({"type": "error", "code": code, "detail": f"status {end.status}"})
            request.close()
