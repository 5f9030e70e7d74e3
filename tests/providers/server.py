"""A small HTTP server that speaks byte by byte and sees at once when its client is gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from jupyter_stop_chat.testing import Flag
from tests.aids.ports import free_port

from .script import Frame, Request, Script, Trouble, script_from_json

_CHUNK_END = b"0\r\n\r\n"
_CONTROL = "/_control/"


class Provider:
    """A provider on loopback. A subclass knows one provider's words.

    It can live in the loop of a test (`async with Provider() as p`), or in a thread with a loop of
    its own (`with Provider().in_thread() as p`).

    :ivar script: what is done with a request when `scripts` is empty.
    :ivar scripts: one for each of the next requests.
    :ivar requests: all that came, oldest first.
    """

    kind = ""
    #: What the address of the API ends with.
    root = ""
    content_type = "text/event-stream"

    def __init__(
        self, script: Script | Callable[[Request], Script] | None = None, *, port: int = 0
    ) -> None:
        self.script: Script | Callable[[Request], Script] = script or Script()
        self.scripts: deque[Script] = deque()
        self.requests: list[Request] = []
        self.port = port
        self._another = Flag()
        self._quiet = Flag()
        self._connections: set[asyncio.Task[None]] = set()
        self._control: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    # --- what a test asks ------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Return the address that a client library is given."""
        return f"http://127.0.0.1:{self.port}{self.root}"

    @property
    def open_connections(self) -> int:
        """Return how many sockets of clients are open."""
        return len(self._connections - self._control)

    @property
    def tokens_sent(self) -> int:
        """Return how many tokens were sent, over all requests."""
        return sum(request.tokens_sent for request in self.requests)

    @property
    def closed_at(self) -> float | None:
        """Return when the client of the last request was seen to be gone."""
        return self.requests[-1].closed_at if self.requests else None

    async def next_request(self, count: int = 1) -> Request:
        """Wait until so many requests have come; return the last of them."""
        while len(self.requests) < count:
            self._another.clear()
            if len(self.requests) < count:
                await self._another.wait()
        return self.requests[count - 1]

    async def no_connections(self) -> None:
        """Wait until no socket is open."""
        while self.open_connections:
            self._quiet.clear()
            if self.open_connections:
                await self._quiet.wait()

    def forget(self) -> None:
        """Follow the usual script again, and know of no request that came."""
        self.script = Script()
        self.scripts.clear()
        self.requests.clear()

    # --- life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen."""
        self.port = self.port or free_port()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """Close every socket."""
        assert self._server is not None
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @contextlib.contextmanager
    def in_thread(self) -> Iterator[Self]:
        """Run in a thread with an event loop of its own."""
        ready, done = threading.Event(), Flag()

        async def run() -> None:
            async with self:
                ready.set()
                await done.wait()

        thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
        thread.start()
        assert ready.wait(10), "the provider did not start"
        try:
            yield self
        finally:
            done.set()
            thread.join(10)
            assert not thread.is_alive(), "the provider did not end"

    # --- a provider's words ----------------------------------------------------------------

    def frames(self, request: Request, script: Script) -> Iterator[Frame]:
        """Yield the answer to a request for a stream."""
        raise NotImplementedError

    def whole(self, request: Request, script: Script) -> dict[str, Any]:
        """Return the answer to a request for no stream."""
        raise NotImplementedError

    def trouble(self, trouble: Trouble, request: Request) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of an error."""
        raise NotImplementedError

    def refused(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        """Return the error that the real service answers this request with, if any."""
        return None

    def trouble_frame(self, trouble: Trouble, request: Request) -> bytes:
        """Return what tells of an error in the middle of a stream."""
        raise NotImplementedError

    def other(self, request: Request) -> dict[str, Any] | None:
        """Answer a request that is not for a reply (a list of models, say); None: not found.

        What holds an error is a refusal of the key.
        """
        return None

    def is_reply(self, request: Request) -> bool:
        """Tell whether a request is for a reply."""
        raise NotImplementedError

    # --- connections -----------------------------------------------------------------------

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._serve(reader, writer, task)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the test is over
        finally:
            self._connections.discard(task)
            self._control.discard(task)
            self._quiet.set()
            writer.transport.abort()

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        rest = b""
        while (request := await self._read(reader, rest)) is not None:
            request, rest = request
            if request.path.startswith(_CONTROL):
                self._control.add(task)
                await _answer(writer, 200, self._on_control(request))
                continue
            # Reading on while the answer is written is what shows the client's close at once.
            watch = asyncio.ensure_future(reader.read(65536))
            answer = asyncio.ensure_future(self._respond(request, writer))
            try:
                await asyncio.wait({watch, answer}, return_when=asyncio.FIRST_COMPLETED)
                if watch.done() and (watch.exception() is not None or not watch.result()):
                    request.note_close()
                    return
                if not await answer:
                    return
                rest = await watch
            except ConnectionError:
                request.note_close()
                raise
            finally:
                answer.cancel()
                watch.cancel()
                await asyncio.gather(answer, watch, return_exceptions=True)
            if not rest:
                request.note_close()
                return

    async def _read(
        self, reader: asyncio.StreamReader, rest: bytes
    ) -> tuple[Request, bytes] | None:
        while b"\r\n\r\n" not in rest:
            more = await reader.read(65536)
            if not more:
                return None
            rest += more
            if rest.startswith(b"\x16\x03"):  # a TLS handshake, to a server without TLS
                return None
        head, rest = rest.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            more = await reader.read(65536)
            if not more:
                return None
            rest += more
        body = json.loads(rest[:length]) if length else {}
        return Request(method, path, headers, body), rest[length:]

    def _on_control(self, request: Request) -> dict[str, Any]:
        what = request.path.removeprefix(_CONTROL)
        if what == "script":
            self.script = script_from_json(request.body)
        elif what == "resume" and isinstance(self.script, Script):
            self.script.resume.set()
        return {
            "open_connections": self.open_connections,
            "tokens_sent": self.tokens_sent,
            "now": time.perf_counter(),
            "requests": [each.to_json() for each in self.requests],
        }

    # --- answers ---------------------------------------------------------------------------

    async def _respond(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Answer; tell whether the connection may be used again."""
        if not self.is_reply(request):
            other = self.other(request)
            status = 404 if other is None else 401 if "error" in other else 200
            await _answer(writer, status, other or {"error": "not found"})
            return True
        script = self.scripts.popleft() if self.scripts else self.script
        if callable(script):
            script = script(request)
        self.requests.append(request)
        self._another.set()
        if script.stall == "before_headers":
            await _stall(request, script)
        refusal = self.refused(request)
        if script.trouble is not None and script.trouble_after is None:
            refusal = self.trouble(script.trouble, request)
        if refusal is not None:
            status, body = refusal
            request.headers_sent_at = time.perf_counter()
            await _answer(writer, status, body, script.headers)
            return True
        if not self.wants_stream(request):
            request.headers_sent_at = time.perf_counter()
            await _answer(writer, 200, self.whole(request, script))
            request.completed = True
            return True
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: " + self.content_type.encode() + b"\r\n\r\n"
        )
        await writer.drain()
        request.headers_sent_at = time.perf_counter()
        if script.stall == "after_headers":
            await _stall(request, script)
        async with contextlib.aclosing(self._body(request, script)) as body_parts:
            async for data in body_parts:
                writer.write(b"%x\r\n%b\r\n" % (len(data), data))
                await writer.drain()
                # A drain that has nothing to wait for does not let the reader see the close.
                await asyncio.sleep(0)
        if script.drop_after is not None:
            return False
        writer.write(_CHUNK_END)
        await writer.drain()
        request.completed = True
        return True

    def wants_stream(self, request: Request) -> bool:
        """Tell whether a request is for a stream."""
        return bool(request.body.get("stream"))

    async def _body(self, request: Request, script: Script) -> AsyncGenerator[bytes, None]:
        began = time.perf_counter()
        for frame in self.frames(request, script):
            if frame.token:
                sent = request.tokens_sent
                if sent == script.stall_after:
                    await _stall(request, script)
                if sent == script.drop_after:
                    return
                if sent == script.trouble_after and script.trouble is not None:
                    yield self.trouble_frame(script.trouble, request)
                    return
                if script.rate:
                    await asyncio.sleep(max(0, began + sent / script.rate - time.perf_counter()))
            if frame.stalls:
                await _stall(request, script)
            yield frame.data
            if frame.token:
                request.note_token()


async def _stall(request: Request, script: Script) -> None:
    request.stalled.set()
    await script.resume.wait()


async def _answer(
    writer: asyncio.StreamWriter,
    status: int,
    body: dict[str, Any],
    headers: Mapping[str, str] | None = None,
) -> None:
    data = json.dumps(body).encode()
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    writer.write(
        f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n"
        f"{more}Content-Length: {len(data)}\r\n\r\n".encode()
        + data
    )
    await writer.drain()


class NeverAccepts:
    """A port where a connection is never taken: a client hangs while it connects."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._fillers: list[socket.socket] = []

    def __enter__(self) -> Self:
        self._socket.bind(("127.0.0.1", free_port()))
        self._socket.listen(0)
        # A backlog of nought still takes one; the next one waits for ever.
        for _ in range(2):
            filler = socket.socket()
            filler.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filler.connect(self._socket.getsockname())
            self._fillers.append(filler)
        return self

    @property
    def origin(self) -> str:
        """Return the address."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for each in (*self._fillers, self._socket):
            each.close()
