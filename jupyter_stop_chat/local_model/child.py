"""The child process that runs the model: `python -m jupyter_stop_chat.local_model.child`.

Loading holds the GIL and an exit while the model generates aborts the process, so none of it
happens in the server. What is said goes over the standard input and output, one JSON object a
line, ASCII only. Version 1:

Parent → child

| type | fields | meaning |
|---|---|---|
| `load` | `protocol`, `path`, `context`, `parallel`, `threads`, `memory_mb` | first line, once |
| `generate` | `id`, `messages`, `parameters` | answer; go on from a partial answer |
| `cancel` | `id` | work on that no more; unknown ids are ignored |

Child → parent

| type | fields | meaning |
|---|---|---|
| `ready` | `protocol`, `context` | the model is loaded |
| `failed` | `reason` `missing_package`, `bad_model` or `bad_protocol` | it is not |
| `reading` | `id`, `input_tokens`, `dropped` | it is read, without so many of the oldest |
| `text`, `reasoning` | `id`, `text`, `output_tokens` | more of the answer; tokens made so far |
| `done` | `id`, `reason`, `input_tokens`, `output_tokens` | the end |
| `cancelled` | `id` | the end: the model works on that no more |
| `error` | `id`, `reason` (`context_too_long`, `failed`) | the end |

After `failed` the child ends. Each `generate` gets exactly one of `done`, `cancelled` and
`error`, and by then the model works on it no more. The child ends at once when its standard
input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import traceback
from io import FileIO
from typing import Any

from . import PIPE_PROTOCOL


class Channel:
    """What writes whole lines from any thread.

    :param stream: the pipe to the parent.
    """

    def __init__(self, stream: FileIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, **message: Any) -> None:
        """Send one message; a parent that is gone ends this process."""
        line = memoryview(json.dumps(message).encode("ascii") + b"\n")
        with self._lock:
            try:
                while line:
                    line = line[self._stream.write(line) or 0 :]
            except OSError:
                leave()


def leave() -> None:
    """End the process at once: unwinding C++ threads that generate would abort it."""
    os._exit(0)


def take_pipes() -> tuple[FileIO, FileIO]:
    """Keep the pipes to the parent, and send whatever else writes to them elsewhere.

    :returns: what to read from and what to write to.
    """
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    sink = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def die_with_parent() -> None:
    """Have the kernel end this process when the parent's thread that started it ends.

    The end of the standard input does the same everywhere, but is noticed only while nothing
    holds the GIL, which loading does.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def limit_memory(megabytes: int) -> None:
    """Let this process take so much memory, and have it fail rather than take more.

    The weights do not count: they are mapped from their file, and the system can let go of them.

    :param megabytes: 0: no limit.
    """
    if megabytes <= 0 or sys.platform == "win32":
        return
    import resource

    with contextlib.suppress(OSError, ValueError):
        most = megabytes * 1024 * 1024
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def serve(model: Any, lines: Any, channel: Channel) -> None:
    """Answer until the parent closes the pipe.

    :param model: what answers, see `serving.LlamaModel`.
    :param lines: the parent's lines.
    """
    from .serving import Ask

    asks: dict[int, Ask] = {}

    def work(ask: Ask) -> None:
        try:
            ending = model.answer(ask, lambda **said: channel.send(id=ask.id, **said))
        except Exception:  # noqa: BLE001 - whatever it is, the parent must hear of the end
            traceback.print_exc()
            ending = {"type": "error", "reason": "failed"}
        asks.pop(ask.id, None)
        channel.send(id=ask.id, **ending)

    for line in lines:
        message = json.loads(line)
        if message["type"] == "generate":
            ask = Ask(message["id"], message["messages"], message["parameters"])
            asks[ask.id] = ask
            threading.Thread(target=work, args=(ask,), daemon=True).start()
        elif message["type"] == "cancel" and (known := asks.get(message["id"])) is not None:
            model.cancel(known)


def main() -> None:
    """Load what the first line names, then answer until the parent closes the pipe."""
    die_with_parent()
    # Ctrl+C in the server's terminal is the server's affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source, sink = take_pipes()
    channel = Channel(sink)
    lines = os.fdopen(os.dup(source.fileno()), "rb")
    first = lines.readline()
    if not first:
        leave()
    load = json.loads(first)
    reason = None
    if load.get("type") != "load" or load.get("protocol") != PIPE_PROTOCOL:
        reason = "bad_protocol"
    else:
        try:
            limit_memory(load.get("memory_mb", 0))
            from .serving import LlamaModel

            model = LlamaModel(load["path"], load["context"], load["parallel"], load["threads"])
        except ImportError:
            traceback.print_exc()
            reason = "missing_package"
        except Exception:  # noqa: BLE001 - llama.cpp raises anything; the log gets it
            traceback.print_exc()
            reason = "bad_model"
    if reason is not None:
        channel.send(type="failed", reason=reason)
        leave()
    # Loading installs handlers of its own, which would end the model and leave the process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    channel.send(type="ready", protocol=PIPE_PROTOCOL, context=model.context)
    try:
        serve(model, lines, channel)
    except Exception:  # noqa: BLE001 - a parent that says nonsense is left
        traceback.print_exc()
    leave()


if __name__ == "__main__":
    main()
