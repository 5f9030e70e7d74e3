"""The runner: it starts the task of a generation, and reads the chat handler's events in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial

from jupyter_stop_chat.ports.handler import ChatHandler, Turn, TurnMessage
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message, MessageState
from jupyter_stop_chat.wire.server_frames import ChatChanged
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.usage import CHARACTERS_PER_TOKEN
from jupyter_stop_chat.wire.utf16 import utf16_length

from .background import Background
from .changes import Bus, MessageMoved
from .chats.titles import Titles
from .generation import Generation
from .lane import Lane
from .limits import TURN_BUDGET, EngineLimits
from .registry import Registry
from .settle import Settling
from .spending import Spending
from .stop import Stopping
from .tools.tooling import Tooling
from .turn.instructing import Instructing, place_of
from .turn.pictures import Pictures, Shown, refuse_unshown
from .turn.thread import Threads, turn_messages

log = logging.getLogger(__name__)

#: Finds the chat handler of a model id for an owner, and the model's name for it.
Resolve = Callable[[str, str], Awaitable[tuple[ChatHandler, str]]]

#: A history of more messages is put together in a thread.
LONG_THREAD = 200


class Runner:
    """What takes generations from their start to the end of their task."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        bus: Bus,
        resolve: Resolve,
        limits: EngineLimits,
        background: Background,
        threads: Threads,
        instructing: Instructing,
        pictures: Pictures,
        titles: Titles,
        stopping: Stopping,
        settling: Settling,
        spending: Spending,
        tooling: Tooling,
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._resolve = resolve
        self._limits = limits
        self._background = background
        self._threads = threads
        self._instructing = instructing
        self._pictures = pictures
        self._titles = titles
        self._stopping = stopping
        self._settling = settling
        self._spending = spending
        self._tooling = tooling

    # --- running -----------------------------------------------------------------------------

    def advance(self, lane: Lane) -> None:
        """Start what may start in a chat, and tell its owner of the chat's state."""
        generation = lane.next()
        if generation is not None:
            self._start(generation, lane)
        if lane.chat is not None:
            chat = lane.chat.model_copy(update={"state": lane.state, "updated_at": now()})
            self._bus.announce(lane.owner, ChatChanged(chat=chat))
        self._registry.drop_if_idle(lane)

    def _start(self, generation: Generation, lane: Lane) -> None:
        generation.state = MessageState.GENERATING
        work = self._generate(generation, lane.newest_known, lane.newest_reply)
        if not generation.resumed:
            lane.newest_reply, lane.newest_known = generation.id, True
        self._titles.yield_to_prompt(lane)
        task = asyncio.create_task(work, name=f"generation {generation.id}")
        generation.task = task
        task.add_done_callback(partial(self._task_done, generation))
        generation.set_deadline(self._limits.max_duration, self._stopping.expire)
        self._tell(generation)

    async def _generate(self, generation: Generation, known: bool, newest: str | None) -> None:
        """Read the chat handler's events; this is the task that a stop cancels.

        :param known: whether the reply that this one follows is known.
        """
        if not await self._store.set_state(generation.id, MessageState.GENERATING):
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE, "deleted before it began")
        thread = await self._threads.read(generation, known, newest)
        handler, name = await self._resolve(generation.model, generation.owner)
        self._spending.prepare(generation.model)
        system = await self._instructing.of(generation, handler, thread)
        shown = await self._pictures.shown(generation.owner, thread)
        calls = await self._tooling.told(thread)
        before = tuple(calls.get(generation.id, ()))
        await self._tooling.ready(generation)
        gate = self._tooling.gate(generation, handler, before, place_of(thread))
        messages, generation.told = await _history(thread, shown, calls, bool(gate.tools))
        refuse_unshown(handler, messages)
        generation.told_before = utf16_length(system or "")
        turn = Turn(
            chat_id=generation.chat_id,
            message_id=generation.id,
            messages=messages,
            model=name,
            prefix=str(generation.text),
            calls=before,
            system=system,
            gate=gate,
            _stopped=lambda: generation.fenced,
            _read=partial(self._store.blobs.read, generation.owner),
            _report=generation.report,
        )
        if generation.fenced:
            return  # whoever was waited for has swallowed the cancel: no model is asked after it
        generation.report("started")
        loop = asyncio.get_running_loop()
        yielded = loop.time()
        try:
            async with aclosing(handler.reply(turn)) as events:
                async for event in events:
                    if generation.fenced:
                        break
                    generation.apply(event)
                    if generation.full:
                        await generation.room()
                    if loop.time() - yielded > TURN_BUDGET:
                        await asyncio.sleep(0)
                        yielded = loop.time()
        except SystemExit as error:
            # asyncio would pass it on and end the whole server for one model's fault.
            raise StopChatError(ErrorCode.GENERATION_FAILED, "SystemExit") from error

    def _task_done(self, generation: Generation, task: asyncio.Task[None]) -> None:
        """Decide the outcome when a task has ended, whichever way.

        A task that was cancelled before its first step never ran its body: only this runs.
        """
        # Retrieved and dropped: a kept traceback would hold the model's stream open.
        error = None if task.cancelled() else task.exception()
        if generation.detached:
            generation.report("ended")
            return
        generation.task = None
        if generation.stop is not None:
            generation.cancelled_ms = generation.stop.ms()
        elif generation.failure is None and (error is not None or task.cancelled()):
            generation.failure = _failure(error)
        self._settling.soon(generation)

    def _tell(self, generation: Generation) -> None:
        self._bus.publish(generation.chat_id, MessageMoved(generation.snapshot(), generation))


async def _history(
    thread: Sequence[Message],
    shown: Shown,
    calls: Mapping[str, Sequence[Told]],
    with_tools: bool,
) -> tuple[list[TurnMessage], list[tuple[str, int]]]:
    """Make the history that a model is told, and the length of each message of it.

    That of a picture is as many characters as tell as many tokens.
    """

    def make() -> tuple[list[TurnMessage], list[tuple[str, int]]]:
        messages = turn_messages(thread, shown, calls, with_tools=with_tools)
        return messages, [(said.id, _length(said)) for said in messages]

    # In a thread where it is long: all others would wait for it.
    length = len(thread) + sum(map(len, calls.values()))
    return await asyncio.to_thread(make) if length > LONG_THREAD else make()


def _length(said: TurnMessage) -> int:
    seen = sum(each.picture.tokens for each in said.pictures)
    called = sum(len(each.args) + len(each.result or "") for each in said.calls)
    return utf16_length(said.text) + called + seen * CHARACTERS_PER_TOKEN


def _failure(error: BaseException | None) -> StopChatError:
    # A chat handler may raise one of a code of its own, which nobody has a sentence for, or of a
    # kind of its own, which was never made as ours are.
    code = getattr(error, "code", None) if isinstance(error, StopChatError) else None
    if isinstance(code, str) and code in SENTENCES:
        if type(error) is StopChatError:
            return error
        failure = StopChatError(
            ErrorCode(code), type(error).__name__, getattr(error, "said", None)
        )
        failure.__cause__ = getattr(error, "__cause__", None)
        return failure
    failure = StopChatError(ErrorCode.GENERATION_FAILED, type(error).__name__)
    failure.__cause__ = error
    return failure
