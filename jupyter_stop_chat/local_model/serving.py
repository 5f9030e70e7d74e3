"""Answer with llama.cpp, inside the child process."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from .history import Said, shortened
from .room import Room

#: The prompt is read in so many tokens at once. A stop is noticed between two batches: with 8,
#: the processor is idle after a tenth of a second; with 128 it took 1.7 s.
BATCH = 8
#: The longest answer, in tokens, unless the request says otherwise: small models may never end.
LONGEST_ANSWER = 1024
#: A history is cut until an answer of so many tokens has room.
SHORTEST_ANSWER = 256
#: Tokens kept free: a request that finds no room has read a few batches by then.
SPARE = 128
#: A Unix socket's path may not be longer, on any system.
_LONGEST_SOCKET_PATH = 100


@dataclass(slots=True)
class Ask:
    """One request."""

    id: int
    messages: list[Said]
    parameters: dict[str, Any] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)


class LlamaModel:
    """What answers several requests at once with one model.

    :param path: the GGUF file.
    :param context: how many tokens all requests together may hold.
    :param parallel: how many requests run at once; more of them wait.
    :param threads: how many processor cores are used.
    :raises ImportError: llama.cpp is not installed.
    :raises RuntimeError: it cannot load the file.
    """

    def __init__(self, path: str, context: int, parallel: int, threads: int) -> None:
        import xllamacpp

        options = xllamacpp.CommonParams()
        options.model.path = path
        options.n_ctx = context
        options.n_parallel = parallel
        # One request may use all of the context; `Room` sees to it that it never overflows.
        options.kv_unified = True
        options.n_batch = options.n_ubatch = BATCH
        options.cpuparams.n_threads = options.cpuparams_batch.n_threads = threads
        # Else up to 8 GB of earlier prompts are kept.
        options.cache_ram_mib = 0
        options.fit_params = False
        options.warmup = False
        options.ui = False
        options.endpoint_slots = False
        # The metrics are what `_settle` waits for.
        options.endpoint_metrics = True
        options.n_threads_http = 1
        options.verbosity = 1
        with _unreachable(options):
            self._server = xllamacpp.Server(options)
        self.context = context
        self._room = Room(parallel, context - SPARE)

    def cancel(self, ask: Ask) -> None:
        """Stop working on a request, wherever it is."""
        ask.cancelled.set()
        self._room.wake()

    def answer(self, ask: Ask, emit: Callable[..., None]) -> dict[str, Any]:
        """Answer a request; the model works on it no more when this returns.

        :param emit: told what is to be sent on the way.
        :returns: how it ended, as the parent is to be told.
        """
        messages, need = ask.messages, 0
        while self._room.enter(ask.id, need, ask.cancelled.is_set):
            dropped = len(ask.messages) - len(messages)
            attempt = _Attempt(ask, self._room, self.context, emit, dropped)
            try:
                request = _request(messages, ask.parameters)
                self._server.handle_chat_completions(request, attempt.on_chunk)
                self._settle()
            finally:
                self._room.leave(ask.id)
            if attempt.too_long:
                self.context = min(self.context, attempt.context)
                share = (self.context - attempt.answer_room) / attempt.too_long
                cut = shortened(messages, share)
                if cut is None:
                    return {"type": "error", "reason": "context_too_long"}
                messages, need = cut, 0
            elif attempt.no_room:
                need = attempt.no_room
            else:
                return attempt.ending()
        return {"type": "cancelled"}

    def _settle(self) -> None:
        """Wait until the model's loop has taken in that a request was left.

        Leaving a request puts a note into the loop's queue, which is emptied before the next
        batch; the answer to this one comes from the same queue.
        """
        self._server.handle_metrics()


class _Attempt:
    """What follows one run of a request through the chunks that llama.cpp calls back with."""

    def __init__(
        self, ask: Ask, room: Room, context: int, emit: Callable[..., None], dropped: int
    ) -> None:
        self._ask = ask
        self._dropped = dropped
        self._room = room
        self._emit = emit
        self._longest = ask.parameters.get("max_tokens", LONGEST_ANSWER)
        self.context = context
        #: So many tokens are left to the answer.
        self.answer_room = min(self._longest, SHORTEST_ANSWER) + SPARE
        #: The prompt's tokens, when they are too many.
        self.too_long = 0
        #: The tokens to wait for, when others hold too many.
        self.no_room = 0
        self._cancelled = False
        self._failed = False
        self._reason: str | None = None
        self._input: int | None = None
        self._output = 0

    def on_chunk(self, chunk: dict[str, Any]) -> bool:
        """Take one chunk; return True to stop."""
        if self._ask.cancelled.is_set():
            self._cancelled = True
            return True
        error = chunk.get("error") or (chunk if "choices" not in chunk else None)
        if error is not None:
            if error.get("type") == "exceed_context_size_error":
                self.too_long = error["n_prompt_tokens"]
                self.context = error["n_ctx"]
            else:
                self._failed = True
            return True
        progress = chunk.get("prompt_progress")
        if progress is not None and self._input is None and not self._admit(progress["total"]):
            return True
        self._output = chunk.get("timings", {}).get("predicted_n", self._output)
        for choice in chunk["choices"]:
            delta = choice["delta"]
            for part, kind in (("reasoning_content", "reasoning"), ("content", "text")):
                if text := delta.get(part):
                    self._emit(type=kind, text=text, output_tokens=self._output)
            self._reason = choice["finish_reason"] or self._reason
        if usage := chunk.get("usage"):
            self._input = usage["prompt_tokens"]
            self._output = usage["completion_tokens"]
        return False

    def ending(self) -> dict[str, Any]:
        """Tell how it ended."""
        if self._reason is not None:
            return {
                "type": "done",
                "reason": self._reason,
                "input_tokens": self._input,
                "output_tokens": self._output,
            }
        if self._cancelled:
            return {"type": "cancelled"}
        return {"type": "error", "reason": "failed"}

    def _admit(self, total: int) -> bool:
        """Go on with a prompt of so many tokens, if it fits and others leave room."""
        if total + self.answer_room > self.context:
            self.too_long = total
            return False
        need = total + min(self._longest, self.context - SPARE - total)
        if not self._room.hold(self._ask.id, need):
            self.no_room = need
            return False
        self._input = total
        self._emit(type="reading", input_tokens=total, dropped=self._dropped)
        return True


def _request(messages: list[Said], parameters: dict[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = {
        "max_tokens": LONGEST_ANSWER,
        **parameters,
        "messages": messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        # Called back once a batch while the prompt is read, so that a stop is noticed.
        "return_progress": True,
        "timings_per_token": True,
        "cache_prompt": True,
    }
    if messages[-1]["role"] == "assistant":
        # Templates that think first refuse to go on from a partial answer.
        request["chat_template_kwargs"] = {"enable_thinking": False}
    return request


@contextlib.contextmanager
def _unreachable(options: Any) -> Iterator[None]:
    """Keep the HTTP server, which cannot be left out, from everyone.

    It gets a key that nobody learns, and a socket file that is removed once it is bound; where
    there are no such sockets, a port of this machine's own.
    """
    options.api_keys = [secrets.token_hex(32)]
    options.port = 0
    folder = tempfile.mkdtemp(prefix="stop-chat-")
    try:
        path = os.path.join(folder, "s.sock")
        if os.name == "posix" and len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            options.hostnames = [path]
        else:
            options.hostnames = ["127.0.0.1"]
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)
