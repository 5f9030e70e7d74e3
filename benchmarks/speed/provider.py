"""A provider on loopback in a process of its own, and the times that it notes.

A model's name is its plan: `paced-50` says fifty words a second, `full` as many as are taken,
`headers` holds its headers, `first` its first word, `middle` the sixth. The prompt is the mark by
which a request is found again; times are those of `time.monotonic`, which all processes share.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

from tests.providers import OpenAIProvider, Request, Script
from tests.providers.script import Frame

from .children import Child, commands, tell

#: More words than anybody waits for.
ENDLESS = 10**9


class Provider(Child):
    """The provider's process, from outside."""

    def __init__(self) -> None:
        super().__init__("speed.provider")
        self._http = AsyncHTTPClient(force_instance=True, max_clients=100)

    @property
    def base_url(self) -> str:
        """Return the address that clients are given."""
        return str(self.hello["base_url"])

    async def when(self, what: str, mark: str, count: int = 0) -> float:
        """Wait until something has happened to a request; return when that was.

        :param what: `stalled`, `closed`, or `first`, its first word.
        :param mark: the request's.
        :param count: of so many requests, whose marks end with a number; the last one's time.
        """
        url = f"{self.hello['times']}/{what}?mark={mark}&count={count}"
        answer = await self._http.fetch(url, request_timeout=120)
        return float(answer.body)


# --- the provider's side ----------------------------------------------------------------------


class Timed(OpenAIProvider):
    """A provider that finds requests by their marks.

    :ivar first: when the first word of a request was about to be written.
    """

    def __init__(self) -> None:
        super().__init__(self._choose)
        self._known: dict[str, asyncio.Future[Request]] = {}
        self.first: dict[str, float] = {}

    def known(self, mark: str) -> asyncio.Future[Request]:
        """Return what will be the request with a mark."""
        if mark not in self._known:
            self._known[mark] = asyncio.get_running_loop().create_future()
        return self._known[mark]

    def frames(self, request: Request, script: Script) -> Iterator[Frame]:
        rest = super().frames(request, script)
        for frame in rest:
            if frame.token:
                self.first[_mark(request)] = time.monotonic()
                yield frame
                break
            yield frame
        yield from rest

    def _choose(self, request: Request) -> Script:
        known = self.known(_mark(request))
        if not known.done():
            known.set_result(request)
        match request.body["model"].split("-"):
            case ["paced", rate]:
                return Script(tokens=ENDLESS, rate=float(rate))
            case ["headers"]:
                return Script(stall="before_headers")
            case ["first"]:
                return Script(stall="after_headers")
            case ["middle"]:
                return Script(tokens=ENDLESS, stall_after=5)
            case _:
                return Script(tokens=ENDLESS)


def _mark(request: Request) -> str:
    content = request.body["messages"][-1]["content"]
    text = str(content if isinstance(content, str) else content[0]["text"])
    return text.partition("\n\n")[0]  # what is attached comes behind it


class Times(RequestHandler):
    """The route that tells when something has happened."""

    def initialize(self, provider: Timed) -> None:
        """Take what the application was given."""
        self._provider = provider

    async def get(self, what: str) -> None:
        """Wait for it, and tell."""
        mark, count = self.get_argument("mark"), int(self.get_argument("count"))
        marks = [f"{mark}{number}" for number in range(count)] if count else [mark]
        self.write(repr(max([await self._time(what, each) for each in marks])))

    async def _time(self, what: str, mark: str) -> float:
        request = await self._provider.known(mark)
        if what == "closed":
            await request.closed.wait()
            assert request.closed_at is not None
            return request.closed_at
        if what == "stalled":
            await request.stalled.wait()
            return time.monotonic()
        return self._provider.first[mark]


async def main() -> None:
    """Serve until the input ends."""
    async with Timed() as provider:
        routes: list[Any] = [("/(stalled|closed|first)", Times, {"provider": provider})]
        server = HTTPServer(Application(routes, log_function=lambda handler: None))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        port = sockets[0].getsockname()[1]
        tell(base_url=provider.base_url, times=f"http://127.0.0.1:{port}")
        async for _ in commands():
            pass
        server.stop()


if __name__ == "__main__":
    asyncio.run(main())
