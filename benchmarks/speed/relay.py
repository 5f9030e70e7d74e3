"""The bare steps: a Tornado socket that passes a provider's words on, and saves nothing.

Run as a script it serves one. `{"ask": id, "rate": words}` begins a stream, of words of its own
where a rate is given; `{"stop": id}` cancels its task, which closes the provider's connection, and
is answered by `{"settled": id}`. What is there at once goes out in one frame.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import httpx
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler


class Status(RequestHandler):
    """Another request."""

    def get(self) -> None:
        """Answer it."""
        self.write({"ok": True})


class Relay(WebSocketHandler):
    """A socket and its streams."""

    def initialize(self, client: httpx.AsyncClient, url: str) -> None:
        """Take what is asked with."""
        self._client = client
        self._url = url
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pieces: dict[str, list[str]] = {}
        self._woken = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to write."""
        self.set_nodelay(True)
        self._writing = asyncio.create_task(self._write())

    def on_close(self) -> None:
        """Let go of everything."""
        for task in (self._writing, *self._tasks.values()):
            if task is not None:
                task.cancel()

    async def on_message(self, message: str | bytes) -> None:
        """Begin a stream, or end one."""
        frame = json.loads(message)
        if (key := frame.get("ask")) is not None:
            said = self._paced(key, frame["rate"]) if frame.get("rate") else self._stream(key)
            self._tasks[key] = asyncio.create_task(said)
            return
        key = frame["stop"]
        task = self._tasks.pop(key)
        task.cancel()
        await asyncio.wait([task])
        await self.write_message({"settled": key})

    def _add(self, key: str, text: str) -> None:
        self._pieces.setdefault(key, []).append(text)
        self._woken.set()

    async def _write(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            pieces, self._pieces = self._pieces, {}
            for key, texts in pieces.items():
                await self.write_message({"delta": key, "text": "".join(texts)})

    async def _paced(self, key: str, rate: float) -> None:
        began, count = time.monotonic(), 0
        while True:
            count += 1
            await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
            self._add(key, f"{time.monotonic():.5f}7 ")

    async def _stream(self, key: str) -> None:
        body = {"model": "loopback", "messages": [{"role": "user", "content": "Go"}]}
        asked = self._client.stream("POST", self._url, json=body | {"stream": True})
        async with asked as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    choices = json.loads(line[6:])["choices"]
                    if choices and (text := choices[0]["delta"].get("content")):
                        self._add(key, text)


async def main(base_url: str) -> None:
    """Serve, and say where."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(timeout=None, limits=limits) as client:
        told: dict[str, Any] = {"client": client, "url": f"{base_url}/chat/completions"}
        sockets = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(Application([("/ws", Relay, told), ("/status", Status)]))
        server.add_sockets(sockets)
        print(json.dumps({"port": sockets[0].getsockname()[1]}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
