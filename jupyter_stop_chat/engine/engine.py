"""The engine: what can be asked of it, and how its parts are joined."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.client_frames import (
    Continue,
    Edit,
    Regenerate,
    Reorder,
    Resume,
    Send,
    Stop,
    Unqueue,
)
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState, Policy, StopResult
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged

from .asking import Asking
from .background import Background
from .changes import Bus
from .elsewhere import Elsewhere
from .generation import Generation
from .limits import EngineLimits
from .queue import Queue
from .registry import Registry
from .room import Room
from .run import Resolve, Runner
from .send import Admission
from .settle import Settling
from .stop import Stopping
from .thread import Threads
from .titles import TitleMode, Titles


class Engine:
    """What starts, stops and settles generations.

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
        store.making = self.registry.making
        self.background = Background()
        self._threads = Threads(store, bus)
        self.titles = Titles(
            store,
            bus,
            resolve,
            self.registry,
            self.background,
            titles,
            self.limits.title_patience,
        )
        self._settling = Settling(
            self.registry,
            store,
            bus,
            self.background,
            self.titles,
            advance=lambda lane: self._runner.advance(lane),  # noqa: PLW0108 - it is made below
        )
        self._stopping = Stopping(
            self.registry,
            store,
            bus,
            self.limits,
            self.background,
            self.titles,
            self._settling,
        )
        self._runner = Runner(
            self.registry,
            store,
            bus,
            resolve,
            self.limits,
            self.background,
            self._threads,
            self.titles,
            self._stopping,
            self._settling,
        )
        self._queue = Queue(self.registry, self._runner, self._threads, self._stopping)
        self.elsewhere = Elsewhere(
            self.registry, self._stopping, store, bus, self.background, self.titles
        )
        self._admission = Admission(
            self.registry,
            self._runner,
            self._stopping,
            self._settling,
            store,
            bus,
            self.limits,
            self.background,
        )
        self.room = Room(store, self.limits.max_chats_per_owner)
        self._asking = Asking(
            store,
            self._admission,
            self._queue,
            self._threads,
            self.room,
            chat=self.chat,
            message=self.message,
            choose=lambda wanted, owner: self._choose(wanted, owner),  # noqa: PLW0108 - may change
            policy=lambda: self.policy,
            wake=self.elsewhere.wake,
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
        return self.with_state(chat)

    async def message(self, owner: str, message_id: str, role: str) -> Message:
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

    def with_state(self, chat: Chat) -> Chat:
        """Return a chat with the state that it is in now."""
        lane = self.registry.lane(chat.owner, chat.id)
        return chat.model_copy(update={"state": lane.state if lane else "idle"})

    async def with_states(self, owner: str, chats: Sequence[Chat]) -> tuple[Chat, ...]:
        """Return an owner's chats with their states, also of those that another process works in.

        What becomes of these is told to the owner from then on.
        """
        made_elsewhere = await self.store.made_elsewhere(owner)
        elsewhere = set(made_elsewhere.values())
        if made_elsewhere:
            await self.elsewhere.watch_listed(chats, made_elsewhere)
        return tuple(self.with_state(chat) if chat.id not in elsewhere else chat for chat in chats)

    def as_shown(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages that were read, with what is being made as it is shown now.

        While a reply is stopped there is text in the store that is behind the cut.
        """
        making = {each.id: each for each in self.running() if each.is_accepted}
        return [making[each.id].snapshot() if each.id in making else each for each in messages]

    def left_behind(self, messages: Sequence[Message]) -> None:
        """Hear of replies whose process ended: their chats get their titles from this one."""
        for message in messages:
            if message.role == "assistant":
                self.background.run(self._name(message), "title")

    async def _name(self, message: Message) -> None:
        chat = await self.store.get_chat(message.chat_id)
        # From the prompt: whether any model can be asked now is not known.
        self.titles.consider(chat, message, busy=True)

    # --- asking ------------------------------------------------------------------------------

    async def send(self, owner: str, request: Send) -> Accepted:
        """Accept a prompt; its reply is made in a task of its own.

        :raises StopChatError: when it cannot be accepted. Nothing was written then.
        """
        return await self._asking.ask(owner, request)

    async def regenerate(self, owner: str, request: Regenerate) -> Accepted:
        """Make a reply anew; the earlier one stays as a version.

        :raises StopChatError: `unknown_message`, or `not_possible_now` while it is being made.
        """
        return await self._asking.ask(owner, request)

    async def edit(self, owner: str, request: Edit) -> Accepted:
        """Ask again from a changed prompt; the earlier one stays as a version.

        A prompt that still waits is changed where it is.

        :raises StopChatError: `unknown_message`, or `blank_prompt` and the like.
        """
        return await self._asking.ask(owner, request)

    async def continue_(self, owner: str, request: Continue) -> Accepted:
        """Go on from a partial reply, in the same message.

        :raises StopChatError: `unknown_message`, or `not_possible_now` for a reply that was not
            stopped, is empty, or was discarded.
        """
        return await self._asking.ask(owner, request)

    async def unqueue(self, owner: str, request: Unqueue) -> None:
        """Withdraw a queued prompt from the chat; one that was withdrawn stays so.

        :raises StopChatError: `unknown_message`, or `not_possible_now` once it has started.
        """
        message_id = request.message_id
        await self._check_here(owner, [message_id])
        generation = self.registry.get(message_id)
        if generation is None:
            message = await self.store.get_message(message_id)
            chat = await self.store.get_chat(message.chat_id) if message else None
            if message is None or message.role != "assistant" or not chat or chat.owner != owner:
                raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
            if not message.discarded:
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
            return
        if generation.owner != owner:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        withdrawn = generation.stop is not None and generation.stop.discard
        if generation.state is not MessageState.QUEUED and not withdrawn:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
        target = Stop(type="stop", message_id=message_id, discard=True)
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

        :raises StopChatError: `unknown_chat`, `blank_title`.
        """
        if title is not None and not any(each.isprintable() and each != " " for each in title):
            raise StopChatError(ErrorCode.BLANK_TITLE)
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
        await self._end_all(owner, chat_id)
        self.titles.abandon(chat_id)
        deleted = await self.store.delete_chat(chat_id)
        await self._end_all(owner, chat_id)  # what was asked for meanwhile is made for nobody
        if not deleted:
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        gone = ChatChanged(chat=chat.model_copy(update={"state": "idle"}), deleted=True)
        self.bus.announce(owner, gone)
        self.bus.publish(chat_id, gone)

    async def _end_all(self, owner: str, chat_id: str) -> None:
        found = [each for each in self.registry.running(owner) if each.chat_id == chat_id]
        for generation in found:
            self._stopping.begin(generation, "deleted")
        if found:
            await asyncio.wait({generation.settled for generation in found})

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
            self._stopping.begin(generation, "server_shutdown")
        with suppress(TimeoutError):
            async with asyncio.timeout(self.limits.shutdown_deadline):
                if running:
                    await asyncio.wait({generation.settled for generation in running})
                await self.background.settle()
