"""An engine on a bench: a store in memory, scripted models, and a listener that checks it all."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from jupyter_stop_chat.bus import Bus, Change, MessageMoved, TextGrew
from jupyter_stop_chat.chat_handlers.base import ChatHandler
from jupyter_stop_chat.engine import Engine, EngineLimits
from jupyter_stop_chat.errors import ErrorCode, StopChatError
from jupyter_stop_chat.generation import Generation
from jupyter_stop_chat.protocol import (
    TERMINAL,
    Accepted,
    Chat,
    ChatChanged,
    Continue,
    Edit,
    Message,
    MessageState,
    Receipt,
    Regenerate,
    Send,
    Stop,
    StopResult,
    Tool,
    ToolCall,
)
from jupyter_stop_chat.store.base import Part, Settlement
from jupyter_stop_chat.store.memory import Memory
from jupyter_stop_chat.store.newest import newest_reply
from jupyter_stop_chat.store.operations import (
    AmendPrompt,
    AmendStop,
    Append,
    BeginTurn,
    CreateChat,
    DeleteChat,
    Operation,
    PutTool,
    Reopen,
    SetState,
    SetTitle,
    Settle,
)
from jupyter_stop_chat.testing import Script, ScriptedHandler

OWNER = "ada"
MODEL = "test:scripted"


class MemoryStore:
    """Keep chats in memory, with the answers of the real store and without its threads.

    What is written is written in order, and also when its caller is cancelled meanwhile.

    :ivar turns: how many turns of the event loop a write takes; `read_turns`, a read.
    :ivar fails: operations of these kinds raise; a real store does not, and yet.
    """

    def __init__(self) -> None:
        self.memory = Memory()
        self.on_trouble: Callable[[bool], None] = lambda troubled: None
        self.turns = 1
        self.read_turns = 1
        self.fails: tuple[type, ...] = ()
        self.done: list[Operation] = []
        self.open_for_writing = asyncio.Event()
        self.open_for_writing.set()
        self._queue: deque[tuple[Operation, asyncio.Future[Any]]] = deque()
        self._pump: asyncio.Task[None] | None = None

    async def _write(self, operation: Operation) -> Any:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((operation, answer))
        if self._pump is None:
            self._pump = asyncio.create_task(self._work(), name="store")
        return await answer

    async def _work(self) -> None:
        while self._queue:
            await self.open_for_writing.wait()
            for _ in range(self.turns):
                await asyncio.sleep(0)
            group = list(self._queue)
            self._queue.clear()
            for operation, answer in group:
                self._apply(operation, answer)
        self._pump = None

    def _apply(self, operation: Operation, answer: asyncio.Future[Any]) -> None:
        try:
            if isinstance(operation, self.fails):
                raise RuntimeError("the store is broken")
            result = self.memory.apply(operation)
            self.done.append(operation)
        except Exception as error:
            if not answer.cancelled():
                answer.set_exception(error)
        else:
            if not answer.cancelled():
                answer.set_result(result)

    async def _read(self) -> None:
        for _ in range(self.read_turns):
            await asyncio.sleep(0)

    # --- the interface -----------------------------------------------------------------------

    async def open(self, on_recovered: Any = None) -> None:
        pass

    async def close(self) -> None:
        pass

    async def create_chat(self, chat: Chat) -> None:
        await self._write(CreateChat(chat))

    async def add_chat(self, chat: Chat, messages: Sequence[Message]) -> None:
        await self._write(BeginTurn(tuple(messages), chat))

    async def count_chats(self, owner: str) -> int:
        await self._read()
        return sum(chat.owner == owner for chat in self.memory.chats.values())

    async def set_title(self, chat_id: str, title: str | None) -> bool:
        return bool(await self._write(SetTitle(chat_id, title)))

    async def delete_chat(self, chat_id: str) -> bool:
        return bool(await self._write(DeleteChat(chat_id)))

    async def begin_turn(self, messages: Sequence[Message], chat: Chat | None = None) -> None:
        await self._write(BeginTurn(tuple(messages), chat))

    async def set_state(self, message_id: str, state: MessageState) -> bool:
        return bool(await self._write(SetState(message_id, state)))

    async def append(self, message_id: str, text: str, part: Part = "text") -> None:
        await self._write(Append(message_id, text, part))

    async def settle(self, message_id: str, settlement: Settlement) -> Message | None:
        message: Message | None = await self._write(Settle(message_id, settlement))
        return message

    async def amend_stop(self, message_id: str, receipt: Receipt) -> None:
        await self._write(AmendStop(message_id, receipt))

    async def amend_prompt(self, message_id: str, text: str, reply_to: str | None) -> None:
        await self._write(AmendPrompt(message_id, text, reply_to))

    async def put_tool(self, message_id: str, call: ToolCall) -> None:
        await self._write(PutTool(message_id, call))

    async def reopen(
        self, message_id: str, request_id: str | None = None, model: str | None = None
    ) -> Message | None:
        answer = await self._write(Reopen(message_id, request_id, model))
        return answer and answer[0]

    async def get_chat(self, chat_id: str) -> Chat | None:
        await self._read()
        return self.memory.chats.get(chat_id)

    async def list_chats(
        self, owner: str, *, query: str = "", limit: int = 50, before: str | None = None
    ) -> list[Chat]:
        await self._read()
        return [chat for chat in self.memory.chats.values() if chat.owner == owner]

    async def get_message(self, message_id: str) -> Message | None:
        await self._read()
        kept = self.memory.messages.get(message_id)
        return kept and kept.whole()

    async def find_request(self, owner: str, request_id: str) -> Message | None:
        await self._read()
        for kept in self.memory.messages.values():
            message = kept.message
            asked = request_id in (message.request_id, *kept.earlier_requests)
            if (
                message.role == "assistant"
                and asked
                and self.memory.chats[message.chat_id].owner == owner
            ):
                return kept.whole()
        return None

    async def get_messages(self, chat_id: str) -> list[Message]:
        await self._read()
        return [
            kept.whole()
            for kept in self.memory.messages.values()
            if kept.message.chat_id == chat_id
        ]

    async def made_elsewhere(self, owner: str, chat_id: str | None = None) -> dict[str, str]:
        await self._read()
        return {}

    async def lost(self, message_ids: Sequence[str]) -> list[str]:
        await self._read()
        return [each for each in message_ids if each not in self.memory.messages]

    async def recover(self) -> None:
        await self._read()

    async def newest_reply(self, chat_id: str) -> str | None:
        return newest_reply(await self.get_messages(chat_id))

    async def get_thread(self, message_id: str) -> list[Message]:
        await self._read()
        thread: list[Message] = []
        wanted: str | None = message_id
        while wanted is not None:
            assert wanted not in [each.id for each in thread], "the thread bites its tail"
            kept = self.memory.messages.get(wanted)
            if kept is None:
                break
            thread.append(kept.whole())
            wanted = kept.message.reply_to
        return thread[::-1]


class Listener:
    """Hear what the bus tells, and fail when it cannot be true.

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
    """Run an engine, and ask it as a page would.

    :ivar handlers: the models by their ids.
    """

    def __init__(
        self,
        script: Script | Callable[..., Script] = ("Hello.",),
        *,
        store: Any = None,
        policy: Any = "queue",
        titles: Any = "prompt",
        default_model: str | None = MODEL,
        **limits: Any,
    ) -> None:
        self.handler = ScriptedHandler(script)
        self.handlers: dict[str, ChatHandler] = {MODEL: self.handler}
        self.store = store or MemoryStore()
        self.bus = Bus()
        self.engine = Engine(
            self.store,
            self.bus,
            self.resolve,
            lambda wanted, owner: wanted or default_model,
            EngineLimits(**limits),
            policy,
            titles,
        )
        self.heard = Listener()
        self.bus.attend(OWNER, self.heard)
        self._followed: set[str] = set()

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

    async def regenerate(self, message_id: str) -> Accepted:
        """Make a reply anew."""
        frame = Regenerate(type="regenerate", message_id=message_id, request_id=new_id())
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

    async def edit(self, message_id: str, body: str, owner: str = OWNER) -> Accepted:
        """Change a prompt."""
        frame = Edit(type="edit", message_id=message_id, body=body, request_id=new_id())
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
        while str(generation.text) != text:
            assert not generation.settled.done(), f"it ended with {generation.text}"
            await asyncio.sleep(0)
        return generation

    async def quiet(self) -> None:
        """Wait until nothing is made and nothing runs beside it."""
        while len(self.engine.registry) or len(self.engine.background):
            running = self.engine.running()
            if running:
                await asyncio.wait({each.settled for each in running})
            await self.engine.background.settle()
        # The callbacks of the last tasks.
        await asyncio.sleep(0)

    async def check(self, *, runaway: int = 0, remembered: bool = False) -> None:
        """V10: nothing is left of anything, and everything that was told can be true."""
        async with asyncio.timeout(20):
            await self.quiet()
        engine = self.engine
        assert self.heard.problems == []
        assert engine.runaway == runaway
        assert len(engine.titles) == 0
        assert engine._runner._timers == {}
        if not remembered:
            assert engine.registry.empty, vars(engine.registry)
        for task in asyncio.all_tasks():
            name = task.get_name()
            kinds = ("generation ", "commit ", "stop-chat ", "store")
            if task is not asyncio.current_task() and name.startswith(kinds):
                assert task in engine.background.runaway, f"{name} is left"

    async def close(self) -> None:
        """Let the listener go, and see that nobody else listens."""
        self.bus.leave(OWNER, self.heard)
        for chat_id in self._followed:
            self.bus.unfollow(chat_id, self.heard)
        assert self.bus.listeners == 0


def new_id() -> str:
    """Make an id."""
    return str(uuid.uuid4())


async def turns_until(condition: Callable[[], bool]) -> None:
    """Let the event loop turn until something is so; the test's own limit ends the wait."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)
