"""Those that are measured beside each other: our server, a bare relay, LangChain alone."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Protocol, Self

from serving import Server
from tornado.httpclient import HTTPRequest

from . import clock
from .children import Child
from .client import AT_ONCE, OurSocket, RelaySocket, Socket, Stream
from .provider import Provider

_numbers = itertools.count(1)


def new_mark(name: str) -> str:
    """Return a prompt that no other request has.

    :param name: whose request it is to be.
    """
    return f"{name}-{next(_numbers)}-"


class Contender(Protocol):
    """What makes many replies at once, and whose processor time is read."""

    name: str
    pid: int

    async def begin(self, model: str, streams: int, *, waits: bool = True) -> str:
        """Begin so many replies, and wait until each has said something.

        :returns: what their marks begin with; then come numbers, from 0.
        """

    async def words(self) -> int:
        """Return how many words have come."""

    async def stop_all(self) -> float:
        """Stop all; return how many seconds that took."""


class Served:
    """A contender with a socket. A subclass has the process."""

    name = ""
    pid = 0
    socket: Socket
    port = 0
    headers: dict[str, str]

    async def begin(self, model: str, streams: int, *, waits: bool = True) -> str:
        """Begin so many replies, a few at once."""
        mark = new_mark(self.name)
        turns = asyncio.Semaphore(AT_ONCE)

        async def ask(number: int) -> Stream:
            async with turns:
                return await self.socket.ask(model, f"{mark}{number}")

        begun = await asyncio.gather(*(ask(number) for number in range(streams)))
        for stream in begun if waits else ():
            await self.socket.wait(stream.so_many(1))
        return mark

    async def words(self) -> int:
        """Return how many words have come."""
        return self.socket.words

    async def stop_all(self) -> float:
        """Stop all; return how many seconds that took."""
        return await self.socket.stop_all()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def __init__(self) -> None:
        self.headers = {}
        self._stack = AsyncExitStack()

    async def connect(self, path: str) -> None:
        """Open the socket, and close it first at the end."""
        url = f"ws://127.0.0.1:{self.port}{path}"
        await self.socket.connect(HTTPRequest(url, headers=self.headers))
        self._stack.push_async_callback(self.socket.close)


class Ours(Served):
    """The chat in a Jupyter Server, with SQLite on the disk.

    :param provider: where OpenAI's models are asked.
    :param settings: more of `StopChatApp`.
    """

    name = "ours"

    def __init__(self, provider: Provider | None = None, **settings: Any) -> None:
        super().__init__()
        base_url = provider.base_url if provider is not None else ""
        given = {
            "max_rate": 0,
            "max_generations": 2000,
            "max_generations_per_owner": 2000,
            "model_parameters": {"openai": {"base_url": base_url, "api_key": "none"}},
        }
        self.server = Server(module="speed.processes.server", settings=given | settings)
        self.socket: OurSocket

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.server)
        self.pid, self.port = self.server.pid, self.server.port
        self.headers = {"Authorization": f"token {self.server.token}"}
        self.socket = OurSocket()
        await self.connect("/api/stop-chat/ws")
        return self


class Relay(Served):
    """The bare relay.

    :param provider: where words are asked for.
    """

    name = "relay"

    def __init__(self, provider: Provider) -> None:
        super().__init__()
        self._child = Child("speed.processes.relay", provider.base_url)

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._child)
        self.pid, self.port = self._child.pid, self._child.hello["port"]
        self.socket = RelaySocket()
        await self.connect("/ws")
        return self


class LangChain(Child):
    """LangChain's stream and an empty loop.

    :param provider: where words are asked for.
    """

    name = "langchain"

    def __init__(self, provider: Provider) -> None:
        super().__init__("speed.processes.langchain_loop", provider.base_url)

    async def begin(self, model: str, streams: int, *, waits: bool = True) -> str:
        """Begin so many streams."""
        mark = new_mark(self.name)
        marks = [f"{mark}{number}" for number in range(streams)]
        await self.ask("begin", model=model, marks=marks, waits=waits)
        return mark

    async def words(self) -> int:
        """Return how many words have come."""
        return int((await self.ask("words"))["words"])

    async def stop_all(self) -> float:
        """Stop all; return how many seconds that took."""
        return float((await self.ask("stop"))["seconds"])


async def processor_a_word(
    contender: Contender, model: str, streams: int, seconds: float
) -> float:
    """Measure the processor time that a word takes, in microseconds.

    :param streams: how many are made at once.
    :param seconds: for how long, once all have begun.
    """
    await contender.begin(model, streams)
    await asyncio.sleep(1)  # what the beginnings cost is over
    words, used = await contender.words(), clock.processor(contender.pid)
    await asyncio.sleep(seconds)
    words, used = await contender.words() - words, clock.processor(contender.pid) - used
    await contender.stop_all()
    return used / words * 1e6
