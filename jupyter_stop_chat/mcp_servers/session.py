"""One session with one server, for one owner: opened, kept and closed by one task of its own.

The contexts of the SDK end only in the task in which they began. That task waits for the session's
end; whoever calls a tool does so in a task of theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
from anyio import BrokenResourceError, ClosedResourceError
from mcp import ClientSession, McpError, types

from jupyter_stop_chat import __version__
from jupyter_stop_chat.threads import in_thread

from .bounded import UnreadableError
from .config import ConfigError, Entry
from .launcher import LEFT_OUT
from .offered import MOST_TOOLS, Offered, offered
from .streams import QUIET, Reading, Sending, silence
from .text import Log
from .transports import streams_of

#: Seconds that a server has from its start until it has told of its tools.
START_S = 30.0
#: Seconds that it has to end by itself.
END_S = 5.0
#: Seconds between two looks at tools that change.
LOOK_S = 1.0
#: Seconds after the end of an answer over HTTP in which what it held is given to who waits for it.
LATE_S = 1.0
#: A larger count is none.
MOST_LEFT_OUT = 1_000_000
#: So many pages of its list of tools are read.
MOST_PAGES = 20
_ENDED = "It ended as it was started."


async def first_of(*futures: asyncio.Future[Any], timeout: float | None = None) -> None:
    """Return when one of several is done, or it was waited for long enough."""
    await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


class GoneError(Exception):
    """A failure: a server is not there any more; the words are for people."""


class Session:
    """A session that is being opened, is open, or has ended; another one is made then.

    :param changed: told when it is ready, has other tools, or has ended.
    :ivar client: the SDK's, while it is open.
    :ivar tools: what its server offers.
    :ivar unread: how many tools more it has told of.
    :ivar failure: why it has ended, in words.
    :ivar ended: done when it has.
    :ivar unanswered: by the ids of calls, done when one has ended without an answer.
    """

    def __init__(self, entry: Entry, log: Log, changed: Callable[[], None]) -> None:
        self.entry = entry
        self.client: ClientSession | None = None
        self.tools: list[Offered] = []
        self.unread = 0
        self.failure: str | None = None
        self.unanswered: dict[types.RequestId, asyncio.Future[None]] = {}
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._closing: asyncio.Future[None] = loop.create_future()
        self._look = asyncio.Event()
        self._log = log
        self._changed = changed
        self._task = asyncio.create_task(self._own(), name=f"stop-chat mcp {entry.kind}")

    async def ready(self) -> ClientSession:
        """Return the SDK's session once it is open.

        :raises GoneError: it has ended, or could not be opened.
        """
        await first_of(self.opened, self.ended)
        if self.client is None or self.ended.done():
            raise GoneError(self.failure or "It has ended.")
        return self.client

    def ask_to_close(self) -> None:
        """Have it end, wherever it is."""
        if not self._closing.done():
            self._closing.set_result(None)

    async def close(self) -> None:
        """Return when it has ended, and nothing of it is left."""
        self.ask_to_close()
        await asyncio.wait({self._task}, timeout=END_S)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=END_S / 5)

    # --- the task that owns it ---------------------------------------------------------------

    async def _own(self) -> None:
        QUIET.set(True)
        silence()
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(START_S):
                        client = await self._open(stack)
                except Exception as error:
                    # What the SDK makes of it, as it ends, tells less.
                    self.failure = self.failure or words_for(error, started=False)
                    raise
                self.client = client
                self.opened.set_result(None)
                self._changed()
                await self._keep(client)
        except asyncio.CancelledError:
            self._end("It was ended.")
        except BaseException as error:  # noqa: BLE001 - whatever the SDK raises, it has ended
            self._end(words_for(error, started=self.opened.done()))
        else:
            self._end(None if self._closing.done() else "It has ended by itself.")

    async def _open(self, stack: AsyncExitStack) -> ClientSession:
        said, told = await stack.enter_async_context(
            streams_of(self.entry, self._lost, self._over)
        )
        client = ClientSession(
            Reading(said, self._no_more, self._broken),  # type: ignore[arg-type]
            Sending(told),  # type: ignore[arg-type]
            logging_callback=self._logged,
            message_handler=self._hear,
            client_info=types.Implementation(name="jupyter-stop-chat", version=__version__),
        )
        await stack.enter_async_context(client)
        opening = asyncio.ensure_future(client.initialize())
        await self._unless_ended(opening)
        await self._read_tools(client)
        return client

    async def _unless_ended(self, work: asyncio.Future[Any]) -> Any:
        """Return what something answers, unless the session ends before.

        :raises GoneError: it does.
        """
        try:
            await first_of(work, self.ended, self._closing)
            if self._closing.done():
                raise GoneError("It was ended.")
            if not work.done():
                raise GoneError(self.failure or _ENDED)
            return work.result()
        finally:
            work.cancel()

    async def _read_tools(self, client: ClientSession) -> None:
        """Ask for the tools, which a server may tell in several answers."""
        told: list[dict[str, Any]] = []
        count = 0
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            params = types.PaginatedRequestParams(cursor=cursor)
            asked = types.ListToolsRequest(params=params if cursor else None)
            # Asked like this, the SDK keeps no schemas to look at answers with, which may take
            # as long as the server likes.
            work = client.send_request(types.ClientRequest(asked), types.ListToolsResult)
            page: types.ListToolsResult = await self._unless_ended(asyncio.ensure_future(work))
            told += [each.model_dump(mode="json") for each in page.tools[:MOST_TOOLS]]
            count += len(page.tools) + _left_out(page)
            cursor = page.nextCursor
            if not cursor or len(told) >= MOST_TOOLS:
                break
        self.tools = await in_thread(offered, self.entry.name, self.entry.said, told)
        self.unread = count - len(self.tools)

    async def _keep(self, client: ClientSession) -> None:
        """Return when the session ends, whoever ends it; meanwhile keep the tools up to date."""
        while not self._is_ending():
            look = asyncio.create_task(self._look.wait())
            try:
                await first_of(self._closing, look, self.ended)
            finally:
                look.cancel()
            if self._look.is_set() and not self._is_ending():
                self._look.clear()
                with suppress(McpError, TimeoutError, GoneError):
                    async with asyncio.timeout(START_S):
                        await self._read_tools(client)
                self._changed()
                await first_of(self._closing, self.ended, timeout=LOOK_S)

    def _is_ending(self) -> bool:
        return self.ended.done() or self._closing.done()

    # --- what the server says ----------------------------------------------------------------

    async def _hear(self, message: Any) -> None:
        root = getattr(message, "root", None)
        if isinstance(root, types.ToolListChangedNotification):
            self._look.set()

    async def _logged(self, params: types.LoggingMessageNotificationParams) -> None:
        self._log.add(params.data)

    def _broken(self, error: Exception) -> None:
        self._log.add(f"What it said was no message ({type(error).__name__}).")

    def _lost(self, error: Exception) -> None:
        self.failure = self.failure or words_for(error, started=self.opened.done())
        self._no_more()

    def _over(self, number: types.RequestId) -> None:
        asyncio.get_running_loop().call_later(LATE_S, self._is_over, number)

    def _is_over(self, number: types.RequestId) -> None:
        """Note that a call is answered no more, if it was not."""
        waiting = self.unanswered.get(number)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _no_more(self) -> None:
        """Note that nothing comes any more."""
        if not self.ended.done():
            self.ended.set_result(None)

    def _end(self, failure: str | None) -> None:
        """Note that it has ended, and why."""
        self.failure = self.failure or failure
        if self.failure is not None:
            self._log.add(self.failure)
        self._no_more()
        self._changed()


def _left_out(page: types.ListToolsResult) -> int:
    """Return how many tools were taken out of a list that was too long."""
    count = (page.meta or {}).get(LEFT_OUT)
    return count if isinstance(count, int) and 0 <= count <= MOST_LEFT_OUT else 0


def words_for(error: BaseException, *, started: bool) -> str:
    """Say why a session has ended, in words for people: nothing of the error's own."""
    inner = error
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    match inner:
        case ConfigError() | GoneError():
            return str(inner)
        case TimeoutError() if not started:
            return f"It did not answer within {START_S:.0f} seconds of its start."
        case UnreadableError():
            return "It sent an answer that is too large to be read."
        case httpx.HTTPStatusError() if inner.response.status_code in {401, 403}:
            return "It wants somebody to sign in: give it a key in its headers."
        case httpx.HTTPStatusError():
            return f"It answered with the status {inner.response.status_code}."
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return "It cannot be reached at its address."
        case httpx.HTTPError() | httpx.InvalidURL() | httpx.StreamError():
            return "The connection to it was lost." if started else "It cannot be reached."
        case BrokenResourceError() | ClosedResourceError() if not started:
            return _ENDED  # it is told something before its silence is noticed
        case McpError() if not started:
            return "It refused to begin a session, or ended as it was started."
        case OSError() if not started:
            return "It could not be started."
    return (
        "It has ended." if started else "It could not be started, or says what no MCP server says."
    )
