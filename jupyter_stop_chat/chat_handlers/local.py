"""The built-in local model as a chat handler."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from jupyter_stop_chat.local_model import CONTEXT
from jupyter_stop_chat.local_model.continuation import Joint
from jupyter_stop_chat.local_model.process import CHILD, Limits, ModelProcess, StartFailed
from jupyter_stop_chat.local_model.weights import SMOLLM2, Weights, find_weights, weights_path
from jupyter_stop_chat.ports.handler import (
    Event,
    Finished,
    HistoryCut,
    Reasoning,
    Text,
    TokensUsed,
    Turn,
)
from jupyter_stop_chat.ports.instructions import Takes
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.utf16 import whole

#: The name behind `local:` that stands for the installed weights.
BUILT_IN = "smollm2"
#: What its makers recommend.
_BUILT_IN_PARAMETERS = {"temperature": 0.2, "top_p": 0.9}
_NUMBERS = {"temperature": (0.0, 5.0), "top_p": (0.0, 1.0), "min_p": (0.0, 1.0)}
_WHOLE_NUMBERS = {"max_tokens": (1, 1 << 20), "seed": (0, (1 << 32) - 1), "top_k": (0, 1 << 20)}


def unavailable(data_dir: Path, weights: Weights = SMOLLM2) -> ErrorCode | None:
    """Tell why `local:smollm2` cannot be used, or None; reads no file and imports nothing.

    :param data_dir: Jupyter's data directory.
    """
    from importlib.util import find_spec

    if find_spec("xllamacpp") is None:
        return ErrorCode.MISSING_PACKAGE
    return ErrorCode.LOCAL_MODEL_MISSING if find_weights(data_dir, weights) is None else None


class LocalHandler:
    """What makes replies with a model that runs on this machine, in a child process.

    Belongs to the event loop of its first reply.

    :param data_dir: Jupyter's data directory, below which the weights are.
    :param idle_shutdown_s: seconds without a request until the child is ended.
    :param confirm_s: seconds until a child that does not confirm a stop is killed.
    :param start_s: seconds until a child that has not loaded its model is killed.
    :param context: tokens that all requests of a child hold together.
    :param memory_mb: megabytes that a child may use besides the weights; 0: no limit.
    :param command: how the child is started.
    """

    #: It is too small for good titles, and a stop must leave the processor idle at once.
    makes_titles = False
    #: The built-in ones it cannot follow, and would read them with each prompt: that takes time.
    takes_instructions: Takes = "given"

    def __init__(
        self,
        data_dir: Path,
        *,
        idle_shutdown_s: float = 600.0,
        confirm_s: float = 2.0,
        start_s: float = 120.0,
        context: int = CONTEXT,
        memory_mb: int = 0,
        command: Sequence[str] = CHILD,
    ) -> None:
        self._data_dir = data_dir
        self.max_input_tokens = context
        self._limits = Limits(
            context=context,
            confirm_s=confirm_s,
            start_s=start_s,
            idle_s=idle_shutdown_s,
            memory_mb=memory_mb,
        )
        self._command = command
        self._processes: dict[Path, ModelProcess] = {}
        self._ending: list[ModelProcess] = []
        self._closed = False

    async def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        """Make one reply.

        When it is stopped, it ends at once; the child's confirmation arrives a little later, and
        is reported to the turn then.

        :param turn: `model` is `smollm2`, or the absolute path of a GGUF file.
        :raises StopChatError: `local_model_missing`, `missing_package`, `unknown_model`,
            `local_model_crashed`, `local_model_memory`, `context_too_long`,
            `generation_failed`, `invalid_field`, `shutting_down`.
        """
        # In a thread: where Jupyter keeps its data is asked of the disk.
        path = await asyncio.to_thread(self._path, turn.model)
        parameters = self._parameters(turn)
        joint = Joint(whole(turn.prefix))
        messages = [{"role": said.role, "content": whole(said.text)} for said in turn.messages]
        if turn.system is not None:
            # By its chat template; one that knows no such role has it put before the first prompt.
            messages.insert(0, {"role": "system", "content": whole(turn.system)})
        if joint.prefix:
            messages.append({"role": "assistant", "content": joint.prefix})
        process = self._process(path)
        try:
            await process.ready()
        except StartFailed as failure:
            raise self._start_error(failure, turn.model) from None
        turn.provider_started()
        request = process.ask(messages, parameters, turn.provider_closed)
        try:
            count = 0
            kind = ""
            while kind not in ("done", "cancelled"):
                message = await request.next()
                kind = message["type"]
                if kind == "reading":
                    if 0 < (dropped := int(message.get("dropped", 0))) < len(turn.messages):
                        yield HistoryCut(turn.messages[dropped].id)
                    yield TokensUsed(input_tokens=message["input_tokens"])
                elif kind == "text" and (text := joint.feed(message["text"])):
                    yield Text(text)
                elif kind == "reasoning":
                    yield Reasoning(message["text"])
                # As they come, so that a reply that is stopped has an exact count as well.
                if (made := message.get("output_tokens", 0)) > count:
                    yield TokensUsed(output_tokens=made - count)
                    count = made
                if kind == "done" and message.get("reason") == "length":
                    yield Finished("length")
        finally:
            process.cancel(request)

    async def close(self) -> None:
        """End the children and wait until they are gone."""
        self._closed = True
        for process in (*self._processes.values(), *self._ending):
            await process.close()
        self._processes.clear()
        self._ending.clear()

    @property
    def pids(self) -> list[int]:
        """List the process ids of the children that are in use."""
        return [
            process.pid
            for process in self._processes.values()
            if process.pid is not None and not process.ending
        ]

    def _path(self, model: str) -> Path:
        if model == BUILT_IN:
            if (lack := unavailable(self._data_dir)) is ErrorCode.MISSING_PACKAGE:
                raise StopChatError(lack, "xllamacpp")  # the weights alone would not do
            return find_weights(self._data_dir) or weights_path(self._data_dir)
        try:
            path = Path(model).expanduser()
        except RuntimeError:
            path = Path(model)
        if not path.is_absolute() or "\0" in model:
            raise StopChatError(ErrorCode.UNKNOWN_MODEL, model)
        return path

    def _parameters(self, turn: Turn) -> dict[str, Any]:
        chosen: dict[str, Any] = {}
        if turn.model == BUILT_IN:
            chosen.update(_BUILT_IN_PARAMETERS)
        for name, value in turn.parameters.items():
            if name in _NUMBERS:
                low, high = _NUMBERS[name]
                fits = isinstance(value, int | float) and low <= value <= high
            elif name in _WHOLE_NUMBERS:
                least, most = _WHOLE_NUMBERS[name]
                fits = isinstance(value, int) and least <= value <= most
            else:
                fits = False
            if not fits or isinstance(value, bool):
                raise StopChatError(ErrorCode.INVALID_FIELD, f"parameter {name}")
            chosen[name] = value
        return chosen

    def _process(self, path: Path) -> ModelProcess:
        """Return the child for a file, a new one if there is none; idle ones for others end."""
        if self._closed:
            raise StopChatError(ErrorCode.SHUTTING_DOWN)
        for other, process in list(self._processes.items()):
            if other != path and not process.busy:
                process.end()
            if process.ending:
                self._ending.append(self._processes.pop(other))
        self._ending = [process for process in self._ending if not process.gone.is_set()]
        if path not in self._processes:
            self._processes[path] = ModelProcess(path, self._limits, self._command)
        return self._processes[path]

    def _start_error(self, failure: StartFailed, model: str) -> StopChatError:
        if failure.reason == "missing_package":
            return StopChatError(ErrorCode.MISSING_PACKAGE, "xllamacpp")
        if failure.reason == "no_memory":
            return StopChatError(ErrorCode.LOCAL_MODEL_MEMORY)
        if failure.reason == "crashed":
            return StopChatError(ErrorCode.LOCAL_MODEL_CRASHED, "at its start")
        if model == BUILT_IN:
            return StopChatError(ErrorCode.LOCAL_MODEL_MISSING, failure.reason)
        return StopChatError(ErrorCode.UNKNOWN_MODEL, failure.reason)
