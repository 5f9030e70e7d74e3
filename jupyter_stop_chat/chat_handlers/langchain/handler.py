"""Make replies with a LangChain chat model, any other runnable, or an agent of LangGraph."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable
from pydantic import SecretStr

from jupyter_stop_chat.chat_handlers.hearing import Hearing, hear, listen
from jupyter_stop_chat.chat_handlers.provider_errors import code_of, stop_chat_error
from jupyter_stop_chat.chat_handlers.sync_bridge import SyncBridge
from jupyter_stop_chat.local_model.continuation import Joint
from jupyter_stop_chat.ports.handler import Event, HistoryCut, Retrying, Turn, TurnMessage
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .agents import AgentEvents, Parts, Watch
from .asking import limited, think_no_more
from .clients import Clients, clients, close_connections, close_idle_connections
from .closing import closed_at_the_end
from .continuation import Overlap, joined
from .first_use import is_ready, make_ready
from .messages import Continuing, Tally, continuing, history
from .retrying import wait_before_retry
from .runnables import (
    bare_model,
    check_stoppable,
    has_async_stream,
    inner_parts,
    is_graph,
    without_lossy_timeouts,
)
from .sync_tools import call_in_threads
from .trimming import TRIES, USED, fitted, limit_of, room_after, size_of

log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

#: What is made of a history of more messages is made in a thread.
LONG_HISTORY = 200
#: How a wait is waited for; a stop cancels it.
pause = asyncio.sleep
#: Counts the stuck threads of all sync models of this process.
BRIDGE = SyncBridge()


class LangChainHandler:
    """What makes replies with a LangChain model, runnable or agent.

    :param runnable: a chat model, a runnable that ends in one, or a compiled graph whose state
        has `messages`.
    :param bridge: counts threads of sync-only models; one for the whole process by default.
    :param closes: vouch that closing the stream closes all that runs at the provider. By default
        that is known of chat models with an async stream, and of agents that use only such.
    :raises StopChatError: `unstoppable_model`, when it would take a stop for a failure.
    """

    def __init__(
        self,
        runnable: Runnable[Any, Any],
        *,
        bridge: SyncBridge | None = None,
        closes: bool | None = None,
    ) -> None:
        check_stoppable(runnable)
        self._runnable = without_lossy_timeouts(runnable)
        self._bridge = bridge or BRIDGE
        self._closes = closes
        self._model = bare_model(self._runnable)
        self._is_graph = is_graph(runnable)
        #: An agent has tools, and a chain does who knows what: nobody asked for it for a title.
        self.makes_titles = self._model is not None
        self._parts = Parts(self._runnable)
        call_in_threads(self._parts.in_threads, self._bridge)
        self._in_thread = self._model is not None and not has_async_stream(self._model)
        self._continuing: Continuing = continuing(self._model)
        self._clients = Clients(self._model)
        #: How many tokens the model takes; None where nobody knows.
        self.max_input_tokens = limit = limit_of(self._model)
        #: How many tokens of a history are sent; None: all, since nobody knows the limit.
        self._room: float | None = None if limit is None else limit * USED
        self._retired = False
        self._takes_limit = True
        #: What ended the thought of its last reply, if nothing opened that, as in some templates.
        self._unopened = ""

    async def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        """Make one reply."""
        hearing = Hearing()
        tally = Tally(hearing, unopened=self._unopened, continued=bool(turn.prefix))
        try:
            async with self._in_use(turn):
                await self._listen(hearing)
                async with closed_at_the_end(self._trimmed(turn, tally)) as stream:
                    async for event in stream:
                        yield event
                        if turn.stopped:
                            return
            if turn.stopped:
                return
            # Of an agent's many messages nobody knows which ones begin so.
            self._unopened = "" if self._model is None else tally.unopened
            for event in tally.endings(agent=self._model is None):
                yield event
        except (GeneratorExit, KeyboardInterrupt, StopChatError):
            raise
        except asyncio.CancelledError as error:
            if _was_cancelled():
                raise
            if turn.stopped:
                return
            # The model's own, which nobody asked for, is a failure like any other.
            raise StopChatError(ErrorCode.GENERATION_FAILED, "CancelledError") from error
        except BaseException as error:
            if turn.stopped:
                return
            if isinstance(error, Exception) and (broke := tally.broke()):
                yield broke
            if isinstance(error, ValueError) and "No generation chunks" in str(error):
                raise StopChatError(ErrorCode.EMPTY_REPLY) from error
            # What an agent's tools ask elsewhere, and what they are answered, is no provider's.
            tells = self._model is not None
            raise stop_chat_error(error, self._secrets(), tells=tells) from error

    async def _listen(self, hearing: Hearing) -> None:
        """Hear what the models' providers say, in this task and those that it starts."""
        for model in self._parts.models:
            if not is_ready(model):
                await in_thread(partial(make_ready, model))
            for client in clients(model):
                listen(client)
        hear(hearing)

    async def retire(self) -> None:
        """Keep no connection for a next request: another handler makes the replies from now on.

        Replies that are being made go on; their connections are closed at their end.
        """
        self._retired = True
        await self._close_idle()

    @asynccontextmanager
    async def _in_use(self, turn: Turn) -> AsyncIterator[None]:
        try:
            yield
        finally:
            if not turn.asked:
                turn.provider_closed()  # it ended before a request was made
            if self._retired:
                await self._close_idle()

    async def _close_idle(self) -> None:
        for model in self._parts.models:
            await close_idle_connections(model)

    async def close(self) -> None:
        """Close the connections that the models keep for the next request."""
        await self._clients.close()
        for model in self._parts.models:
            await close_connections(model)

    async def _trimmed(self, turn: Turn, tally: Tally) -> AsyncGenerator[Event, None]:
        """Make the reply from as much of the history as the model takes.

        Where nobody knows how much that is, the provider's refusal tells, or half is tried.
        """
        for tries_left in reversed(range(TRIES)):
            messages: Sequence[TurnMessage] = turn.messages
            if self._room is not None:
                messages = await _beside(turn, fitted, turn.messages, self._room)
            if tries_left == 0:
                messages = turn.messages[-1:]
            if len(messages) < len(turn.messages):
                yield HistoryCut(messages[0].id)
            begun = False
            try:
                reply = self._whole(messages, turn, tally)
                async with closed_at_the_end(reply) as stream:
                    async for event in stream:
                        begun = begun or not isinstance(event, Retrying)
                        yield event
                return
            except Exception as error:
                can = self._model is not None and len(messages) > 1 and tries_left > 0
                if begun or turn.stopped or not can:
                    raise
                if code_of(error) is not ErrorCode.CONTEXT_TOO_LONG:
                    raise
                sent, whole = [
                    await _beside(turn, size_of, each) for each in (messages, turn.messages)
                ]
                self._room = room_after(error, sent, whole, tries_left)

    async def _whole(
        self, messages: Sequence[TurnMessage], turn: Turn, tally: Tally
    ) -> AsyncGenerator[Event, None]:
        """Make the reply, or what comes behind a partial one."""
        if not turn.prefix:
            told = await _beside(turn, history, messages)
            async with closed_at_the_end(self._events(told, turn, tally)) as s:
                async for event in s:
                    yield event
            return
        if self._continuing == "prefill":
            prefix = Joint(turn.prefix).prefix
            told = await _beside(turn, history, messages, prefix, "prefill")
            begun = False
            try:
                async with closed_at_the_end(self._events(told, turn, tally)) as s:
                    async for event in joined(s, lambda: Joint(turn.prefix)):
                        begun = True
                        yield event
                return
            except Exception as error:
                # Newer models of Anthropic refuse it: ask in words instead.
                code = stop_chat_error(error).code
                if begun or turn.stopped or code is not ErrorCode.REQUEST_REFUSED:
                    raise
        told = await _beside(turn, history, messages, turn.prefix, "instruction")
        async with closed_at_the_end(self._events(told, turn, tally)) as s:
            async for event in joined(s, lambda: Overlap(turn.prefix)):
                yield event

    async def _events(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally
    ) -> AsyncGenerator[Event, None]:
        """Ask, and ask again where the provider did not answer and nothing has come yet."""
        attempt = 0
        while True:
            begun = False
            try:
                async with closed_at_the_end(self._asked(messages, turn, tally)) as stream:
                    async for event in stream:
                        begun = True
                        yield event
                return
            except Exception as error:
                # What a chain or an agent has done before it failed, nobody knows.
                again = self._model is not None and not begun and not turn.stopped
                if again and self._asks_less(error, turn):
                    continue
                wait = wait_before_retry(error, attempt) if again else None
                if wait is None:
                    raise
                attempt += 1
                told = Retrying(wait, attempt + 1, code_of(error))
                log.info("%s: asked again in %.1f s", told.code, wait)
            yield told
            await pause(told.wait)

    def _asks_less(self, error: Exception, turn: Turn) -> bool:
        """Tell whether a model that refused a request is asked for less from now on."""
        if code_of(error) is not ErrorCode.REQUEST_REFUSED or self._model is None:
            return False
        if think_no_more(self._model, error):
            return True
        drops = self._takes_limit and "max_tokens" in turn.parameters
        if drops:
            self._takes_limit = False
        return drops

    async def _asked(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally
    ) -> AsyncGenerator[Event, None]:
        """Ask once."""
        if self._is_graph:
            source = self._agent_events(messages, turn, tally)
        elif self._in_thread:
            source = self._thread_events(messages, turn, tally)
        else:
            source = self._model_events(messages, turn, tally)
        tally.begin()
        async with closed_at_the_end(source) as stream:
            async for event in stream:
                yield event
        for event in tally.end():
            yield event

    async def _model_events(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally
    ) -> AsyncGenerator[Event, None]:
        watch = Watch(turn, self._parts)
        config = {} if self._model is not None else {"callbacks": [watch]}
        closes = self._closes if self._closes is not None else self._model is not None
        turn.provider_started()
        async with reported(turn, lambda: closes, watch), self._clients.in_use():
            runnable, more = self._runnable, dict[str, Any]()
            most = turn.parameters.get("max_tokens")
            if most is not None and self._takes_limit and self._runnable is self._model:
                runnable, more = limited(self._model, most)
            stream = runnable.astream(messages, config, **more)
            async with closed_at_the_end(stream) as chunks:
                async for chunk in chunks:
                    look(turn)
                    event = None
                    for event in _chunk_events(chunk, tally):
                        yield event
                        look(turn)
                    if event is None:  # nobody else gives the loop back
                        await asyncio.sleep(0)

    async def _agent_events(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally
    ) -> AsyncGenerator[Event, None]:
        watch = Watch(turn, self._parts)
        found = AgentEvents(tally)
        # A thread of its own for each message: what a stopped turn leaves in a checkpoint, a call
        # of a tool without its answer, would make the next one invalid (B8). The history is ours.
        config = {
            "callbacks": [watch],
            "configurable": {"thread_id": turn.message_id},
        }
        turn.provider_started()
        closes = self._closes
        async with reported(turn, lambda: watch.all_close if closes is None else closes, watch):
            stream = self._runnable.astream(
                {"messages": messages},
                config,
                stream_mode=["messages", "updates"],
            )
            async with closed_at_the_end(stream) as items:
                async for mode, payload in items:
                    look(turn)
                    for event in found.take(mode, payload):
                        yield event
                        look(turn)

    async def _thread_events(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally
    ) -> AsyncGenerator[Event, None]:
        def make() -> Iterator[Any]:
            turn.provider_started()
            return iter(self._runnable.stream(messages))

        async with closed_at_the_end(self._bridge.stream(make, turn)) as chunks:
            async for chunk in chunks:
                for event in _chunk_events(chunk, tally):
                    yield event

    def _secrets(self) -> set[str]:
        """Find the keys that the models were given, so that none is written to the log."""
        found: set[str] = set()
        for part in inner_parts(self._runnable):
            for value in getattr(part, "__dict__", {}).values():
                if isinstance(value, SecretStr):
                    found.add(value.get_secret_value())
        return found


async def _beside(turn: Turn, make: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Make something of a turn's history; of a long one beside the loop, where nobody waits."""
    if len(turn.messages) <= LONG_HISTORY:
        return make(*args, **kwargs)
    return await asyncio.to_thread(make, *args, **kwargs)


def look(turn: Turn) -> None:
    """End a reply that was stopped, also where its cancel was lost on the way (V2).

    :raises asyncio.CancelledError: when it was.
    """
    if turn.stopped or _was_cancelled():
        raise asyncio.CancelledError


def _was_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


@asynccontextmanager
async def reported(turn: Turn, closes: Any, watch: Watch) -> AsyncIterator[None]:
    """Report how the provider stands once the stream inside is closed, however that came.

    :param closes: tells whether a closed stream means that nothing runs at the provider.
    """
    try:
        yield
    finally:
        if watch.left_running:
            turn.still_finishing()
        elif closes():
            turn.provider_closed()


def _chunk_events(chunk: Any, tally: Tally) -> Iterator[Event]:
    if isinstance(chunk, BaseMessage | str):
        yield from tally.take(chunk)
