"""Start, read and write the child on threads of its own, never on the event loop.

Starting a process and a full pipe both block. Threads rather than asyncio's subprocesses also
work on every event loop of every platform, and the kernel ends the child with the thread that
started it, which here lives as long as the child.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

#: A line of the child that is longer than this is nonsense.
_LONGEST_LINE = 1024 * 1024
#: How long a child whose pipe has ended may take to end, in seconds.
_END_S = 0.5


@dataclass(frozen=True, slots=True)
class End:
    """How the child ended.

    :ivar status: its exit status; None when it was not started.
    :ivar log: the last lines that it wrote to its standard error.
    :ivar missing_file: it was not started, since there is no such file, or it is no GGUF.
    """

    status: int | None
    log: str
    missing_file: bool = False


class Pipes:
    """One child and its pipes.

    :param command: how it is started.
    :param path: the GGUF file that it is to load.
    :param on_message: called on the event loop with each message of the child.
    :param on_end: called there once, last.
    """

    def __init__(
        self,
        command: Sequence[str],
        path: Path,
        on_message: Callable[[dict[str, Any]], None],
        on_end: Callable[[End], None],
    ) -> None:
        self._command = command
        self._path = path
        self._on_message = on_message
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._kill_wanted = False
        threading.Thread(target=self._own, name="local-model", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Return the child's process id, once it is started."""
        return None if self._process is None else self._process.pid

    def send(self, **message: Any) -> None:
        """Send one message; one that the child does not live to read is lost."""
        self._outbox.put(json.dumps(message).encode("ascii") + b"\n")

    def close(self) -> None:
        """Close the child's standard input, behind what was sent; it ends then."""
        self._outbox.put(None)

    def kill(self) -> None:
        """End the child at once."""
        with self._lock:
            self._kill_wanted = True
            if self._process is not None:
                self._process.kill()

    # --- on threads ----------------------------------------------------------------------

    def _post(self, callback: Callable[..., None], *args: Any) -> None:
        """Call something on the loop; a loop that is closed has nobody left to tell."""
        try:
            self._loop.call_soon_threadsafe(callback, *args)
        except RuntimeError:
            self.kill()

    def _own(self) -> None:
        """Start the child, read it to its end and see it off."""
        log: deque[str] = deque(maxlen=40)
        status: int | None = None
        missing = False
        try:
            missing = not _is_gguf(self._path)
            if not missing:
                status = self._read(self._spawn(), log)
        except OSError as error:
            log.append(str(error))
        finally:
            self._outbox.put(None)
            self._post(self._on_end, End(status, "".join(log), missing))

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("LLAMA_")
        }
        with self._lock:
            process = self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                # Ctrl+C in the server's terminal is not for the child.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            if self._kill_wanted:
                process.kill()
        return process

    def _read(self, process: subprocess.Popen[bytes], log: deque[str]) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        writer = threading.Thread(target=_write, args=(process.stdin, self._outbox), daemon=True)
        listener = threading.Thread(target=_listen, args=(process.stderr, log), daemon=True)
        writer.start()
        listener.start()
        with process.stdout as lines:
            while line := lines.readline(_LONGEST_LINE):
                message = _decoded(line)
                if message is None:
                    log.append("It wrote what is no message.\n")
                    process.kill()
                    break
                self._post(self._on_message, message)
        try:
            status = process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        listener.join(_END_S)
        return status


def _is_gguf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except (OSError, ValueError):
        return False


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and line.endswith(b"\n") else None


def _write(pipe: IO[bytes], outbox: queue.SimpleQueue[bytes | None]) -> None:
    """Write what is put into the outbox, until None; a child that is gone is noticed elsewhere."""
    with contextlib.suppress(OSError), pipe:
        while (line := outbox.get()) is not None:
            pipe.write(line)
            pipe.flush()


def _listen(pipe: IO[bytes], log: deque[str]) -> None:
    """Keep the last lines of the child's log, for when it ends unexpectedly."""
    with pipe:
        while line := pipe.readline(_LONGEST_LINE):
            log.append(line[:500].decode(errors="replace"))
