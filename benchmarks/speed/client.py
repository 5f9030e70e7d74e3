"""A client's side of the sockets: how many words came, and when."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

ENDED = {"completed", "interrupted", "failed"}
#: So many prompts are on their way at once, at most.
AT_ONCE = 16


class Stream:
    """One reply as the client has it. Times are those of `time.monotonic`.

    :param mark: the prompt, by which the provider knows the request.
    :ivar first_at: when the first text came.
    :ivar ended: when the last frame came, once it has.
    """

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.id = ""
        self.words = self.length = 0
        self.first_at = 0.0
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []

    def so_many(self, words: int) -> asyncio.Future[None]:
        """Return what is done once so many words are here."""
        found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((words, found))
        self._look()
        return found

    def take(self, text: str, now: float) -> int:
        """Take a text in; return how many words it had."""
        if not self.length:
            self.first_at = now
        self.length += len(text)
        words = text.count(" ")
        self.words += words
        if self._waiting:
            self._look()
        return words

    def _look(self) -> None:
        for words, found in self._waiting:
            if self.words >= words and not found.done():
                found.set_result(None)
        self._waiting = [each for each in self._waiting if not each[1].done()]


class Socket:
    """A socket on which replies are asked for and read. A subclass knows the frames.

    :ivar words: how many came.
    :ivar text: how many bytes of text.
    """

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.words = self.text = 0
        self._socket: WebSocketClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def connect(self, request: HTTPRequest) -> None:
        """Connect as a browser does, which can read what is compressed, and read on."""
        self._socket = await websocket_connect(request, compression_options={})
        # Else a stop waits 40 ms for the delayed acknowledgement of what was sent before.
        assert self._socket.protocol is not None
        self._socket.protocol.set_nodelay(True)
        self._task = asyncio.create_task(self._read())

    @property
    def received(self) -> int:
        """Return how many bytes have come, as they came."""
        assert self._socket is not None
        protocol: Any = self._socket.protocol
        received: int = protocol._wire_bytes_in  # Tornado tells it nowhere else
        return received

    async def close(self) -> None:
        """Go away."""
        assert self._socket is not None
        assert self._task is not None
        self._socket.close()
        await self._task

    async def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        assert self._socket is not None
        await self._socket.write_message(json.dumps(frame))

    async def ask(self, model: str, mark: str, chat_id: str | None = None) -> Stream:
        """Send a prompt; return the reply once it can be stopped."""
        raise NotImplementedError

    async def stop(self, stream: Stream) -> tuple[float, float]:
        """Stop a reply; return when that was sent, and when the last frame was here."""
        began = time.monotonic()
        await self.send(self.stop_frame(stream))
        return began, await self.wait(stream.ended)

    async def stop_all(self) -> float:
        """Stop all replies; return the seconds until the last frame of each was here."""
        running = [each.ended for each in self.streams.values() if not each.ended.done()]
        began = time.monotonic()
        await self.send({"type": "stop", "all": True})
        ended = [await self.wait(each) for each in running]
        self.streams.clear()
        return max(ended) - began

    async def wait(self, found: asyncio.Future[Any]) -> Any:
        """Wait for what the socket brings; fail where it ends before."""
        await asyncio.wait({found, self._failed}, return_when=asyncio.FIRST_COMPLETED)
        if not found.done():
            self._failed.result()
        return found.result()

    def stop_frame(self, stream: Stream) -> dict[str, Any]:
        """Return the frame that stops a reply."""
        raise NotImplementedError

    def take(self, frame: dict[str, Any], now: float) -> None:
        """Take a frame in.

        :param now: when it came.
        """
        raise NotImplementedError

    def take_text(self, stream: Stream, text: str, now: float) -> None:
        """Take a reply's text in."""
        self.words += stream.take(text, now)
        self.text += len(text.encode())

    async def _read(self) -> None:
        assert self._socket is not None
        try:
            while (raw := await self._socket.read_message()) is not None:
                now = time.monotonic()
                assert isinstance(raw, str)
                self.take(json.loads(raw), now)
        except Exception as error:
            self._failed.set_exception(error)
        else:
            self._failed.set_exception(ConnectionError(f"closed: {self._socket.close_code}"))
        self._failed.exception()  # who waits for nothing need not hear of it


class RelaySocket(Socket):
    """A socket of the bare relay."""

    async def ask(self, model: str, mark: str, chat_id: str | None = None) -> Stream:
        stream = Stream(mark)
        stream.id = str(uuid.uuid4())
        self.streams[stream.id] = stream
        await self.send({"type": "ask", "id": stream.id, "model": model, "body": mark})
        return stream

    def stop_frame(self, stream: Stream) -> dict[str, Any]:
        return {"type": "stop", "id": stream.id}

    def take(self, frame: dict[str, Any], now: float) -> None:
        stream = self.streams[frame["id"]]
        if frame["type"] == "delta":
            self.take_text(stream, frame["text"], now)
        else:
            stream.ended.set_result(now)


class OurSocket(Socket):
    """A socket of the chat."""

    def __init__(self) -> None:
        super().__init__()
        #: What goes with each prompt.
        self.more: dict[str, Any] = {}
        self._waiting: list[tuple[Callable[[dict[str, Any]], bool], asyncio.Future[Any]]] = []

    async def connect(self, request: HTTPRequest) -> None:
        welcome = self.until(lambda frame: frame["type"] == "welcome")
        await super().connect(request)
        await self.wait(welcome)

    async def ask(self, model: str, mark: str, chat_id: str | None = None) -> Stream:
        request_id = str(uuid.uuid4())
        accepted = self.until(lambda frame: frame.get("request_id") == request_id)
        self.streams[request_id] = Stream(mark)
        frame = {"type": "send", "request_id": request_id, "chat_id": chat_id}
        await self.send({**frame, **self.more, "body": mark, "model": model})
        await self.wait(accepted)
        stream: Stream = self.streams.pop(request_id)
        return stream

    async def open(self, chat_id: str) -> int:
        """Open a chat; return how many messages came, once all have."""
        count = 0

        def is_last(frame: dict[str, Any]) -> bool:
            nonlocal count
            id_ = frame["chat"]["id"] if frame["type"] == "chat" else frame.get("chat_id")
            if id_ != chat_id or frame["type"] not in {"chat", "messages"}:
                return False
            count += len(frame.get("messages", ()))
            return "messages" in frame and not frame.get("earlier")

        last = self.until(is_last)
        await self.send({"type": "open", "chat_id": chat_id})
        await self.wait(last)
        return count

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> asyncio.Future[Any]:
        """Return what will be the next such frame."""
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, found))
        return found

    def stop_frame(self, stream: Stream) -> dict[str, Any]:
        return {"type": "stop", "message_id": stream.id}

    def take(self, frame: dict[str, Any], now: float) -> None:
        match frame["type"]:
            case "delta":
                stream = self.streams[frame["message_id"]]
                assert frame["offset"] == stream.length, "a gap or a doubled character"
                self.take_text(stream, frame["text"], now)
                return
            case "accepted":
                stream = self.streams[frame["request_id"]]
                stream.id = frame["message"]["id"]
                self.streams[stream.id] = stream
            case "message" if frame["message"]["state"] in ENDED:
                known = self.streams.get(frame["message"]["id"])
                if known is not None and not known.ended.done():
                    assert frame["message"]["state"] == "interrupted", frame
                    known.ended.set_result(now)
            case "error":
                raise AssertionError(frame)
        for wanted, found in list(self._waiting):
            if not found.done() and wanted(frame):
                found.set_result(frame)
        self._waiting = [each for each in self._waiting if not each[1].done()]
