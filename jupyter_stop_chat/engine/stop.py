"""All of Stop on the server: what it aims at, what it does in that very step, what it answers.

The text is fenced, the task is cancelled once, and one that does not unwind is given up on. How
a stopped message ends is written down in `settle`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.client_frames import Stop
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Message, MessageState, Outcome, StopResult

from .background import Background
from .changes import Bus, MessageMoved
from .chats.titles import Titles
from .generation import Generation
from .limits import EngineLimits
from .presses import Answer, Presses, has_failed
from .receipt import Reason
from .registry import Registry
from .servers.others import Others
from .settle import Settling

log = logging.getLogger(__name__)

#: What tells what became of a stop that was begun, once that is true.
Begun: TypeAlias = "Callable[[], Coroutine[Any, Any, tuple[StopResult, ...]]]"

#: What has not ended so soon after its stop is told to be stopping, in seconds.
UNWINDING = 0.01


@dataclass(frozen=True, slots=True)
class StoppedEveryone:
    """What became of a stop of all that is made, whosever it is.

    :ivar owners: whose replies were being made.
    :ivar unreached: how many other processes did not answer; what they make may go on.
    """

    owners: tuple[str, ...]
    results: tuple[StopResult, ...]
    unreached: int = 0


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
        others: Others,
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._limits = limits
        self._background = background
        self._titles = titles
        self._settling = settling
        self._others = others
        self._presses = Presses()

    # --- what a stop aims at -----------------------------------------------------------------

    async def stop(
        self, owner: str, target: Stop, *, only_here: bool = False
    ) -> tuple[StopResult, ...]:
        """Stop what a target names, and tell what became of it once that is true.

        :param only_here: another process asks for it: what others make is no concern of this one.
        :returns: a result for each message; a chat in which nothing runs has none. A press that
            came before is told what that came to.
        """
        return await self.begin_stop(owner, target, only_here=only_here)()

    def begin_stop(self, owner: str, target: Stop, *, only_here: bool = False) -> Begun:
        """Stop what a target names, in this very step; return what tells what became of it."""
        answer = self._presses.answer(owner, target.press) if target.press else None
        if answer is None or has_failed(answer):
            # Where the answer failed, nothing is begun again: it aimed at what was there then.
            generations = self._targets(owner, target) if answer is None else []
            if answer is None:
                self._begin_all(owner, generations, target)
            telling = partial(self._tell, owner, target, generations, only_here)
            if target.press is None:
                return telling
            answer = self._background.run(telling(), "stop")
            self._presses.keep(owner, target.press, answer)
        return partial(_answered, answer)

    async def _tell(
        self, owner: str, target: Stop, generations: list[Generation], only_here: bool
    ) -> tuple[StopResult, ...]:
        """Tell what became of a stop that was begun, once that is true."""
        if not generations:
            return await self._stop_absent(owner, target, only_here)
        there: asyncio.Task[list[StopResult]] | None = None
        if target.chat_id is not None or target.all:
            work = self._stop_elsewhere(owner, target, target.chat_id, only_here)
            there = self._background.run(work, "stop elsewhere")
        results = [await self._result(generation) for generation in generations]
        return (*results, *(await asyncio.shield(there) if there is not None else ()))

    def close(self) -> None:
        """Forget which presses came: no more are taken."""
        self._presses.close()

    async def stop_everyone(self, *, only_here: bool = False) -> StoppedEveryone:
        """Stop all that is made, of every owner, and tell once that is true.

        :param only_here: another process asks for it.
        """
        generations = [each for each in self._registry.running() if not self._waits(each)]
        target = Stop(type="stop", all=True)
        self._begin_all(None, generations, target)
        there = (
            None if only_here else self._background.run(self._everyone_elsewhere(target), "stop")
        )
        owners = tuple(sorted({generation.owner for generation in generations}))
        results = [await self._result(generation) for generation in generations]
        others, unreached = await asyncio.shield(there) if there is not None else ([], 0)
        return StoppedEveryone(owners, (*results, *others), unreached)

    async def _everyone_elsewhere(self, target: Stop) -> tuple[list[StopResult], int]:
        try:
            await self._store.recover()  # what made something may have ended without a word
            return await self._others.stop(None, target, await self._store.makers(None))
        except StopChatError:
            return [], 0  # nobody knows of any

    def _begin_all(self, owner: str | None, generations: list[Generation], target: Stop) -> None:
        """Begin to stop all that is meant, in this very step; an owner's, or everyone's."""
        for generation in generations:
            # Also before it began: what waits behind it must not go on instead.
            if generation.task is not None or not self._waits(generation):
                self._pause(generation.owner, generation.chat_id)
            # An offset is one of one text: with several it says nothing.
            shown = None if target.all else target.shown
            self.begin(generation, "user", shown=shown, discard=target.discard)
        if target.chat_id is not None or target.all:
            self._pause(owner, target.chat_id)
            self._titles.stop(owner, target.chat_id)

    def begin_flagged(self, generation: Generation) -> None:
        """Begin to stop what a flag asks for; what waits behind it waits on."""
        target = Stop(type="stop", message_id=generation.id)
        self._begin_all(generation.owner, [generation], target)

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

    def _pause(self, owner: str | None, chat_id: str | None) -> None:
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
            self._tell_unless_ended(generation)
            self._cancel(generation)
        elif generation.accepted.done():
            self._settling.soon(generation)

    def _tell_unless_ended(self, generation: Generation) -> None:
        """Tell that a generation is being stopped, unless its end comes at once, as mostly.

        To write that takes as long as to close a stream, and would hold up the end itself.
        """

        def tell() -> None:
            if not generation.settled.done():
                moved = MessageMoved(generation.snapshot(), generation)
                self._bus.publish(generation.chat_id, moved)

        timer = asyncio.get_running_loop().call_later(UNWINDING, tell)
        generation.settled.add_done_callback(lambda _: timer.cancel())

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
            if self._registry.remembers(generation.owner, generation.request_id):
                return StopResult(message_id=None, outcome=Outcome.REMEMBERED)
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
        self, owner: str, target: Stop, only_here: bool
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
                return await self.stop(owner, named(target, message.id), only_here=only_here)
        elif target.message_id is not None:
            message = await self._store.get_message(target.message_id)
            if message is not None and not await self._is_owners(owner, message.chat_id):
                message = None
        elif target.chat_id is None or await self._is_owners(owner, target.chat_id):
            return tuple(await self._stop_elsewhere(owner, target, target.chat_id, only_here))
        if message is not None and message.made_elsewhere:
            one = named(target, message.id)
            there = await self._stop_elsewhere(owner, one, message.chat_id, only_here)
            if there:
                return tuple(there)
            message = await self._store.get_message(message.id)  # it has just ended
            if message is not None and message.made_elsewhere:  # or nobody knows whom to ask
                outcome = Outcome.MADE_ELSEWHERE
                return (StopResult(message_id=message.id, outcome=outcome),)
        if message is None or message.state not in TERMINAL:
            return (StopResult(message_id=target.message_id, outcome=Outcome.NOT_FOUND),)
        outcome = Outcome(f"already_{message.state}")
        return (StopResult(message_id=message.id, outcome=outcome, receipt=message.stop),)

    async def _stop_elsewhere(
        self, owner: str, target: Stop, chat_id: str | None, only_here: bool
    ) -> list[StopResult]:
        """Have stopped what other processes make of what a target names."""
        try:
            if not only_here:
                await self._store.recover()  # what makes it may have ended without a word
            makers = await self._store.makers(owner, chat_id)
            if target.message_id is not None:
                makers = {
                    each: process for each, process in makers.items() if each == target.message_id
                }
            if not only_here:
                return (await self._others.stop(owner, target, makers))[0]
        except StopChatError:
            return []  # what runs here was stopped, and that is told in any case
        return [StopResult(message_id=each, outcome=Outcome.MADE_ELSEWHERE) for each in makers]

    async def _is_owners(self, owner: str, chat_id: str) -> bool:
        chat = await self._store.get_chat(chat_id)
        return chat is not None and chat.owner == owner


async def _answered(answer: Answer) -> tuple[StopResult, ...]:
    """Return what a press came to; who is not waited for any more ends nothing."""
    return await asyncio.shield(answer)


def named(target: Stop, message_id: str) -> Stop:
    """Return the same stop, of a message that it turned out to mean."""
    return Stop(type="stop", message_id=message_id, shown=target.shown, discard=target.discard)
