"""A bare relay in a process of its own: a provider's words to a WebSocket, and nothing saved."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator
from typing import Any

import httpx
from serving import words
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from speed.children import commands, tell


class Page(WebSocketHandler):
    """One socket; each reply is a task."""

    def initialize(self, client: httpx.AsyncClient, base_url: str) -> None:
        """Take what the application was given."""
        self._client, self._url = client, f"{base_url}/chat/completions"
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, list[str]] = {}

    def open(self) -> None:
        """Send small frames at once."""
        self.set_nodelay(True)

    async def on_message(self, message: str | bytes) -> None:
        """Begin a reply, or stop one and say so."""
        frame = json.loads(message)
        if frame["type"] == "ask":
            reply = self._reply(frame["id"], frame["model"], frame["body"])
            self._tasks[frame["id"]] = asyncio.create_task(reply)
            return
        wanted = list(self._tasks) if frame.get("all") else [frame["id"]]
        tasks = [self._tasks.pop(each) for each in wanted]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for each in wanted:
            self._waiting.pop(each, None)
            self.write_message(json.dumps({"type": "settled", "id": each}))

    def on_close(self) -> None:
        """Stop all."""
        for task in self._tasks.values():
            task.cancel()

    async def _reply(self, id_: str, model: str, body: str) -> None:
        kind, _, name = model.partition(":")
        said = words(float(name)) if kind == "paced" else self._ask(name, body)
        async with contextlib.aclosing(said):
            async for text in said:
                self._say(id_, text)

    async def _ask(self, model: str, body: str) -> AsyncGenerator[str, None]:
        asked = {
            "model": model,
            "stream": True,
            "messages": [{"role": "user", "content": body}],
        }
        async with self._client.stream("POST", self._url, json=asked) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                for choice in json.loads(line[6:])["choices"]:
                    if text := choice["delta"].get("content"):
                        yield text

    def _say(self, id_: str, text: str) -> None:
        """Write a frame in a moment: what else comes in this turn of the loop is in it."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._write)
        self._waiting.setdefault(id_, []).append(text)

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, {}
        if self.ws_connection is None:
            return  # the client is gone
        for id_, texts in waiting.items():
            frame = {"type": "delta", "id": id_, "text": "".join(texts)}
            self.write_message(json.dumps(frame))


class Status(RequestHandler):
    """Another route."""

    def get(self) -> None:
        """Answer."""
        self.write({"ok": True})


async def main(base_url: str) -> None:
    """Serve until the input ends.

    :param base_url: the provider's.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=None, limits=limits) as client:
        given = {"client": client, "base_url": base_url}
        routes: list[Any] = [("/ws", Page, given), ("/api/status", Status)]
        server = HTTPServer(Application(routes, log_function=lambda handler: None))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        tell(port=sockets[0].getsockname()[1])
        async for _ in commands():
            pass
        server.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
