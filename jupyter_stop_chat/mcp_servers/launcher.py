"""What stands between this server and the process of an MCP server, as a process of its own.

It ends what it started when its own input ends: at the session's end, and also where the server
that began it was killed and could do nothing more. It passes messages on line by line, and makes
those short that are too long, so that whatever a server sends costs nobody else anything. What a
server writes besides messages, it tells as log messages.

Python runs this file alone: it imports nothing of the package, and nothing that is installed.
"""

from __future__ import annotations

import ctypes
import io
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

#: A longer message is made shorter, in bytes.
LONG = 256 * 1024
#: So is one of more lists and objects: who reads it makes each of them.
MANY = 10_000
#: So much is left of one, in characters: of all its texts, and of all its pictures.
MOST_TEXT = 120_000
MOST_DATA = 4_000_000
#: And so many tools; how many were left out stands beside them.
MOST_TOOLS = 512
LEFT_OUT = "jupyter-stop-chat/left-out"
#: A message that is longer still ends its server: nothing says where it would end.
ENDLESS = 64 * 1024 * 1024
#: So many messages that nobody waits for are passed on in a second, and so many of the others.
MOST_NEWS = 100
#: So many lines that are no messages are kept, of so many characters each.
MOST_LINES = 100
LONGEST_LINE = 2000
#: Seconds between two tellings of them.
PAUSE_S = 0.2
#: The ends that a server is given, in seconds: of its input, of a signal, and none.
PATIENCE_S = 0.5

TOO_LARGE = {"code": -32001, "message": "The answer is too large."}
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class _Pace:
    """What counts messages, by seconds."""

    def __init__(self) -> None:
        self._second, self._count = 0, 0

    def late(self) -> float:
        """Count a message; return the seconds until it is not one too many; 0: it is none."""
        now = time.monotonic()
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return 0 if self._count <= MOST_NEWS else self._second + 1 - now


class Relay:
    """What passes on what a process says, and what is said to it."""

    def __init__(self, child: subprocess.Popen[bytes], wake: int) -> None:
        self._child = child
        self._wake = wake
        self._out = threading.Lock()
        self._lines: deque[str] = deque(maxlen=MOST_LINES)
        self._news, self._others = _Pace(), _Pace()
        self.threads = [
            threading.Thread(target=each, daemon=True)
            for each in (self._pass_in, self._pass_out, self._hear, self._tell_on)
        ]
        for each in self.threads:
            each.start()

    def _pass_in(self) -> None:
        """Pass on what is said to the process, until that ends."""
        to = _there(self._child.stdin)
        with suppress(OSError, ValueError):
            while some := os.read(0, 65536):
                while some:
                    some = some[to.write(some) :]
        with suppress(OSError, ValueError):
            to.close()

    def _pass_out(self) -> None:
        """Pass on what the process says, until that ends."""
        said = _lines(self._child.stdout)
        with suppress(OSError, ValueError):
            while line := said.readline(ENDLESS):
                if len(line) >= ENDLESS and not line.endswith(b"\n"):
                    self.tell("A message of this server has no end: the server was ended.")
                    break
                self._pass_on(line)
        with suppress(OSError):
            os.write(self._wake, b"x")

    def _hear(self) -> None:
        """Keep what the process writes besides."""
        said = _lines(self._child.stderr)
        with suppress(OSError, ValueError):
            while line := said.readline(LONGEST_LINE):
                self.tell(line.decode("utf-8", "replace"))
                # What is left of it is no line: with its first part gone nobody knows a key in it.
                while not line.endswith(b"\n") and (line := said.readline(LONG)):
                    pass

    def _pass_on(self, line: bytes) -> None:
        if not line.strip():
            return
        message: Any = None
        with suppress(ValueError, RecursionError):
            message = json.loads(line.decode("utf-8", "replace"))
        if not isinstance(message, dict) or "jsonrpc" not in message:
            self.tell(line[:LONGEST_LINE].decode("utf-8", "replace"))
            return
        if "id" not in message and self._news.late():
            return
        if "id" in message and (late := self._others.late()):
            time.sleep(late)  # none is lost, for one may be waited for; the others wait behind it
        if len(line) > LONG or line.count(b"[") + line.count(b"{") > MANY:
            message = shortened(message)
        if message is not None:
            self.write(message)

    def tell(self, line: str) -> None:
        """Keep a line that is no message."""
        self._lines.append(line.rstrip()[:LONGEST_LINE])

    def _tell_on(self) -> None:
        while True:
            time.sleep(PAUSE_S)
            self.tell_lines()

    def tell_lines(self) -> None:
        """Pass those lines on, as one message."""
        lines = []
        with suppress(IndexError):
            while True:
                lines.append(self._lines.popleft())
        if lines:
            params = {"level": "info", "logger": "output", "data": lines}
            method = "notifications/message"
            self.write({"jsonrpc": "2.0", "method": method, "params": params})

    def write(self, message: dict[str, Any]) -> None:
        """Pass a message on, as one line of ASCII."""
        try:
            written = json.dumps(message)
        except (ValueError, RecursionError):
            return
        if "\\ud" in written:  # half a sign is none that everybody reads
            plain = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
            written = json.dumps(json.loads(plain))
        left = memoryview(written.encode() + b"\n")
        with self._out, suppress(OSError):
            while left:
                left = left[os.write(1, left) :]


def shortened(message: dict[str, Any]) -> dict[str, Any] | None:
    """Make a message short: an answer says what was left out, what nobody waits for is dropped."""
    if "method" in message:
        return None
    result = message.get("result")
    if isinstance(result, dict) and isinstance(tools := result.get("tools"), list):
        first = _first(tools)
        held = {"tools": first, "_meta": {LEFT_OUT: len(tools) - len(first)}}
        return {"jsonrpc": "2.0", "id": message.get("id"), "result": held}
    content = result.get("content") if isinstance(result, dict) else None
    if not isinstance(result, dict) or not isinstance(content, list):
        return {"jsonrpc": "2.0", "id": message.get("id"), "error": TOO_LARGE}
    if not content and "structuredContent" in result:
        written = json.dumps(result["structuredContent"], ensure_ascii=False)
        content = [{"type": "text", "text": written}]
    text, data, kept = MOST_TEXT, MOST_DATA, []
    for item in content[:1000]:
        if not isinstance(item, dict):
            continue
        text, data, short = _shortened(item, text, data)
        kept.append(short)
    answer = {"content": kept, "isError": result.get("isError") is True}
    return {"jsonrpc": "2.0", "id": message.get("id"), "result": answer}


def _shortened(item: dict[str, Any], text: int, data: int) -> tuple[int, int, dict[str, Any]]:
    """Make a part of an answer short.

    :param text: so many characters of text there is room for.
    :param data: likewise, of pictures.
    :returns: how much room is left, and the part.
    """
    inner = item.get("resource")
    held = inner if isinstance(inner, dict) else item
    if isinstance(whole := held.get("text"), str):
        words = whole[:text]
        text -= len(words)
        if len(words) < len(whole):
            words += f"\n[Cut here: {len(whole) - len(words):,} more characters were left out.]"
        if held is item:
            return text, data, {"type": "text", "text": words}
        resource = {"uri": str(held.get("uri"))[:2000], "text": words}
        return text, data, {"type": "resource", "resource": resource}
    if item.get("type") == "resource_link":
        named = ("uri", "name", "title", "description")
        link = {each: str(item[each])[:2000] for each in named if item.get(each) is not None}
        return text, data, {"type": "resource_link", **link}
    whole = held.get("blob" if held is inner else "data")
    kind = str(item.get("type"))[:40]
    if not isinstance(whole, str) or len(whole) > data:
        return text, data, {"type": "text", "text": f"[Left out, as it is too large: {kind}.]"}
    mime = {"mimeType": str(held.get("mimeType"))[:200]}
    if held is item:
        return text, data - len(whole), {"type": kind, "data": whole, **mime}
    resource = {"uri": str(held.get("uri"))[:2000], "blob": whole, **mime}
    return text, data - len(whole), {"type": "resource", "resource": resource}


def _first(tools: list[Any]) -> list[Any]:
    """Return the first of a server's tools, but for those that are too long themselves."""
    room, parts, kept = LONG, MANY, []
    for tool in tools:
        written = json.dumps(tool)
        inner = written.count("[") + written.count("{")
        if len(written) > room or inner > parts:
            continue
        room, parts = room - len(written), parts - inner
        kept.append(tool)
        if len(kept) == MOST_TOOLS:
            break
    return kept


# --- the process ---------------------------------------------------------------------------------


def main(command: list[str]) -> int:
    """Run a command until it ends, or until our own input does; leave nothing of it behind."""
    asleep, wake = os.pipe()
    os.set_blocking(wake, False)
    for each in ("SIGTERM", "SIGINT", "SIGHUP"):
        if number := getattr(signal, each, None):
            signal.signal(number, lambda *_: os.write(wake, b"x"))
    library = _library()
    try:
        child = subprocess.Popen(
            command,
            bufsize=0,  # to close what another thread writes to must wait for nothing
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # No other thread is there yet.
            preexec_fn=None if library is None else lambda: _end_with_parent(library),  # noqa: PLW1509
        )
    except OSError:
        return 127
    relay = Relay(child, wake)
    try:
        _watch(child, relay, asleep)
    finally:
        _end(child)
        for thread in relay.threads[1:3]:
            thread.join(PATIENCE_S / 2)
        if child.returncode:
            relay.tell(f"The process ended with {child.returncode}.")
        # Nobody may read it any more.
        last = threading.Thread(target=relay.tell_lines, daemon=True)
        last.start()
        last.join(PATIENCE_S / 2)
    return 0


def _watch(child: subprocess.Popen[bytes], relay: Relay, asleep: int) -> None:
    """Return when a process ends, or our own input does, whether it was read or not."""
    poller = None
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(0, 0)
        poller.register(asleep, select.POLLIN)
    while child.poll() is None:
        if poller is not None:
            if poller.poll(PAUSE_S * 1000):
                break
        else:
            relay.threads[0].join(PAUSE_S)
            if not relay.threads[0].is_alive():
                break
    # What was said last may be a cancel.
    relay.threads[0].join(PATIENCE_S / 4)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process and what it started: it is asked first."""
    with suppress(OSError, ValueError):
        _there(child.stdin).close()
    for number in (None, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        if number is not None:
            _signal(child, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE_S)
            break
    _signal(child, getattr(signal, "SIGKILL", signal.SIGTERM))
    _end_descendants()


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)


def _end_descendants() -> None:
    """End what has left its group: as a reaper, we are given what has lost its parent."""
    for _ in range(50):
        found = _children()
        for each in found:
            with suppress(OSError):
                os.kill(each, signal.SIGKILL)
        with suppress(OSError):
            while found and os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not found:
            return
        time.sleep(0.01)


def _children() -> list[int]:
    found: list[int] = []
    for each in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, each.read_text().split())
    return found


def _library() -> Any:
    """Return the C library, where it can say who ends with whom."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL(None)
        library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    except (OSError, AttributeError):
        return None
    return library


def _end_with_parent(library: Any) -> None:
    library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _there(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _lines(stream: IO[bytes] | None) -> io.BufferedReader:
    assert isinstance(stream, io.FileIO)
    return io.BufferedReader(stream, 256 * 1024)


if __name__ == "__main__":
    # A thread that waits for who reads no more keeps Python from ending in the plain way.
    os._exit(main(sys.argv[1:]))
