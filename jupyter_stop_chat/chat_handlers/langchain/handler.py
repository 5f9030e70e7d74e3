"""Make replies with a LangChain chat model, any other runnable, or an agent of LangGraph."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
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
from jupyter_stop_chat.ports.instructions import Takes
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .agents import Parts
from .asking import Asked, refuses_role, think_no_more, without_role
from .clients import Clients, clients, close_connections, close_idle_connections
from .continuation import Overlap, joined
from .exchange import Exchange, refuses_tools, uses_tools
from .first_use import is_ready, make_ready
from .messages import Continuing, Tally, continuing, history
from .pictures import read_pictures, takes_pictures
from .retrying import wait_before_retry
from .runnables import (
    bare_model,
    check_stoppable,
    has_async_stream,
    inner_parts,
    is_graph,
    without_lossy_timeouts,
)
from .streams import Streams, was_cancelled
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
        bridge = bridge or BRIDGE
        self._model = bare_model(self._runnable)
        self._is_graph = is_graph(runnable)
        #: An agent has tools, and a chain does who knows what: nobody asked for it for a title.
        self.makes_titles = self._model is not None
        #: An agent's maker has told it already what it is.
        self.takes_instructions: Takes = "given" if self._model is None else "all"
        self._has_system_role = True
        self._parts = Parts(self._runnable)
        call_in_threads(self._parts.in_threads, bridge)
        self._in_thread = self._model is not None and not has_async_stream(self._model)
        self._continuing: Continuing = continuing(self._model)
        self._clients = Clients(self._model)
        self._streams = Streams(
            self._runnable, self._model, self._parts, self._clients, bridge, closes
        )
        #: Whether it is shown pictures; None where only its provider knows.
        self.takes_pictures = takes_pictures(self._model)
        #: Whether it is offered tools, likewise.
        self.uses_tools = uses_tools(self._model)
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
        exchange = Exchange(turn.gate)
        try:
            async with self._in_use(turn):
                await self._make_ready()
                async with aclosing(self._steps(turn, exchange)) as stream:
                    async for event in stream:
                        yield event
                        if turn.stopped:
                            return
        except (GeneratorExit, KeyboardInterrupt, StopChatError):
            raise
        except asyncio.CancelledError as error:
            if was_cancelled():
                raise
            if turn.stopped:
                return
            # The model's own, which nobody asked for, is a failure like any other.
            raise StopChatError(ErrorCode.GENERATION_FAILED, "CancelledError") from error
        except BaseException as error:
            if turn.stopped:
                return
            tally = exchange.tally
            if isinstance(error, Exception) and tally and (broke := tally.broke()):
                yield broke
            if isinstance(error, ValueError) and "No generation chunks" in str(error):
                raise StopChatError(ErrorCode.EMPTY_REPLY) from error
            # What an agent's tools ask elsewhere, and what they are answered, is no provider's.
            tells = self._model is not None
            raise stop_chat_error(error, self._secrets(), tells=tells) from error

    async def _steps(self, turn: Turn, exchange: Exchange) -> AsyncGenerator[Event, None]:
        """Make the reply: an answer, and another one while the model calls tools."""
        goes_on = True
        while goes_on:
            exchange.ask()
            exchange.tally = tally = self._tally(turn, exchange)
            async with aclosing(self._trimmed(turn, tally, exchange)) as stream:
                async for event in exchange.apart(stream):
                    yield event
            if turn.stopped:
                return
            # Of an agent's many messages nobody knows which ones begin so.
            self._unopened = "" if self._model is None else tally.unopened
            for event in tally.endings(agent=self._model is None or exchange.offers):
                yield event
            goes_on = await exchange.goes_on(whole=tally.came_whole)

    def _tally(self, turn: Turn, exchange: Exchange) -> Tally:
        """Hear what the models' providers say from now on, in this task and those it starts."""
        hearing = Hearing()
        hear(hearing)
        goes_on = bool(turn.prefix) and not exchange.messages
        return Tally(hearing, unopened=self._unopened, continued=goes_on)

    async def _make_ready(self) -> None:
        """Make the models ready to be asked, and to be heard."""
        for model in self._parts.models:
            if not is_ready(model):
                await in_thread(partial(make_ready, model))
            for client in clients(model):
                listen(client)

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
        # Their sockets close in the loop's next pass, and at a server's end there may be none.
        await asyncio.sleep(0)

    async def _trimmed(
        self, turn: Turn, tally: Tally, exchange: Exchange
    ) -> AsyncGenerator[Event, None]:
        """Make the reply from as much of the history as the model takes.

        Where nobody knows how much that is, the provider's refusal tells, or half is tried. Where
        the prompt alone is left, what tools answered before is left out of its own reply.
        """
        tries_left = TRIES
        while True:
            tries_left -= 1
            messages: Sequence[TurnMessage] = turn.messages
            if self._room is not None:
                room = self._room - exchange.size
                messages = await _beside(turn, fitted, messages, room, turn.system)
            if tries_left <= 0:
                messages = turn.messages[-1:]
            if len(messages) < len(turn.messages):
                yield HistoryCut(messages[0].id)
            begun = False
            try:
                reply = self._whole(messages, turn, tally, exchange)
                async with aclosing(reply) as stream:
                    async for event in stream:
                        begun = begun or not isinstance(event, Retrying)
                        yield event
                return
            except Exception as error:
                if begun or turn.stopped or self._model is None:
                    raise
                if code_of(error) is not ErrorCode.CONTEXT_TOO_LONG:
                    raise
                if len(messages) == 1 or tries_left <= 0:
                    if not exchange.shorten():
                        raise
                    continue
                sent, whole = [
                    await _beside(turn, size_of, each, turn.system) + exchange.size
                    for each in (messages, turn.messages)
                ]
                self._room = room_after(error, sent, whole, tries_left)

    async def _whole(
        self, messages: Sequence[TurnMessage], turn: Turn, tally: Tally, exchange: Exchange
    ) -> AsyncGenerator[Event, None]:
        """Make the reply, or what comes behind a partial one."""
        pictures = {} if self.takes_pictures is False else await read_pictures(turn, messages)
        tell = partial(history, messages, system=turn.system, pictures=pictures)
        if exchange.messages or not (turn.prefix or turn.calls):
            told = await _beside(turn, tell, turn.prefix, calls=turn.calls)
            async with aclosing(
                self._events([*told, *exchange.messages], turn, tally, exchange)
            ) as s:
                async for event in s:
                    yield event
            return
        if self._continuing == "prefill" and not exchange.offers:
            prefix = Joint(turn.prefix).prefix
            told = await _beside(turn, tell, prefix, "prefill")
            begun = False
            try:
                async with aclosing(self._events(told, turn, tally, exchange)) as s:
                    async for event in joined(s, lambda: Joint(turn.prefix)):
                        begun = True
                        yield event
                return
            except Exception as error:
                # Newer models of Anthropic refuse it: ask in words instead.
                code = stop_chat_error(error).code
                if begun or turn.stopped or code is not ErrorCode.REQUEST_REFUSED:
                    raise
        told = await _beside(turn, tell, turn.prefix, calls=turn.calls)
        async with aclosing(self._events(told, turn, tally, exchange)) as s:
            async for event in joined(s, lambda: Overlap(turn.prefix)):
                yield event

    async def _events(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally, exchange: Exchange
    ) -> AsyncGenerator[Event, None]:
        """Ask, and ask again where the provider did not answer and nothing has come yet."""
        attempt = 0
        exchange.follows(messages)
        while True:
            begun = False
            if not self._has_system_role:
                messages = without_role(messages)
            limit = self._takes_limit and "max_tokens" in turn.parameters
            asked = Asked.of(self._model, messages, limit=limit)
            try:
                async with aclosing(self._asked(messages, turn, tally, exchange)) as stream:
                    async for event in stream:
                        begun = True
                        yield event
                return
            except Exception as error:
                # What a chain or an agent has done before it failed, nobody knows.
                again = self._model is not None and not begun and not turn.stopped
                if again and exchange.offers and refuses_tools(error):
                    raise StopChatError(ErrorCode.CANNOT_USE_TOOLS) from error
                if again and self._asks_less(error, asked):
                    continue
                wait = wait_before_retry(error, attempt) if again else None
                if wait is None:
                    raise
                attempt += 1
                told = Retrying(wait, attempt + 1, code_of(error))
                log.info("%s: asked again in %.1f s", told.code, wait)
            yield told
            await pause(told.wait)

    def _asks_less(self, error: Exception, asked: Asked) -> bool:
        """Tell whether a model that refused a request is asked for less from now on."""
        if code_of(error) is not ErrorCode.REQUEST_REFUSED or self._model is None:
            return False
        if think_no_more(self._model, error, asked):
            return True
        if asked.role and refuses_role(error):
            self._has_system_role = False
            return True
        if asked.limit:
            self._takes_limit = False
        return asked.limit

    async def _asked(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally, exchange: Exchange
    ) -> AsyncGenerator[Event, None]:
        """Ask once."""
        if self._is_graph:
            source = self._streams.of_agent(messages, turn, tally)
        elif self._in_thread:
            source = self._streams.of_thread(messages, turn, tally, exchange)
        else:
            most = turn.parameters.get("max_tokens") if self._takes_limit else None
            source = self._streams.of_model(messages, turn, tally, exchange, most)
        tally.begin()
        exchange.step.begin()
        async with aclosing(source) as stream:
            async for event in stream:
                yield event
        for event in tally.end():
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
    made = sum(len(each.calls) for each in turn.messages)
    if len(turn.messages) + made <= LONG_HISTORY:
        return make(*args, **kwargs)
    return await asyncio.to_thread(make, *args, **kwargs)
