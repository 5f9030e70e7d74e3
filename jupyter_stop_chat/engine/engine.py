"""The engine: what can be asked of it, and how its parts are joined."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress

from jupyter_stop_chat.bus import Bus
from jupyter_stop_chat.errors import ErrorCode, StopChatError
from jupyter_stop_chat.generation import Generation, now
from jupyter_stop_chat.protocol import (
    TERMINAL,
    Accepted,
    Attachment,
    Chat,
    ChatChanged,
    Continue,
    Edit,
    Message,
    MessageState,
    Policy,
    Regenerate,
    Reorder,
    Resume,
    Send,
    Stop,
    StopResult,
    Unqueue,
)
from jupyter_stop_chat.store.base import Store
from jupyter_stop_chat.utf16 import utf16_length

from .admission import Admission, Write, Written, new_reply
from .background import Background
from .elsewhere import Elsewhere
from .lane import Lane
from .limits import EngineLimits
from .places import Places
from .queue import Queue
from .registry import Registry
from .runner import Resolve, Runner
from .stopping import Stopping
from .titles import TitleMode, Titles


class Engine:
    """Start, stop and settle generations.

    :param store: where chats are kept.
    :param bus: who hears of changes.
    :param resolve: finds the chat handler of a model id for an owner.
    :param choose: says which model a prompt of an owner gets, by the one it names or None.
    :param policy: what becomes of a prompt while a reply is being made in its chat.
    :param titles: `model` lets the model make the titles of chats, `prompt` takes the first
        prompt's first words.
    """

    def __init__(
        self,
        store: Store,
        bus: Bus,
        resolve: Resolve,
        choose: Callable[[str | None, str], str | None],
        limits: EngineLimits | None = None,
        policy: Policy = "queue",
        titles: TitleMode = "model",
    ) -> None:
        self.store = store
        self.bus = bus
        self.limits = limits or EngineLimits()
        self.policy = policy
        #: Changes with each start of the server; offsets of another epoch are not trusted.
        self.epoch = uuid.uuid4().hex
        self._choose = choose
        self.registry = Registry(self.limits.remember_stop, self.limits.max_remembered)
        self.background = Background()
        self._places = Places(store, bus)
        self.titles = Titles(
            store,
            bus,
            resolve,
            self.registry,
            self.background,
            titles,
            self.limits.title_patience,
        )
        self._runner = Runner(
            self.registry,
            store,
            bus,
            resolve,
            self.limits,
            self.background,
            self._places,
            self.titles,
        )
        self._queue = Queue(self.registry, self._runner, self._places)
        self._stopping = Stopping(self.registry, self._runner, store, self.titles)
        self.elsewhere = Elsewhere(
            self.registry, self._runner, store, bus, self.background, self.titles
        )
        self._admission = Admission(
            self.registry, self._runner, store, bus, self.limits, self.background
        )

    # --- what is there -----------------------------------------------------------------------

    def generation(self, message_id: str) -> Generation | None:
        """Return what makes a message now, or None."""
        return self.registry.get(message_id)

    def running(self, owner: str | None = None) -> list[Generation]:
        """Return what is being made or waits: an owner's, or everyone's."""
        return self.registry.running(owner)

    @property
    def runaway(self) -> int:
        """Count the tasks that did not unwind at their stop and are fenced off."""
        return len(self.background.runaway)

    async def chat(self, owner: str, chat_id: str) -> Chat:
        """Return an owner's chat with its state.

        :raises StopChatError: `unknown_chat`, also for a chat of another owner.
        """
        chat = await self.store.get_chat(chat_id)
        if chat is None or chat.owner != owner:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        return self.as_it_is(chat)

    async def check_room_for_chat(self, owner: str) -> None:
        """Refuse one more chat where an owner has as many as are allowed.

        :raises StopChatError: `too_many_chats`.
        """
        most = self.limits.max_chats_per_owner
        if 0 < most <= await self.store.count_chats(owner):
            raise StopChatError(ErrorCode.TOO_MANY_CHATS)

    def as_it_is(self, chat: Chat) -> Chat:
        """Return a chat with the state that it is in now."""
        lane = self.registry.lane(chat.owner, chat.id)
        return chat.model_copy(update={"state": lane.state if lane else "idle"})

    async def as_they_are(self, owner: str, chats: Sequence[Chat]) -> tuple[Chat, ...]:
        """Return an owner's chats with their states, also of those that another process works in.

        What becomes of these is told to the owner from then on.
        """
        made = await self.store.made_elsewhere(owner)
        elsewhere = set(made.values())
        if made:
            await self.elsewhere.watch_listed(chats, made)
        return tuple(self.as_it_is(chat) if chat.id not in elsewhere else chat for chat in chats)

    def left_behind(self, messages: Sequence[Message]) -> None:
        """Hear of replies whose process ended: their chats get their titles from this one."""
        for message in messages:
            if message.role == "assistant":
                self.background.run(self._name(message), "title")

    async def _name(self, message: Message) -> None:
        chat = await self.store.get_chat(message.chat_id)
        # From the prompt: whether any model can be asked now is not known.
        self.titles.consider(chat, message, busy=True)

    async def _message(self, owner: str, message_id: str, role: str) -> Message:
        """Return an owner's message.

        :raises StopChatError: `unknown_message`, also for one of another owner.
        """
        message = await self.store.get_message(message_id)
        if message is None or message.role != role:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        try:
            await self.chat(owner, message.chat_id)
        except StopChatError:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE) from None
        return message

    # --- asking ------------------------------------------------------------------------------

    async def send(self, owner: str, request: Send) -> Accepted:
        """Accept a prompt; its reply is made in a task of its own.

        :raises StopChatError: when it cannot be accepted. Nothing was written then.
        """
        self._admission.check_prompt(request.body)
        chat_id = request.chat_id or str(uuid.uuid4())

        async def write(lane: Lane, reply: Message) -> Written:
            new_chat = None
            if request.chat_id is None:
                await self.check_room_for_chat(owner)
                new_chat = Chat(id=chat_id, owner=owner, created_at=now(), updated_at=now())
                lane.head_known = True  # there is no reply in it, and nothing to look up
            lane.chat = new_chat or await self.chat(owner, chat_id)
            prompt = _prompt(
                chat_id,
                request.body,
                request.request_id,
                reply_to=await self._places.last(lane, reply.id),
                attachments=tuple(request.attachments),
            )
            reply = reply.model_copy(update={"reply_to": prompt.id})
            return Written(prompt, reply, (prompt, reply), new_chat, follows=True)

        reply = new_reply(chat_id, request.request_id, self._model(request.model, owner))
        policy = request.policy or self.policy
        return await self._admit(owner, request.request_id, reply, policy, write)

    async def regenerate(self, owner: str, request: Regenerate) -> Accepted:
        """Make a reply anew; the earlier one stays as a version.

        :raises StopChatError: `unknown_message`, or `not_possible_now` while it is being made.
        """
        earlier = await self._message(owner, request.message_id, "assistant")
        if earlier.state not in TERMINAL:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)

        async def write(lane: Lane, reply: Message) -> Written:
            lane.chat = await self.chat(owner, earlier.chat_id)
            prompt = await self._message(owner, earlier.reply_to or "", "user")
            reply = reply.model_copy(update={"reply_to": prompt.id, "version_of": earlier.id})
            return Written(prompt, reply, (reply,))

        model = self._model(request.model or earlier.model, owner)
        reply = new_reply(earlier.chat_id, request.request_id, model)
        return await self._admit(owner, request.request_id, reply, self.policy, write)

    async def edit(self, owner: str, request: Edit) -> Accepted:
        """Ask again from a changed prompt; the earlier one stays as a version.

        A prompt that still waits is changed where it is.

        :raises StopChatError: `unknown_message`, or `blank_prompt` and the like.
        """
        self._admission.check_prompt(request.body)
        earlier = await self._message(owner, request.message_id, "user")
        waiting = self._queue.of_prompt(owner, earlier.id)
        if waiting is not None:
            return await self._queue.edit(waiting, request.body, request.request_id)

        async def write(lane: Lane, reply: Message) -> Written:
            lane.chat = await self.chat(owner, earlier.chat_id)
            prompt = _prompt(
                earlier.chat_id,
                request.body,
                request.request_id,
                reply_to=earlier.reply_to,
                attachments=earlier.attachments,
                version_of=earlier.id,
            )
            reply = reply.model_copy(update={"reply_to": prompt.id})
            return Written(prompt, reply, (prompt, reply))

        reply = new_reply(earlier.chat_id, request.request_id, self._model(request.model, owner))
        return await self._admit(owner, request.request_id, reply, self.policy, write)

    async def continue_(self, owner: str, request: Continue) -> Accepted:
        """Go on from a partial reply, in the same message.

        :raises StopChatError: `unknown_message`, or `not_possible_now` for a reply that was not
            stopped, is empty, or was taken out of the chat.
        """
        partial = await self._message(owner, request.message_id, "assistant")
        if not _can_go_on(partial):
            return await self._admission.known(owner, request.request_id)
        model = self._model(request.model or partial.model, owner)

        async def write(lane: Lane, reply: Message) -> Written:
            lane.chat = await self.chat(owner, partial.chat_id)
            prompt = await self._message(owner, partial.reply_to or "", "user")
            # Looked up while this one still counts as ended.
            await self._places.head(lane)
            reopened = await self.store.reopen(partial.id, reply.request_id, model)
            if reopened is None:
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
            return Written(prompt, reopened, ())

        going_on = partial.model_copy(
            update={
                "state": MessageState.QUEUED,
                "request_id": request.request_id,
                "model": model,
            }
        )
        return await self._admit(owner, request.request_id, going_on, self.policy, write)

    async def _admit(
        self, owner: str, request_id: str, reply: Message, policy: Policy, write: Write
    ) -> Accepted:
        self.elsewhere.wake()
        return await self._admission.admit(owner, request_id, reply, policy, write)

    async def unqueue(self, owner: str, request: Unqueue) -> None:
        """Take a queued prompt back, out of the chat.

        :raises StopChatError: `unknown_message`, or `not_possible_now` once it has started.
        """
        await self._check_here(owner, [request.message_id])
        generation = self.registry.get(request.message_id)
        if generation is None or generation.owner != owner:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        if generation.state is not MessageState.QUEUED:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
        target = Stop(type="stop", message_id=request.message_id, discard=True)
        await self._stopping.stop(owner, target)

    async def reorder(self, owner: str, request: Reorder) -> None:
        """Put queued replies in another order; those that are not named come after them.

        :raises StopChatError: `unknown_chat`, `unknown_message`, or `not_possible_now` once one
            of them has started.
        """
        await self.chat(owner, request.chat_id)
        await self._check_here(owner, request.message_ids)
        await self._queue.reorder(owner, request.chat_id, request.message_ids)

    async def _check_here(self, owner: str, message_ids: Sequence[str]) -> None:
        """Refuse to change what waits in another process.

        :raises StopChatError: `made_elsewhere`.
        """
        unknown = [each for each in message_ids if self.registry.get(each) is None]
        if unknown and not (await self.store.made_elsewhere(owner)).keys().isdisjoint(unknown):
            raise StopChatError(ErrorCode.MADE_ELSEWHERE)

    async def resume(self, owner: str, request: Resume) -> None:
        """Let a queue that a stop has paused go on.

        :raises StopChatError: `unknown_chat`.
        """
        await self.chat(owner, request.chat_id)
        self._queue.resume(owner, request.chat_id)

    async def set_title(self, owner: str, chat_id: str, title: str | None) -> Chat:
        """Give a chat another title, or none, and tell of it.

        :raises StopChatError: `unknown_chat`.
        """
        chat = await self.chat(owner, chat_id)
        self.titles.abandon(chat_id)
        if not await self.store.set_title(chat_id, title):
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        self.titles.tell(chat.model_copy(update={"title": title}))
        return await self.chat(owner, chat_id)

    async def delete_chat(self, owner: str, chat_id: str) -> None:
        """Stop all that is made or waits in a chat, delete it, and tell of that.

        :raises StopChatError: `unknown_chat`.
        """
        chat = await self.chat(owner, chat_id)
        self.titles.abandon(chat_id)
        found = [each for each in self.registry.running(owner) if each.chat_id == chat_id]
        for generation in found:
            self._runner.begin_stop(generation, "deleted")
        if found:
            await asyncio.wait({generation.settled for generation in found})
        self.titles.abandon(chat_id)
        if not await self.store.delete_chat(chat_id):
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        gone = ChatChanged(chat=chat.model_copy(update={"state": "idle"}), deleted=True)
        self.bus.announce(owner, gone)
        self.bus.publish(chat_id, gone)

    async def stop(self, owner: str, target: Stop) -> tuple[StopResult, ...]:
        """Stop what a target names, and tell what became of it once that is true."""
        return await self._stopping.stop(owner, target)

    async def shutdown(self) -> None:
        """Stop and save all that runs, within the shutdown's deadline."""
        self._admission.closed = True
        self.elsewhere.close()
        self.titles.close()
        self.registry.close()
        for lane in self.registry.lanes():
            lane.paused = True
        running = self.running()
        for generation in running:
            self._runner.begin_stop(generation, "server_shutdown")
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.shutdown_deadline):
                if running:
                    await asyncio.wait({generation.settled for generation in running})
                await self.background.settle()

    def _model(self, wanted: str | None, owner: str) -> str:
        model = self._choose(wanted, owner)
        if model is None:
            raise StopChatError(ErrorCode.NO_MODEL)
        return model


def _can_go_on(partial: Message) -> bool:
    stopped = partial.state in {MessageState.INTERRUPTED, MessageState.FAILED}
    # One that was cut at its model's limit is complete, and yet not at its end.
    stopped = stopped or partial.finish_reason == "length"
    return stopped and not partial.discarded and bool(partial.text.strip())


def _prompt(
    chat_id: str,
    body: str,
    request_id: str,
    *,
    reply_to: str | None,
    attachments: tuple[Attachment, ...],
    version_of: str | None = None,
) -> Message:
    return Message(
        id=str(uuid.uuid4()),
        chat_id=chat_id,
        role="user",
        text=body,
        text_length=utf16_length(body),
        state=MessageState.COMPLETED,
        created_at=now(),
        reply_to=reply_to,
        request_id=request_id,
        attachments=attachments,
        version_of=version_of,
    )
