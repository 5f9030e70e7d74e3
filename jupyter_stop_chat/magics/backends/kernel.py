"""Chats in the kernel itself: the server's engine, store and models in a thread of their own."""

from __future__ import annotations

import asyncio
import atexit
import queue
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_stop_chat.magics.line import Line
from jupyter_stop_chat.magics.outcome import ChatFailed

from .base import LAST, ReplyEvent

if TYPE_CHECKING:
    from jupyter_stop_chat.app import StopChatApp
    from jupyter_stop_chat.services import Services

_Result = TypeVar("_Result")
#: So long the kernel's end waits for what still runs, in seconds; the engine's own limit is less.
_END_S = 5.0
#: A stop is settled within 2 s by the engine.
_STOP_S = 6.0


class KernelBackend:
    """What runs the engine in this process; its event loop is in a daemon thread.

    Settings are those of Jupyter Server's configuration files, and chats are kept where a server
    of the same person keeps them.
    """

    label = "this kernel (no Jupyter Server with the chat)"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._app: StopChatApp | None = None
        self._making = asyncio.Lock()
        threading.Thread(target=self._run, name="stop-chat engine", daemon=True).start()
        atexit.register(self.close)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def close(self) -> None:
        """Stop and save what runs, and end the thread."""
        if self._loop.is_closed():
            return
        if self._app is not None:
            end = asyncio.run_coroutine_threadsafe(self._app.stop_extension(), self._loop)
            try:
                end.result(_END_S)
            except Exception:  # noqa: BLE001 - the process ends, whatever it is
                end.cancel()
        atexit.unregister(self.close)
        self._loop.call_soon_threadsafe(self._loop.stop)

    # --- asked from any thread ---------------------------------------------------------------

    def check(self, line: Line) -> None:
        """Have the engine ready: its imports take seconds, once.

        :raises ConnectionAbortedError: when the line is cut meanwhile.
        :raises ChatFailed: when the settings are wrong.
        """
        from jupyter_stop_chat.settings.check import SettingsError

        try:
            self._do(self._services(), line)
        except SettingsError as error:
            raise ChatFailed(f"The chat is off, since its settings are wrong: {error}.") from None

    def stream(self, prompt: dict[str, Any], line: Line) -> Iterator[ReplyEvent]:
        """Send a prompt and yield its reply's events."""
        news: queue.SimpleQueue[ReplyEvent | None] = queue.SimpleQueue()
        told = self._begin(self._tell(prompt, news.put))
        told.add_done_callback(lambda _: news.put(None))
        with line.hold(told.cancel):
            try:
                while (event := news.get()) is not None:
                    yield event
                _result(told)
            finally:
                told.cancel()

    def stop(self, target: dict[str, Any]) -> list[dict[str, Any]]:
        """Stop what a target names; answered once that is true."""
        return self._do(self._stop(target), patience=_STOP_S)

    def path(self, line: Line) -> str | None:
        """Return None: no server tells which notebook this kernel is of."""
        return None

    def chats(self, line: Line, query: str = "", limit: int = 20) -> list[dict[str, Any]]:
        """List chats, newest change first."""
        return self._do(self._chats(query, limit), line)

    def chat(self, chat_id: str) -> dict[str, Any]:
        """Return a chat and its messages."""
        return self._do(self._chat(chat_id))

    def rename(self, chat_id: str, title: str) -> None:
        """Give a chat a title."""
        self._do(self._rename(chat_id, title))

    def models(self) -> dict[str, Any]:
        """Return the models that can be chosen, and the default one."""
        return self._do(self._models())

    def running(self) -> list[dict[str, Any]]:
        """List what is being made or waits."""
        return self._do(self._running())

    def _begin(self, work: Coroutine[Any, Any, _Result]) -> Future[_Result]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _do(
        self,
        work: Coroutine[Any, Any, _Result],
        line: Line | None = None,
        patience: float | None = None,
    ) -> _Result:
        done = self._begin(work)
        with (line or Line()).hold(done.cancel):
            try:
                return _result(done, patience)
            finally:
                done.cancel()

    # --- in the thread -----------------------------------------------------------------------

    async def _services(self) -> Services:
        async with self._making:
            if self._app is None:
                self._app = await asyncio.to_thread(_read_settings)
        return await self._app.services()

    async def _tell(self, prompt: dict[str, Any], put: Callable[[ReplyEvent], None]) -> None:
        from jupyter_stop_chat.connection.reply_stream import ReplyStream
        from jupyter_stop_chat.wire.client_frames import Send

        services = await self._services()
        await services.models.look()  # the page of a server may have chosen another model
        fields = {"chat_id": None, "request_id": str(uuid.uuid4())} | prompt
        accepted = await services.engine.send(_owner(), Send(type="send", **fields))
        reply = ReplyStream(services.engine, accepted)
        try:
            while True:
                while (event := reply.next()) is None:
                    await reply.news()
                put((event.name, _plain(event.content)))
                if event.name in LAST:
                    return
                await asyncio.sleep(0)
        finally:
            reply.close()

    async def _stop(self, target: dict[str, Any]) -> list[dict[str, Any]]:
        from jupyter_stop_chat.wire.client_frames import Stop

        services = await self._services()
        wanted = Stop(type="stop", **(target or {"all": True}))
        return [_plain(each) for each in await services.engine.stop(_owner(), wanted)]

    async def _chats(self, query: str, limit: int) -> list[dict[str, Any]]:
        services = await self._services()
        found = await services.store.list_chats(_owner(), query=query, limit=limit)
        return [_plain(chat) for chat in await services.engine.with_states(_owner(), found)]

    async def _chat(self, chat_id: str) -> dict[str, Any]:
        services = await self._services()
        chat = await services.engine.chat(_owner(), chat_id)
        messages = services.engine.as_shown(await services.store.get_messages(chat_id))
        return {"chat": _plain(chat), "messages": [_plain(each) for each in messages]}

    async def _rename(self, chat_id: str, title: str) -> None:
        await (await self._services()).engine.set_title(_owner(), chat_id, title)

    async def _models(self) -> dict[str, Any]:
        return _plain(await (await self._services()).models.listed(_owner()))

    async def _running(self) -> list[dict[str, Any]]:
        engine = (await self._services()).engine
        return [
            {
                "message_id": generation.id,
                "chat_id": generation.chat_id,
                "state": str(generation.state),
            }
            for generation in engine.running(_owner())
        ]


def _result(done: Future[_Result], patience: float | None = None) -> _Result:
    try:
        return done.result(patience)
    except CancelledError:
        raise ConnectionAbortedError("the line was cut") from None


def _plain(content: Any) -> dict[str, Any]:
    return dict(content.model_dump(mode="json", exclude_none=True))


def _owner() -> str:
    from jupyter_stop_chat.server.owners import ONE_OWNER

    return ONE_OWNER


def _read_settings() -> StopChatApp:
    from jupyter_stop_chat.app import StopChatApp
    from jupyter_stop_chat.settings.read import read_settings

    return read_settings(StopChatApp)
