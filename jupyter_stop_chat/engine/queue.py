"""The queue of a chat: what waits in it can be changed, put in order, withdrawn, sent next."""

from __future__ import annotations

from collections import deque

from jupyter_stop_chat.wire.client_frames import Edit
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment, Message, MessageState
from jupyter_stop_chat.wire.server_frames import Accepted

from .generation import Generation
from .lane import Lane
from .registry import Registry
from .run import Runner
from .spending import Spending
from .stop import Stopping
from .turn.thread import Threads


def kept_of(prompt: Message, request: Edit) -> tuple[Attachment, ...]:
    """Return those of a prompt's attachments that stay when it is edited, in their order."""
    return tuple(
        each
        for at, each in enumerate(prompt.attachments)
        if request.keeps is None or at in request.keeps
    )


class Queue:
    """What changes what waits, before it begins."""

    def __init__(
        self,
        registry: Registry,
        runner: Runner,
        threads: Threads,
        stopping: Stopping,
        spending: Spending,
    ) -> None:
        self._registry = registry
        self._stopping = stopping
        self._runner = runner
        self._threads = threads
        self._spending = spending

    def of_prompt(self, owner: str, prompt_id: str) -> Generation | None:
        """Return what waits to answer a prompt that can still be changed in place."""
        for generation in self._registry.running(owner):
            prompt = generation.prompt
            if prompt is not None and prompt.id == prompt_id and _waits(generation):
                return generation
        return None

    async def edit(self, generation: Generation, request: Edit) -> Accepted | None:
        """Give a prompt that waits other words; return None if its reply began before that.

        It may begin meanwhile: the store writes in order, so the reply is made from these words.
        """
        request_id = request.request_id
        async with generation.amending:
            if self._registry.by_request(generation.owner, request_id) is not generation:
                prompt = generation.prompt
                if prompt is None or not _waits(generation):
                    return None
                self._registry.add_request(generation, request_id)
                try:
                    await self._threads.amend(
                        generation,
                        request.body,
                        prompt.reply_to,
                        request_id,
                        None if request.keeps is None else kept_of(prompt, request),
                        request.mode if request.mode != (prompt.mode or "ask") else None,
                    )
                except Exception:
                    self._registry.drop_request(generation, request_id)
                    raise
                stop = self._registry.recall(generation.owner, request_id)
                if stop is not None:
                    self._stopping.begin(generation, "user", discard=stop.discard)
        assert generation.prompt is not None
        return Accepted(
            request_id=request_id,
            chat_id=generation.chat_id,
            user_message=generation.prompt,
            message=generation.snapshot(),
        )

    async def reorder(self, owner: str, chat_id: str, message_ids: list[str]) -> None:
        """Put replies that wait in another order; those not named come after them.

        :raises StopChatError: `unknown_message`, or `not_possible_now` once one has begun.
        """
        lane = self._registry.lane(owner, chat_id)
        if lane is None:
            self._named(owner, chat_id, message_ids)
            return
        try:
            async with lane.write_lock:
                first = self._named(owner, chat_id, message_ids)
                order = list(lane.waiting)
                lane.waiting = deque([*first, *(each for each in order if each not in first)])
                try:
                    await self._link(lane)
                except Exception:
                    _put_back(lane, order)
                    raise
        finally:
            self._registry.drop_if_idle(lane)

    def _named(self, owner: str, chat_id: str, message_ids: list[str]) -> list[Generation]:
        """Return the replies that are named, each once, if all of them wait in a chat.

        :raises StopChatError: `unknown_message`, or `not_possible_now`.
        """
        lane = self._registry.lane(owner, chat_id)
        named: list[Generation] = []
        for message_id in dict.fromkeys(message_ids):
            generation = self._registry.get(message_id)
            if generation is None or lane is None or generation.chat_id != chat_id:
                raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
            if generation.owner != owner:
                raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
            if not _waits(generation) or generation not in lane.waiting:
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
            named.append(generation)
        return named

    async def _link(self, lane: Lane) -> None:
        """Let each prompt that waits in a chat follow the reply before its own."""
        before = await self._threads.newest_reply(lane)
        for generation in list(lane.waiting):
            async with generation.amending:
                if not _waits(generation):
                    continue
                if generation.follows:
                    await self._threads.move(generation, before)
            before = generation.id

    async def check(self, owner: str, chat_id: str) -> None:
        """Refuse to let a queue go on once the budget of the day is used up.

        :raises StopChatError: `budget_spent`.
        """
        if self._registry.lane(owner, chat_id) is not None:
            await self._spending.check(owner)

    def resume(self, owner: str, chat_id: str) -> None:
        """Let a queue go on that a stop has paused, or a budget that was used up."""
        lane = self._registry.lane(owner, chat_id)
        if lane is not None and lane.paused:
            lane.paused = False
            self._runner.advance(lane)


def _put_back(lane: Lane, order: list[Generation]) -> None:
    """Put what still waits of an order into that order again, among what came since."""
    left = iter([each for each in order if each in lane.waiting])
    lane.waiting = deque(next(left) if each in order else each for each in lane.waiting)


def _waits(generation: Generation) -> bool:
    return (
        generation.state is MessageState.QUEUED
        and generation.stop is None
        and generation.is_accepted
    )
