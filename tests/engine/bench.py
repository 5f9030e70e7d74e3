"""An engine on a bench: a real store, scripted models, and a listener that checks it all."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jupyter_stop_chat.bus.local import LocalBus
from jupyter_stop_chat.engine import Engine, EngineLimits
from jupyter_stop_chat.engine.changes import Change, MessageMoved, TextGrew
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.handler import ChatHandler
from jupyter_stop_chat.testing import Script, ScriptedHandler
from jupyter_stop_chat.wire.client_frames import Continue, Edit, Regenerate, Send, Stop
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message, MessageState, StopResult
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged, Tool
from tests.aids.turns import until
from tests.engine.stores import open_watched

OWNER = "ada"
MODEL = "test:scripted"


class Listener:
    """What hears what the bus tells, and fail when it cannot be true.

    :ivar states: the states that each message went through, in order.
    :ivar told: every change.
    """

    def __init__(self) -> None:
        self.states: dict[str, list[MessageState]] = {}
        self.lengths: dict[str, int] = {}
        self.told: list[Change] = []
        self.chats: list[Chat] = []
        self.problems: list[str] = []

    def __call__(self, change: Change) -> None:
        self.told.append(change)
        match change:
            case MessageMoved(message, _):
                self._moved(message)
            case TextGrew(generation):
                self._grew(generation)
            case Accepted():
                self.states.setdefault(change.message.id, [])
            case ChatChanged():
                self.chats.append(change.chat)

    def _moved(self, message: Message) -> None:
        states = self.states.setdefault(message.id, [])
        ended = states[-1] if states and states[-1] in TERMINAL else None
        if ended is not None and message.role == "assistant":
            # Its receipt may be completed, and it may be gone on with; no more.
            if message.state in TERMINAL and message.state is not ended:
                self.problems.append(f"flipped from {ended} to {message.state}")
            if message.state is MessageState.STOPPING:
                self.problems.append("is stopping after its end")
        states.append(message.state)
        self.lengths[message.id] = message.text_length

    def _grew(self, generation: Generation) -> None:
        states = self.states.get(generation.id, [])
        if states and states[-1] in TERMINAL:
            self.problems.append("grew after its end")

    def terminals(self, message_id: str) -> int:
        """Count how often a message was told to have ended."""
        return sum(state in TERMINAL for state in self.states.get(message_id, []))

    def tools(self) -> list[Tool]:
        """Return what was told of tools."""
        return [change for change in self.told if isinstance(change, Tool)]


class Bench:
    """What runs an engine, and ask it as a page would.

    :param store: an open one.
    :ivar handlers: the models by their ids.
    """

    def __init__(
        self,
        script: Script | Callable[..., Script] = ("Hello.",),
        *,
        store: Any,
        policy: Any = "queue",
        titles: Any = "prompt",
        default_model: str | None = MODEL,
        **limits: Any,
    ) -> None:
        self.handler = ScriptedHandler(script)
        self.handlers: dict[str, ChatHandler] = {MODEL: self.handler}
        self.store = store
        self.bus = LocalBus()
        self._arguments = (
            lambda wanted, owner: wanted or default_model,
            EngineLimits(**{"text_interval": 0.0, **limits}),  # a word a step
            policy,
            titles,
        )
        self.engine = Engine(self.store, self.bus, self.resolve, *self._arguments)
        self.heard = Listener()
        self.bus.attend(OWNER, self.heard)
        self._followed: set[str] = set()

    def reach(self, peers: Any) -> None:
        """Make the engine anew: one that other processes reach."""
        self.engine = Engine(self.store, self.bus, self.resolve, *self._arguments, peers)

    def spend(self, spending: Any) -> None:
        """Make the engine anew: one that prices its replies, and keeps a budget."""
        engine = Engine(self.store, self.bus, self.resolve, *self._arguments, spending=spending)
        self.engine = engine

    def use(self, *tools: Any, offer: Any = None, **more: Any) -> None:
        """Make the engine anew: one whose models may use tools.

        :param offer: returns them by owner, where they change.
        """
        offer = offer or (lambda owner: tools)
        engine = Engine(self.store, self.bus, self.resolve, *self._arguments, tools=offer, **more)
        self.engine = engine

    async def resolve(self, model: str, owner: str) -> tuple[ChatHandler, str]:
        """Find a model."""
        handler = self.handlers.get(model)
        if handler is None:
            raise StopChatError(ErrorCode.UNKNOWN_MODEL)
        return handler, model.partition(":")[2]

    def follow(self, chat_id: str) -> None:
        """Listen to a chat."""
        if chat_id not in self._followed:
            self._followed.add(chat_id)
            self.bus.follow(chat_id, self.heard)

    async def send(
        self, body: str = "Hi", chat_id: str | None = None, *, owner: str = OWNER, **more: Any
    ) -> Accepted:
        """Send a prompt."""
        request_id = more.pop("request_id", None) or new_id()
        if chat_id is not None:
            self.follow(chat_id)
        frame = Send(type="send", request_id=request_id, chat_id=chat_id, body=body, **more)
        accepted = await self.engine.send(owner, frame)
        self.follow(accepted.chat_id)
        return accepted

    async def stop(self, *, owner: str = OWNER, **target: Any) -> tuple[StopResult, ...]:
        """Stop something."""
        return await self.engine.stop(owner, Stop(type="stop", **target))

    async def regenerate(self, message_id: str, request_id: str | None = None) -> Accepted:
        """Make a reply anew."""
        request_id = request_id or new_id()
        frame = Regenerate(type="regenerate", message_id=message_id, request_id=request_id)
        return await self.engine.regenerate(OWNER, frame)

    async def go_on(
        self, message_id: str, request_id: str | None = None, model: str | None = None
    ) -> Accepted:
        """Continue a reply."""
        request_id = request_id or new_id()
        frame = Continue(
            type="continue", message_id=message_id, request_id=request_id, model=model
        )
        return await self.engine.continue_(OWNER, frame)

    async def edit(
        self,
        message_id: str,
        body: str,
        owner: str = OWNER,
        request_id: str | None = None,
        keeps: list[int] | None = None,
    ) -> Accepted:
        """Change a prompt."""
        request_id = request_id or new_id()
        frame = Edit(
            type="edit", message_id=message_id, body=body, request_id=request_id, keeps=keeps
        )
        return await self.engine.edit(owner, frame)

    async def end(self, accepted: Accepted | str) -> Message:
        """Wait for the end of a reply."""
        message_id = accepted if isinstance(accepted, str) else accepted.message.id
        generation = self.engine.generation(message_id)
        if generation is not None:
            return await asyncio.shield(generation.settled)
        message = await self.store.get_message(message_id)
        assert message is not None
        assert message.state in TERMINAL
        return message

    async def shown(self, accepted: Accepted, text: str) -> Generation:
        """Wait until a reply shows a text."""
        generation = self.engine.generation(accepted.message.id)
        assert generation is not None, "it has ended"

        def shows() -> bool:
            if str(generation.text) == text:
                return True
            assert not generation.settled.done(), f"it ended with {generation.text}"
            return False

        await turns_until(shows)
        return generation

    def expire(self, accepted: Accepted) -> float:
        """Let the time of a reply be up; return how much of it was left, in seconds."""
        generation = self.engine.generation(accepted.message.id)
        assert generation is not None
        timer = generation.deadline.timer
        assert timer is not None
        timer._run()
        return timer.when() - asyncio.get_running_loop().time()

    async def quiet(self) -> None:
        """Wait until nothing is made and nothing runs beside it."""
        while True:
            running = self.engine.running()
            if running:
                await asyncio.wait({each.settled for each in running})
            await self.engine.background.settle()
            # The callbacks of the last tasks.
            await asyncio.sleep(0)
            if not (len(self.engine.registry) or len(self.engine.background)):
                return

    async def check(self, *, runaway: int = 0, remembered: bool = False) -> None:
        """V10: nothing is left of anything, and everything that was told can be true."""
        async with asyncio.timeout(20):
            await self.quiet()
        engine = self.engine
        assert self.heard.problems == []
        assert engine.runaway == runaway
        assert len(engine.titles) == 0
        waiting = asyncio.get_running_loop()._scheduled  # type: ignore[attr-defined]
        deadlines = [each for each in waiting if not each.cancelled()]
        assert not any(_is_of_generation(each) for each in deadlines)
        if not remembered:
            assert engine.registry.empty, vars(engine.registry)
        for task in asyncio.all_tasks():
            name = task.get_name()
            kinds = ("generation ", "commit ", "stop-chat ")
            if task is not asyncio.current_task() and name.startswith(kinds):
                assert task in engine.background.runaway, f"{name} is left"

    async def close(self) -> None:
        """Let the listener go, and see that nobody else listens."""
        self.engine.elsewhere.close()
        looking = [one for one in asyncio.all_tasks() if one.get_name() == "stop-chat elsewhere"]
        if looking:  # it may just have begun
            await asyncio.wait(looking)
        await self.quiet()
        self.bus.leave(OWNER, self.heard)
        for chat_id in self._followed:
            self.bus.unfollow(chat_id, self.heard)
        assert self.bus.listeners == 0


def _is_of_generation(timer: Any) -> bool:
    args = getattr(timer._callback, "args", ())
    return any(isinstance(each, Generation) for each in args)


@asynccontextmanager
async def bench_in_memory(*args: Any, **options: Any) -> AsyncIterator[Bench]:
    """Make a bench with a store of its own, and check at the end what it left behind."""
    store = await open_watched()
    bench = Bench(*args, store=store, **options)
    try:
        yield bench
        await bench.check()
        await bench.close()
    finally:
        await store.close()


async def refused(work: Awaitable[object]) -> ErrorCode:
    """Return the code that work is refused with."""
    with pytest.raises(StopChatError) as caught:
        await work
    return caught.value.code


def new_id() -> str:
    """Make an id."""
    return str(uuid.uuid4())


#: So many turns are taken without a pause: tests of races count them.
RESTLESS_TURNS = 200


async def turns_until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so; the test's own limit ends the wait.

    After some turns it pauses between them: a loop that never rests keeps the interpreter from
    the database's threads, and what is waited for may be theirs to do.
    """
    for _ in range(RESTLESS_TURNS):
        if condition():
            return
        await asyncio.sleep(0)
    await until(condition)
