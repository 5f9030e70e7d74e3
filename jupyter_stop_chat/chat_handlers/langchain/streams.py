"""Where the chunks of one answer come from: a model, one in a thread, or an agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.messages import BaseMessage

from jupyter_stop_chat.chat_handlers.sync_bridge import SyncBridge
from jupyter_stop_chat.ports.handler import Event, Turn

from .agents import AgentEvents, Parts, Watch, reported
from .asking import limited
from .clients import Clients
from .closing import closed_at_the_end
from .exchange import Exchange, bound
from .messages import Tally


class Streams:
    """What asks a runnable once, and yields what comes.

    :param model: the chat model that it is; None where it is another one.
    :param closes: vouches that closing the stream closes all that runs at the provider.
    """

    def __init__(
        self,
        runnable: Any,
        model: Any,
        parts: Parts,
        clients: Clients,
        bridge: SyncBridge,
        closes: bool | None,
    ) -> None:
        self._runnable = runnable
        self._model = model
        self._parts = parts
        self._clients = clients
        self._bridge = bridge
        self._closes = closes

    def _offering(self, exchange: Exchange) -> Any:
        return bound(self._runnable, exchange.definitions) if exchange.offers else self._runnable

    async def of_model(
        self,
        messages: list[BaseMessage],
        turn: Turn,
        tally: Tally,
        exchange: Exchange,
        most: int | None,
    ) -> AsyncGenerator[Event, None]:
        """Ask a model, or a chain.

        :param most: it is told to write so many tokens at most.
        """
        watch = Watch(turn, self._parts)
        config = {} if self._model is not None else {"callbacks": [watch]}
        closes = self._closes if self._closes is not None else self._model is not None
        turn.provider_started()
        async with reported(turn, lambda: closes, watch), self._clients.in_use():
            runnable, more = self._offering(exchange), dict[str, Any]()
            if most is not None and self._runnable is self._model:
                runnable, more = limited(self._model, most)
            stream = runnable.astream(messages, config, **more)
            async with closed_at_the_end(stream) as chunks, forgiven(exchange, tally):
                async for chunk in chunks:
                    look(turn)
                    if exchange.offers:
                        exchange.step.take(chunk)
                    event = None
                    for event in _chunk_events(chunk, tally):
                        yield event
                    if event is None:  # nobody else gives the loop back
                        await asyncio.sleep(0)

    async def of_agent(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally
    ) -> AsyncGenerator[Event, None]:
        """Ask an agent of LangGraph's, which has tools of its own."""
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

    async def of_thread(
        self, messages: list[BaseMessage], turn: Turn, tally: Tally, exchange: Exchange
    ) -> AsyncGenerator[Event, None]:
        """Ask a model that has only sync code."""
        runnable = self._offering(exchange)

        def make() -> Iterator[Any]:
            turn.provider_started()
            return iter(runnable.stream(messages))

        bridged = self._bridge.stream(make, turn)
        async with closed_at_the_end(bridged) as chunks, forgiven(exchange, tally):
            async for chunk in chunks:
                if exchange.offers:
                    exchange.step.take(chunk)
                for event in _chunk_events(chunk, tally):
                    yield event


@asynccontextmanager
async def forgiven(exchange: Exchange, tally: Tally) -> AsyncIterator[None]:
    """End an answer where LangChain gives it up over arguments that are no JSON object.

    It reads the calls of some once more with the answer's last word, which was heard by then.
    """
    try:
        yield
    except (ValueError, TypeError, RecursionError):
        if not (exchange.step.is_odd and tally.came_whole):
            raise


def look(turn: Turn) -> None:
    """End a reply that was stopped, also where its cancel was lost on the way (V2).

    :raises asyncio.CancelledError: when it was.
    """
    if turn.stopped or was_cancelled():
        raise asyncio.CancelledError


def was_cancelled() -> bool:
    """Tell whether somebody asked for the end of this task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _chunk_events(chunk: Any, tally: Tally) -> Iterable[Event]:
    return tally.take(chunk) if isinstance(chunk, BaseMessage | str) else ()
