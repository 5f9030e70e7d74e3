"""Admission: what makes a request a registered generation with its messages written down."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.client_frames import Stop
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import (
    TERMINAL,
    Attachment,
    Chat,
    Message,
    MessageState,
    Mode,
    Policy,
)
from jupyter_stop_chat.wire.server_frames import Accepted
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import utf16_length

from .background import Background
from .changes import Bus, MessageMoved, TextGrew
from .generation import Generation
from .lane import Lane
from .limits import EngineLimits
from .pending import Pace
from .registry import Registry
from .run import Runner
from .settle import Settling
from .spending import Spending
from .stop import Stopping


@dataclass(frozen=True, slots=True)
class Written:
    """What a request made of the chat.

    :ivar reply: the message that is to be generated.
    :ivar added: the messages to write down, in order; a reply that is gone on with is not new.
    :ivar new_chat: the chat, when it begins with this request.
    :ivar follows: the prompt goes behind whichever reply is the newest when its turn comes.
    """

    user: Message
    reply: Message
    added: tuple[Message, ...]
    new_chat: Chat | None = None
    follows: bool = False


#: Makes the messages of a request, once it is its turn in the chat; what it enters is held until
#: they are written down.
Write = Callable[[Lane, Message, AsyncExitStack], Awaitable[Written]]


class Admission:
    """What admits requests: registered at once, written down in the order in which they came."""

    def __init__(
        self,
        registry: Registry,
        runner: Runner,
        stopping: Stopping,
        settling: Settling,
        store: Store,
        bus: Bus,
        limits: EngineLimits,
        background: Background,
        spending: Spending,
    ) -> None:
        self._registry = registry
        self._runner = runner
        self._stopping = stopping
        self._settling = settling
        self._store = store
        self._bus = bus
        self._limits = limits
        self._pace = Pace(limits.text_interval)
        self._background = background
        self._spending = spending
        self.closed = False

    def check_prompt(self, body: str, attachments: Sequence[Attachment]) -> None:
        """Refuse a prompt that cannot be sent; a picture says something without words.

        :raises StopChatError: `blank_prompt` or `prompt_too_long`.
        """
        if not body.strip() and all(each.blob is None for each in attachments):
            raise StopChatError(ErrorCode.BLANK_PROMPT)
        if utf16_length(body) > self._limits.max_prompt_length:
            raise StopChatError(ErrorCode.PROMPT_TOO_LONG)

    async def admit(
        self, owner: str, request_id: str, reply: Message, policy: Policy, write: Write
    ) -> Accepted:
        """Register a generation before this first waits, so that a stop finds it.

        :raises StopChatError: when it is not admitted. Nothing was written then.
        """
        known = self._registry.by_request(owner, request_id)
        if known is not None:
            return await self._known(known, request_id)
        self._check_room(owner)
        if self._registry.get(reply.id) is not None:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "it is being made")
        lane = self._registry.lane(owner, reply.chat_id)
        if policy == "reject" and lane is not None and lane.taken:
            raise StopChatError(ErrorCode.BUSY)
        lane = self._registry.make_lane(owner, reply.chat_id)
        generation = Generation(
            reply,
            owner=owner,
            request_id=request_id,
            append=self._store.append_then,
            put_tool=self._store.put_tool,
            make_thought=self._make_thought,
            on_text=lambda generation: self._bus.tell(generation.chat_id, TextGrew(generation)),
            on_tool=lambda generation, tool: self._bus.publish(generation.chat_id, tool),
            max_length=self._limits.max_reply_length,
            on_moved=lambda generation: self._bus.publish(
                generation.chat_id, MessageMoved(generation.snapshot(), generation)
            ),
            pace=self._pace,
        )
        self._registry.add(generation)
        paused, lane.paused = lane.paused, False
        lane.enter(generation, first=paused or policy == "interrupt")
        generation.interrupts = policy == "interrupt"
        stop = self._registry.recall(owner, request_id)
        if stop is not None:
            generation.begin_stop("user", shown=stop.shown, discard=stop.discard)
            lane.paused = paused
        # Its own task: a closing socket must not leave a prompt half accepted.
        work = self._write_down(generation, lane, write, paused)
        return await asyncio.shield(self._background.run(work, "accept"))

    async def _make_thought(self, message_id: str, begin: int) -> None:
        if (generation := self._registry.get(message_id)) is not None:
            self._registry.rethought.add(generation.message)
        await self._store.make_thought(message_id, begin)

    def _check_room(self, owner: str) -> None:
        if self.closed:
            raise StopChatError(ErrorCode.SHUTTING_DOWN)
        if len(self._registry) >= self._limits.max_generations:
            raise StopChatError(ErrorCode.SERVER_BUSY)
        if len(self._registry.running(owner)) >= self._limits.max_generations_per_owner:
            raise StopChatError(ErrorCode.TOO_MANY_GENERATIONS)
        if len(self._background.runaway) >= self._limits.max_stuck:
            raise StopChatError(ErrorCode.TOO_MANY_STUCK)

    async def _write_down(
        self,
        generation: Generation,
        lane: Lane,
        write: Write,
        paused: bool,
    ) -> Accepted:
        """Write a request's messages down, and let its reply begin or wait.

        :param paused: its chat's queue was paused when it came.
        """
        try:
            async with AsyncExitStack() as held, lane.write_lock:
                before = await self._made_before(generation.owner, generation.request_id)
                if before is None:
                    await self._spending.check(generation.owner)
                    written = await write(lane, generation.message, held)
                    generation.adopt(written.reply)
                    if generation.resumed:  # it may go on from before what some page had of it
                        self._registry.rethought.add(generation.message)
                    if written.added:
                        await self._store.begin_turn(written.added, written.new_chat)
        except BaseException as error:
            self._reject(generation, lane, paused, error)
            raise
        if before is not None:
            generation.adopt(before.message)
            generation.accepted.set_result(before)
            if before.message.state in TERMINAL:
                generation.settled.set_result(before.message)
            self._reject(generation, lane, paused)
            return before
        if written.user in written.added:
            generation.prompt, generation.follows = written.user, written.follows
        accepted = Accepted(
            request_id=generation.request_id,
            chat_id=lane.chat_id,
            user_message=written.user,
            message=generation.snapshot(),
        )
        generation.accepted.set_result(accepted)
        # Only now is it certain that it can be done itself.
        for replaced in lane.replaced_by(generation):
            self._stopping.begin(replaced, "replaced")
        # Its owner first: whoever asked for it follows the chat from here on.
        self._bus.announce(lane.owner, accepted)
        self._bus.publish(lane.chat_id, accepted)
        if generation.stop is not None:
            self._settling.soon(generation)
        self._runner.advance(lane)
        return accepted

    def _reject(
        self,
        generation: Generation,
        lane: Lane,
        paused: bool,
        error: BaseException | None = None,
    ) -> None:
        if isinstance(error, StopChatError):
            # The same request, sent again meanwhile, gets the same answer.
            generation.accepted.set_exception(StopChatError(error.code))
            generation.accepted.exception()  # there may be no other
            if error.code is ErrorCode.MADE_ELSEWHERE and generation.stop is not None:
                # Where it is asked for next, it is to be stopped as well.
                self._registry.remember(
                    generation.owner,
                    Stop(
                        type="stop",
                        request_id=generation.request_id,
                        discard=generation.stop.discard,
                    ),
                )
        generation.accepted.cancel()
        generation.settled.cancel()
        lane.paused = lane.paused or paused
        self._settling.forget(generation, lane)

    async def once(
        self, owner: str, request_id: str, carry_out: Callable[[], Awaitable[Accepted]]
    ) -> Accepted:
        """Carry a request out, or answer one that was sent before as it was answered then.

        What has changed since does not matter to it: it may not be possible any more.
        """
        known = self._registry.by_request(owner, request_id)
        if known is not None:
            async with known.amending:
                pass  # what it asked for may just be written, or be refused
            if self._registry.by_request(owner, request_id) is known:
                return await self._known(known, request_id)
        try:
            return await carry_out()
        except StopChatError:
            before = await self._made_before(owner, request_id)
            if before is None:
                raise
            return before

    async def _known(self, generation: Generation, request_id: str) -> Accepted:
        """Answer a request that was sent twice."""
        await asyncio.wait({generation.accepted})
        if generation.accepted.cancelled():
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
        accepted = generation.accepted.result()
        return accepted.model_copy(
            update={
                "request_id": request_id,
                "user_message": generation.prompt or accepted.user_message,
                "message": generation.snapshot(),
            }
        )

    async def _made_before(self, owner: str, request_id: str) -> Accepted | None:
        """Answer a request that was carried out before, if it was."""
        reply = await self._store.find_request(owner, request_id)
        if reply is None:
            return None
        user = await self._store.get_message(reply.reply_to or "")
        if user is None:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        return Accepted(
            request_id=request_id,
            chat_id=reply.chat_id,
            user_message=user,
            message=reply,
        )


def new_reply(chat_id: str, request_id: str, model: str, mode: Mode | None) -> Message:
    """Make the message that is to be generated."""
    return Message(
        id=str(uuid.uuid4()),
        chat_id=chat_id,
        role="assistant",
        text="",
        text_length=0,
        state=MessageState.QUEUED,
        created_at=now(),
        request_id=request_id,
        model=model,
        mode=mode,
    )
