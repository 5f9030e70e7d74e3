"""All of Stop on the server: what it aims at, what it does in that very step, what it answers.

The text is fenced, the task is cancelled once, and one that does not unwind is given up on. How
a stopped message ends is written down in `settle`.
"""

from __future__ import annotations

import asyncio
import logging

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.client_frames import Stop
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Message, MessageState, Outcome, StopResult

from .background import Background
from .changes import Bus, MessageMoved
from .generation import Generation
from .limits import EngineLimits
from .receipt import Reason
from .registry import Registry
from .settle import Settling
from .titles import Titles

log = logging.getLogger(__name__)


class Stopping:
    """What carries stops out: all is fenced and cancelled before anything is waited for."""

    def __init__(
        self,
        registry: Registry,
        store: Store,
        bus: Bus,
        limits: EngineLimits,
        background: Background,
        titles: Titles,
        settling: Settling,
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._limits = limits
        self._background = background
        self._titles = titles
        self._settling = settling

    # --- what a stop aims at -----------------------------------------------------------------

    async def stop(
        self, owner: str, target: Stop, reason: Reason = "user"
    ) -> tuple[StopResult, ...]:
        """Stop what a target names, and tell what became of it once that is true.

        :returns: a result for each message; a chat in which nothing runs has none.
        """
        generations = self._targets(owner, target)
        for generation in generations:
            # Also before it began: what waits behind it must not go on instead.
            if reason == "user" and (generation.task is not None or not self._waits(generation)):
                self._pause(owner, generation.chat_id)
            # An offset is one of one text: with several it says nothing.
            shown = None if target.all else target.shown
            self.begin(generation, reason, shown=shown, discard=target.discard)
        if target.chat_id is not None or target.all:
            self._pause(owner, target.chat_id)
            self._titles.stop(owner, target.chat_id)
        if generations:
            results = [await self._result(generation) for generation in generations]
            if target.chat_id is not None or target.all:
                results += await self._made_elsewhere(owner, target.chat_id)
            return tuple(results)
        return await self._stop_absent(owner, target, reason)

    def _targets(self, owner: str, target: Stop) -> list[Generation]:
        """Find what is meant; a prompt that waits behind another is meant only by its own id."""
        if target.message_id is not None:
            generation = self._registry.get(target.message_id)
        elif target.request_id is not None:
            generation = self._registry.by_request(owner, target.request_id)
        else:
            return [
                generation
                for generation in self._registry.running(owner)
                if target.all or generation.chat_id == target.chat_id
                if not self._waits(generation)
            ]
        return [generation] if generation is not None and generation.owner == owner else []

    def _waits(self, generation: Generation) -> bool:
        """Tell whether a generation waits behind another, and not only for its acceptance."""
        lane = self._registry.lane(generation.owner, generation.chat_id)
        if lane is None or generation not in lane.waiting:
            return False
        return lane.running is not None or lane.paused or lane.waiting[0] is not generation

    def _pause(self, owner: str, chat_id: str | None) -> None:
        """Keep the queue of a stopped chat until its owner goes on (B10)."""
        for lane in self._registry.lanes(owner):
            if chat_id in (None, lane.chat_id) and lane.waiting:
                lane.paused = True

    # --- what it does in that step -----------------------------------------------------------

    def begin(
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
            # Its task goes first: what is told is written once that has begun to unwind.
            self._cancel(generation)
            self._bus.publish(generation.chat_id, MessageMoved(generation.snapshot(), generation))
        elif generation.accepted.done():
            self._settling.soon(generation)

    def _cancel(self, generation: Generation) -> None:
        """Cancel a generation's task, once: a second cancel would land in its clean-up."""
        if generation.task is not None:
            generation.task.cancel()
            generation.set_deadline(self._limits.stop_deadline, self._give_up)

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
        self._settling.soon(generation)

    def expire(self, generation: Generation) -> None:
        """End a generation that took longer than is allowed."""
        if generation.stop is None and generation.task is not None:
            generation.failure = StopChatError(ErrorCode.TOOK_TOO_LONG)
            self._cancel(generation)

    # --- what it answers ---------------------------------------------------------------------

    async def _result(self, generation: Generation) -> StopResult:
        await asyncio.wait({generation.settled})
        if generation.settled.cancelled():
            return StopResult(message_id=generation.id, outcome=Outcome.NOT_FOUND)
        message = generation.settled.result()
        if message.made_elsewhere:  # another process has gone on with it
            return StopResult(message_id=generation.id, outcome=Outcome.MADE_ELSEWHERE)
        if generation.stop is not None and message.state is MessageState.INTERRUPTED:
            outcome = Outcome.INTERRUPTED
        else:
            outcome = Outcome(f"already_{message.state}")
        return StopResult(message_id=message.id, outcome=outcome, receipt=message.stop)

    async def _stop_absent(
        self, owner: str, target: Stop, reason: Reason
    ) -> tuple[StopResult, ...]:
        """Answer a stop for what does not run: ended, not begun, or unknown."""
        message: Message | None = None
        if target.request_id is not None:
            # Remembered before the store is asked: the request may arrive meanwhile.
            remembered = self._registry.remember(owner, target)
            message = await self._store.find_request(owner, target.request_id)
            arrived = self._registry.by_request(owner, target.request_id)
            if arrived is not None:
                return (await self._result(arrived),)
            if message is None:
                outcome = Outcome.REMEMBERED if remembered else Outcome.NOT_FOUND
                return (StopResult(message_id=None, outcome=outcome),)
            used = remembered and self._registry.recall(owner, target.request_id) is None
            if used and message.state is MessageState.INTERRUPTED:
                # It was this very stop that ended it, while the store was asked.
                outcome = Outcome.INTERRUPTED
                return (StopResult(message_id=message.id, outcome=outcome, receipt=message.stop),)
            going_on = self._registry.get(message.id)
            if going_on is not None:  # it answers another request by now
                return await self.stop(
                    owner,
                    Stop(
                        type="stop",
                        message_id=message.id,
                        shown=target.shown,
                        discard=target.discard,
                    ),
                    reason,
                )
        elif target.message_id is not None:
            message = await self._store.get_message(target.message_id)
            if message is not None and not await self._is_owners(owner, message.chat_id):
                message = None
        elif target.chat_id is None or await self._is_owners(owner, target.chat_id):
            return tuple(await self._made_elsewhere(owner, target.chat_id))
        if message is not None and message.made_elsewhere:
            return (StopResult(message_id=message.id, outcome=Outcome.MADE_ELSEWHERE),)
        if message is None or message.state not in TERMINAL:
            return (StopResult(message_id=target.message_id, outcome=Outcome.NOT_FOUND),)
        outcome = Outcome(f"already_{message.state}")
        return (StopResult(message_id=message.id, outcome=outcome, receipt=message.stop),)

    async def _made_elsewhere(self, owner: str, chat_id: str | None) -> list[StopResult]:
        """Answer for what another process makes, which no stop of this one reaches."""
        try:
            message_ids = await self._store.made_elsewhere(owner, chat_id)
        except StopChatError:
            return []  # what runs here was stopped, and that is told in any case
        return [
            StopResult(message_id=message_id, outcome=Outcome.MADE_ELSEWHERE)
            for message_id in message_ids
        ]

    async def _is_owners(self, owner: str, chat_id: str) -> bool:
        chat = await self._store.get_chat(chat_id)
        return chat is not None and chat.owner == owner
