"""The three that are compared: each makes streams, counts their words and stops them."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from types import TracebackType
from typing import Any, Protocol, Self

from tornado.websocket import WebSocketClientConnection, websocket_connect

from benchmarks.serving import Server

from .processes import Process

#: A frame may be as large as it likes.
LARGE = 1 << 30


class Contender(Protocol):
    """What makes streams of one provider's words."""

    async def begin(self, count: int, rate: float | None = None) -> list[str]:
        """Begin so many streams; where a rate is given, of words of its own."""
        ...

    async def words(self) -> int:
        """Count the words that came so far."""
        ...

    async def end(self) -> None:
        """Stop all streams."""
        ...

    def processor(self) -> float:
        """Return the processor time that was used so far, in seconds."""
        ...


class LangChainAlone(Process):
    """LangChain's own stream, and an empty loop."""

    def __init__(self, base_url: str) -> None:
        super().__init__("-m", "benchmarks.speed.langchain_alone", base_url)

    async def begin(self, count: int, rate: float | None = None) -> list[str]:
        """Begin so many streams."""
        await self.ask(begin=count)
        return []

    async def words(self) -> int:
        """Count the words that came so far."""
        return int((await self.ask(count=True))["words"])

    async def end(self) -> None:
        """Let go of all."""
        await self.ask(end=True)


class Socket:
    """A page's end of a socket, which keeps no text.

    :ivar firsts: when the first text of each stream came.
    :ivar bytes: what came on the socket.
    """

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        # A small frame must not wait until the one before it is known to have come.
        assert socket.protocol is not None
        socket.protocol.set_nodelay(True)
        self.count = 0
        self.bytes = 0
        self.text = 0
        self.firsts: dict[str, float] = {}
        self.settled: dict[str, asyncio.Future[float]] = {}
        self.accepted: dict[str, asyncio.Future[str]] = {}
        self.others: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reading = asyncio.create_task(self._read())

    async def send(self, **frame: Any) -> None:
        """Send a frame."""
        await self.socket.write_message(json.dumps(frame))

    def settles(self, key: str) -> asyncio.Future[float]:
        """Return what will be the moment at which a stream has ended."""
        return self.settled.setdefault(key, asyncio.get_running_loop().create_future())

    async def first(self, key: str) -> float:
        """Return when a stream's first text came."""
        while key not in self.firsts:
            assert not self._reading.done(), "the socket closed"
            await asyncio.sleep(0.001)
        return self.firsts[key]

    async def close(self) -> None:
        """Go away."""
        self.socket.close()
        await self._reading

    async def _read(self) -> None:
        try:
            await self._read_all()
        finally:
            gone = ConnectionError(f"the socket closed: {self.socket.close_code}")
            for future in (*self.settled.values(), *self.accepted.values()):
                if not future.done():
                    future.set_exception(gone)

    async def _read_all(self) -> None:
        while (raw := await self.socket.read_message()) is not None:
            now = time.perf_counter()
            self.bytes += len(raw)
            frame = json.loads(raw)
            kind = frame.get("type")
            key = frame.get("delta") or (frame["message_id"] if kind == "delta" else None)
            if key is not None:
                self.firsts.setdefault(key, now)
                self.count += frame["text"].count(" ")
                self.text += len(frame["text"])
            elif "settled" in frame:
                self._settle(frame["settled"], now)
            elif kind == "message" and frame["message"]["state"] == "interrupted":
                self._settle(frame["message"]["id"], now)
            elif kind == "accepted" and frame["request_id"] in self.accepted:
                self.accepted.pop(frame["request_id"]).set_result(frame["message"]["id"])
            elif kind == "error":
                raise AssertionError(frame)
            else:
                self.others.put_nowait(frame)

    def _settle(self, key: str, now: float) -> None:
        if key in self.settled and not self.settled[key].done():
            self.settled[key].set_result(now)


class Relay(Process):
    """The bare steps."""

    def __init__(self, base_url: str) -> None:
        super().__init__("-m", "benchmarks.speed.relay", base_url)
        self.page: Socket
        self._keys: list[str] = []

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        url = f"ws://127.0.0.1:{self.hello['port']}/ws"
        self.page = Socket(await websocket_connect(url, max_message_size=LARGE))
        return self

    @property
    def status(self) -> str:
        """Return the address of another request."""
        return f"http://127.0.0.1:{self.hello['port']}/status"

    async def begin(self, count: int, rate: float | None = None) -> list[str]:
        """Begin so many streams."""
        keys = [uuid.uuid4().hex for _ in range(count)]
        for key in keys:
            await self.page.send(ask=key, rate=rate)
        self._keys += keys
        return keys

    async def stop(self, key: str) -> float:
        """Stop a stream; return when its end came."""
        settled = self.page.settles(key)
        self._keys.remove(key)
        await self.page.send(stop=key)
        return await settled

    async def words(self) -> int:
        """Count the words that came so far."""
        return self.page.count

    async def end(self) -> None:
        """Stop all streams."""
        for key in list(self._keys):
            await self.stop(key)


class Ours(Server):
    """Jupyter Server with the extension, everything saved before it is shown."""

    def __init__(self, base_url: str) -> None:
        super().__init__(provider=base_url)
        self.page: Socket
        self._keys: set[str] = set()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.page = Socket(await websocket_connect(self.request, max_message_size=LARGE))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.page.close()
        await super().__aexit__(kind, error, traceback)

    @property
    def status(self) -> str:
        """Return the address of another request."""
        return f"http://127.0.0.1:{self.port}/api/status?token={self.token}"

    async def begin(self, count: int, rate: float | None = None) -> list[str]:
        """Begin so many streams."""
        model = f"paced:{rate:g}" if rate else "openai:loopback"
        waiting = []
        for _ in range(count):
            request_id = str(uuid.uuid4())
            accepted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self.page.accepted[request_id] = accepted
            waiting.append(accepted)
            frame = {"type": "send", "request_id": request_id, "chat_id": None, "body": "Go"}
            await self.page.send(**frame, model=model)
        keys = [await each for each in waiting]
        self._keys |= set(keys)
        return keys

    async def stop(self, key: str) -> float:
        """Stop a reply; return when its end came."""
        settled = self.page.settles(key)
        self._keys.discard(key)
        await self.page.send(type="stop", message_id=key)
        return await settled

    async def words(self) -> int:
        """Count the words that came so far."""
        return self.page.count

    async def end(self) -> None:
        """Stop all replies."""
        ends = [self.page.settles(key) for key in self._keys]
        self._keys.clear()
        if ends:
            await self.page.send(type="stop", all=True)
            await asyncio.gather(*ends)
