"""The runner: it starts the task of a generation, cancels it, and settles its message."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial

from jupyter_stop_chat.engine.changes import Bus
from jupyter_stop_chat.ports.handler import ChatHandler, Turn, TurnMessage
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.protocol import TERMINAL, ChatChanged, Message, MessageState
from jupyter_stop_chat.wire.utf16 import utf16_length

from .background import Background
from .changes import MessageMoved
from .generation import Generation, Reason, now
from .history import turn_messages
from .lane import Lane
from .limits import EngineLimits
from .registry import Registry
from .settle import settlement
from .thread import Places
from .titles import Titles

log = logging.getLogger(__name__)

#: Finds the chat handler of a model id for an owner, and the model's name for it.
Resolve = Callable[[str, str], Awaitable[tuple[ChatHandler, str]]]

#: The loop is given back at least this often while a model never waits, in seconds.
TURN_BUDGET = 0.005
#: A history of more messages is put together in a thread.
LONG_THREAD = 200


class Runner:
    """Take generations from their start to their one terminal state."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        bus: Bus,
        resolve: Resolve,
        limits: EngineLimits,
        background: Background,
        places: Places,
        titles: Titles,
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._resolve = resolve
        self._limits = limits
        self._background = background
        self._places = places
        self._titles = titles
        self._timers: dict[str, asyncio.TimerHandle] = {}

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
        making = self._generate(generation, lane.head_known, lane.head)
        if not generation.resumed:
            lane.head, lane.head_known = generation.id, True
        self._titles.give_way(lane)
        task = asyncio.create_task(making, name=f"generation {generation.id}")
        generation.task = task
        task.add_done_callback(partial(self._task_done, generation))
        self._set_timer(generation, self._limits.max_duration, self._expire)
        self._tell(generation)

    async def _generate(self, generation: Generation, known: bool, head: str | None) -> None:
        """Read the chat handler's events; this is the task that a stop cancels.

        :param known: whether the reply that this one follows is known.
        """
        if not await self._store.set_state(generation.id, MessageState.GENERATING):
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE, "deleted before it began")
        thread = await self._places.thread(generation, known, head)
        handler, name = await self._resolve(generation.model, generation.owner)
        messages, generation.told = await _history(thread)
        turn = Turn(
            chat_id=generation.chat_id,
            message_id=generation.id,
            messages=messages,
            model=name,
            prefix=str(generation.text),
            _stopped=lambda: generation.fenced,
            _report=generation.report,
        )
        generation.report("started")
        loop = asyncio.get_running_loop()
        yielded = loop.time()
        try:
            async with aclosing(handler.reply(turn)) as events:
                async for event in events:
                    if generation.fenced:
                        break
                    generation.apply(event)
                    await generation.room()
                    if loop.time() - yielded > TURN_BUDGET:
                        await asyncio.sleep(0)
                        yielded = loop.time()
        except SystemExit as error:
            # asyncio would pass it on and end the whole server for one model's fault.
            raise StopChatError(ErrorCode.GENERATION_FAILED, "SystemExit") from error

    def _expire(self, generation: Generation) -> None:
        """End a generation that took longer than is allowed."""
        if generation.stop is None and generation.task is not None:
            generation.failure = StopChatError(ErrorCode.TOOK_TOO_LONG)
            self._cancel(generation)

    # --- stopping ----------------------------------------------------------------------------

    def begin_stop(
        self,
        generation: Generation,
        reason: Reason,
        *,
        shown: int | None = None,
        discard: bool = False,
    ) -> None:
        """Fence a generation and cancel its task, in this very step; a second stop joins in."""
        if generation.stop is not None or generation.state in TERMINAL:
            return
        if generation.claimed or generation.failure is not None:
            return  # too late: how it ended is decided
        generation.begin_stop(reason, shown=shown, discard=discard)
        if generation.task is not None:
            generation.state = MessageState.STOPPING
            self._tell(generation)
            self._cancel(generation)
        elif generation.accepted.done():
            self.settle_soon(generation)

    def _cancel(self, generation: Generation) -> None:
        """Cancel a generation's task, once: a second cancel would land in its clean-up."""
        if generation.task is not None:
            generation.task.cancel()
            self._set_timer(generation, self._limits.stop_deadline, self._give_up)

    def _give_up(self, generation: Generation) -> None:
        """Detach a task that did not unwind in time; the fence keeps it from the message."""
        task, generation.task = generation.task, None
        if task is None or task.done():
            return
        generation.detach()
        self._background.fence_off(task)
        log.warning(
            "the model %s did not react to a stop within %.1f s; its task is fenced off",
            generation.model,
            self._limits.stop_deadline,
        )
        self.settle_soon(generation)

    def _set_timer(
        self, generation: Generation, delay: float, call: Callable[[Generation], None]
    ) -> None:
        self._drop_timer(generation)
        loop = asyncio.get_running_loop()
        self._timers[generation.id] = loop.call_later(delay, call, generation)

    def _drop_timer(self, generation: Generation) -> None:
        timer = self._timers.pop(generation.id, None)
        if timer is not None:
            timer.cancel()

    # --- settling ----------------------------------------------------------------------------

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
        self.settle_soon(generation)

    def settle_soon(self, generation: Generation) -> None:
        """Settle a generation, once, in a task of its own that no cancel reaches."""
        if not generation.settling:
            generation.settling = True
            self._background.run(self._settle(generation), "settle")

    async def _settle(self, generation: Generation) -> None:
        """Claim the terminal state, tell everyone, and let the chat go on."""
        self._drop_timer(generation)
        if not generation.cut_off:
            try:
                await generation.finish()
            except StopChatError as error:
                generation.failure = generation.failure or error
        generation.claimed = True
        generation.end_tools()
        message = await self._claim(generation)
        generation.failure = None  # its traceback would hold the model's stream
        lane = self._registry.lane(generation.owner, generation.chat_id)
        if message is None:  # deleted meanwhile
            generation.settled.cancel()
            self.forget(generation, lane)
            return
        # Another process may have taken it for left behind, and go on with it.
        foreign = message.made_elsewhere
        generation.state = MessageState.INTERRUPTED if foreign else message.state
        generation.message = message
        if message.stop is not None and message.stop.provider != "closed":
            generation.on_late_news = partial(self._amend, generation)
        if lane is not None and message.discarded and lane.head == generation.id:
            lane.head_known = False
        self._registry.remove(generation)
        if lane is not None:
            lane.remove(generation)
        told = MessageMoved(message) if foreign else MessageMoved(message, generation)
        self._bus.publish(generation.chat_id, told)
        generation.settled.set_result(message)
        receipt = generation.receipt()
        if receipt and message.stop and receipt.provider != message.stop.provider:
            self._amend(generation)  # it closed while this was written down
        if lane is not None:
            chat = lane.chat
            self.advance(lane)
            if not foreign:
                self._titles.consider(chat, message, busy=lane.running is not None)

    async def _claim(self, generation: Generation) -> Message | None:
        """Claim the terminal state in the store; a store that fails keeps nobody waiting."""
        settled = settlement(generation)
        try:
            message = await self._store.settle(generation.id, settled)
            if message is None:
                message = await self._store.get_message(generation.id)
        except Exception:
            log.exception("the end of a message could not be written down")
            message = generation.snapshot().model_copy(
                update={
                    "state": settled.state,
                    "usage": settled.usage,
                    "stop": settled.stop,
                    "error": settled.error,
                    "finish_reason": settled.finish_reason,
                }
            )
        return message

    def forget(self, generation: Generation, lane: Lane | None) -> None:
        """Drop a generation that leaves no message behind."""
        self._registry.remove(generation)
        if lane is not None:
            lane.remove(generation)
            self.advance(lane)

    def _amend(self, generation: Generation) -> None:
        """Complete the receipt of a stop whose provider closed, or not, after it was settled."""
        receipt = generation.receipt()
        if receipt is None or generation.message.stop is None:
            return
        settled_ms = generation.message.stop.settled_ms
        amended = generation.message.model_copy(
            update={"stop": receipt.model_copy(update={"settled_ms": settled_ms})}
        )
        generation.message = amended
        self._background.run(self._write_amended(amended), "amend")

    async def _write_amended(self, message: Message) -> None:
        if message.stop is None:
            return
        await self._store.amend_stop(message.id, message.stop)
        now_kept = await self._store.get_message(message.id)
        # It may have gone on meanwhile, or be gone: then this receipt is history.
        if now_kept is not None and now_kept.stop == message.stop:
            self._bus.publish(message.chat_id, MessageMoved(now_kept))

    def _tell(self, generation: Generation) -> None:
        self._bus.publish(generation.chat_id, MessageMoved(generation.snapshot(), generation))


async def _history(thread: Sequence[Message]) -> tuple[list[TurnMessage], list[tuple[str, int]]]:
    """Make the history that a model is told, and the length of each message of it."""

    def make() -> tuple[list[TurnMessage], list[tuple[str, int]]]:
        messages = turn_messages(thread)
        return messages, [(said.id, utf16_length(said.text)) for said in messages]

    # In a thread where it is long: all others would wait for it.
    return await asyncio.to_thread(make) if len(thread) > LONG_THREAD else make()


def _failure(error: BaseException | None) -> StopChatError:
    if isinstance(error, StopChatError):
        return error
    failure = StopChatError(ErrorCode.GENERATION_FAILED, type(error).__name__)
    failure.__cause__ = error
    return failure
