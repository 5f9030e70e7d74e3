"""The engine: what can be asked of it, and how its parts are joined."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from jupyter_stop_chat.ports.instructions import Instruct
from jupyter_stop_chat.ports.peers import Peers
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.ports.tools import AgentRules, Tool
from jupyter_stop_chat.wire.client_frames import (
    Approve,
    Continue,
    Edit,
    Regenerate,
    Reorder,
    Resume,
    Send,
    Stop,
    Unqueue,
)
from jupyter_stop_chat.wire.objects import Chat, Message, Mode, Policy, StopResult
from jupyter_stop_chat.wire.server_frames import Accepted

from .asking import Asking
from .background import Background
from .changes import Bus
from .chats.chats import Chats
from .chats.room import Room
from .chats.titles import TitleMode, Titles
from .chats.undo import Undo
from .generation import Generation
from .limits import EngineLimits
from .queue import Queue
from .registry import Registry
from .run import Resolve, Runner
from .send import Admission
from .servers.carrying import Carrying
from .servers.elsewhere import Elsewhere
from .servers.others import Others
from .servers.telling import Telling
from .settle import Settling
from .spending import Spending
from .stop import Begun, StoppedEveryone, Stopping
from .tools.approvals import Approvals
from .tools.pages import PageCalls
from .tools.tooling import Tooling
from .turn.instructing import Instructing
from .turn.pictures import Pictures
from .turn.thread import Threads


class Engine:
    """What starts, stops and settles generations.

    :param store: where chats are kept.
    :param bus: who hears of changes.
    :param resolve: finds the chat handler of a model id for an owner.
    :param choose: says which model a prompt of an owner gets, by the one it names or None.
    :param policy: what becomes of a prompt while a reply is being made in its chat.
    :param titles: `model` lets the model make the titles of chats, `prompt` takes the first
        prompt's first words.
    :param peers: what reaches the other processes that work on the same chats, if anything does.
    :param instruct: puts the instructions of turns together, if there are any.
    :param spending: prices replies and keeps the budget of a day; None: neither.
    :param tools: returns what models may use in the mode `agent`, by owner.
    :param prepare: starts what others' tools come from for an owner, and waits for it, not long.
    :param agent: returns what the administrator says of that; asked each time.
    :param approvals: asks people whether calls may act; None: those who follow the chat.
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
        peers: Peers | None = None,
        instruct: Instruct | None = None,
        spending: Spending | None = None,
        tools: Callable[[str], Sequence[Tool]] = lambda owner: (),
        agent: Callable[[], AgentRules] = AgentRules,
        approvals: Approvals | None = None,
        prepare: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self.store = store
        self.peers = peers
        here = bus
        if peers is not None and peers.tells:
            bus = Telling(here, peers)
        self.bus = bus
        self.limits = limits or EngineLimits()
        self.policy = policy
        #: Changes with each start of the server; offsets of another epoch are not trusted.
        self.epoch = uuid.uuid4().hex
        self.spending = spending or Spending(store)
        self._choose = choose
        self._tools, self._agent = tools, agent
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
            self.spending,
            titles,
            self.limits.title_patience,
        )
        self.pictures = Pictures(store, resolve, self.limits.max_picture_megabytes * 1024 * 1024)
        self._settling = Settling(
            self.registry,
            store,
            bus,
            self.background,
            self.titles,
            self.spending,
            advance=lambda lane: self._runner.advance(lane),  # noqa: PLW0108 - it is made below
            # A flag that asks for its stop has done its work.
            ended=lambda message_id: peers.unflag_stop(message_id) if peers is not None else None,
        )
        self._others = Others(
            store,
            peers,
            self.limits.stop_deadline,
            lambda owner, frame: self._carrying.here(owner, frame),  # noqa: PLW0108 - as above
        )
        self._stopping = Stopping(
            self.registry,
            store,
            bus,
            self.limits,
            self.background,
            self.titles,
            self._settling,
            self._others,
        )
        self.approvals = Approvals(
            store.allowed_tools,
            lambda: self._agent().unasked,
            lambda generation: self._chats.tell_state(generation),  # noqa: PLW0108 - as above
        )
        #: What the pages of people do for tools.
        self.pages = PageCalls()
        self._runner = Runner(
            self.registry,
            store,
            bus,
            resolve,
            self.limits,
            self.background,
            self._threads,
            Instructing(store, self.background, instruct),
            self.pictures,
            self.titles,
            self._stopping,
            self._settling,
            self.spending,
            Tooling(
                store.calls,
                self._offered,
                store.journal,
                self.approvals if approvals is None else approvals,
                self.pages,
                self.background,
                prepare=prepare,
            ),
        )
        self._queue = Queue(
            self.registry, self._runner, self._threads, self._stopping, self.spending
        )
        self.elsewhere = Elsewhere(
            self.registry,
            self._stopping,
            store,
            here,
            self.background,
            self.titles,
            self._others,
            peers,
        )
        self._chats = Chats(self.registry, store, bus, self._stopping, self.titles, self.elsewhere)
        # What is asked of chats as such.
        self.set_title, self.set_instructions = self._chats.set_title, self._chats.set_instructions
        self.delete_chat = self._chats.delete
        self._admission = Admission(
            self.registry,
            self._runner,
            self._stopping,
            self._settling,
            store,
            bus,
            self.limits,
            self.background,
            self.spending,
        )
        self.undo = Undo(store, bus, self.message)
        self.room = Room(store, self.limits.max_chats_per_owner)
        self._asking = Asking(
            store,
            self._admission,
            self._queue,
            self._threads,
            self.room,
            self.pictures,
            chat=self.chat,
            message=self.message,
            choose=lambda wanted, owner: self._choose(wanted, owner),  # noqa: PLW0108 - may change
            policy=lambda: self.policy,
            modes=self.modes,
            wake=self.elsewhere.wake,
        )
        self._carrying = Carrying(
            self.registry,
            store,
            self._asking,
            self._queue,
            self._stopping,
            self._others,
            self.elsewhere,
            self.approvals,
            chat=self.chat,
            message=self.message,
        )

    async def open(self) -> None:
        """Begin to hear the other processes that work on the same chats."""
        if self.peers is not None:
            await self.peers.open(self.elsewhere)

    # --- what is there -----------------------------------------------------------------------

    def generation(self, message_id: str) -> Generation | None:
        """Return what makes a message now, or None."""
        return self.registry.get(message_id)

    def modes(self, owner: str) -> tuple[Mode, ...]:
        """Return in which modes an owner may ask."""
        return ("ask", "agent") if self._offered(owner) else ("ask",)

    def _offered(self, owner: str) -> Sequence[Tool]:
        return self._tools(owner) if self._agent().mode else ()

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
        return await self._chats.chat(owner, chat_id)

    async def message(self, owner: str, message_id: str, role: str) -> Message:
        """Return an owner's message.

        :raises StopChatError: `unknown_message`, also for one of another owner.
        """
        return await self._chats.message(owner, message_id, role)

    def with_state(self, chat: Chat) -> Chat:
        """Return a chat with the state that it is in here."""
        return self.registry.with_state(chat)

    async def with_states(self, owner: str, chats: Sequence[Chat]) -> tuple[Chat, ...]:
        """Return an owner's chats with their states, also of those that another process works in.

        What becomes of these is told to the owner from then on.
        """
        return await self._chats.with_states(owner, chats)

    def as_shown(self, messages: Sequence[Message]) -> list[Message]:
        """Return messages that were read, with what is being made as it is shown now.

        While a reply is stopped there is text in the store that is behind the cut.
        """
        making = {each.id: each for each in self.running() if each.is_accepted}
        return [making[each.id].snapshot() if each.id in making else each for each in messages]

    def left_behind(self, messages: Sequence[Message]) -> None:
        """Hear of replies whose process ended: they are told of, and their chats get titles."""
        for message in messages:
            if message.role == "assistant":
                self.titles.name_left_behind(message)
                self.elsewhere.tell_left_behind(message)

    # --- asking ------------------------------------------------------------------------------

    async def send(self, owner: str, request: Send) -> Accepted:
        """Accept a prompt; its reply is made in a task of its own.

        :raises StopChatError: when it cannot be accepted. Nothing was written then.
        """
        return await self._carrying.ask(owner, request)

    async def regenerate(self, owner: str, request: Regenerate) -> Accepted:
        """Make a reply anew; the earlier one stays as a version.

        :raises StopChatError: `unknown_message`, or `not_possible_now` while it is being made.
        """
        return await self._carrying.ask(owner, request)

    async def edit(self, owner: str, request: Edit) -> Accepted:
        """Ask again from a changed prompt; the earlier one stays as a version.

        A prompt that still waits is changed where it is.

        :raises StopChatError: `unknown_message`, or `blank_prompt` and the like.
        """
        return await self._carrying.ask(owner, request)

    async def continue_(self, owner: str, request: Continue) -> Accepted:
        """Go on from a partial reply, in the same message.

        :raises StopChatError: `unknown_message`, or `not_possible_now` for a reply that was not
            stopped, is empty, or was discarded.
        """
        return await self._carrying.ask(owner, request)

    async def unqueue(self, owner: str, request: Unqueue) -> None:
        """Withdraw a queued prompt from the chat; one that was withdrawn stays so.

        :raises StopChatError: `unknown_message`, or `not_possible_now` once it has started.
        """
        await self._carrying.unqueue(owner, request)

    async def reorder(self, owner: str, request: Reorder) -> None:
        """Put queued replies in another order; those that are not named come after them.

        :raises StopChatError: `unknown_chat`, `unknown_message`, or `not_possible_now` once one
            of them has started.
        """
        await self._carrying.reorder(owner, request)

    async def resume(self, owner: str, request: Resume) -> None:
        """Let a queue that a stop has paused go on.

        :raises StopChatError: `unknown_chat`.
        """
        await self._carrying.resume(owner, request)

    async def approve(self, owner: str, request: Approve) -> None:
        """Answer what a tool call asks for; the same answer twice counts once.

        :raises StopChatError: `unknown_message`, `answered_already`, `asked_anew`,
            `asked_each_time`.
        """
        await self._carrying.approve(owner, request)

    async def stop(self, owner: str, target: Stop) -> tuple[StopResult, ...]:
        """Stop what a target names, and tell what became of it once that is true."""
        return await self._stopping.stop(owner, target)

    def begin_stop(self, owner: str, target: Stop) -> Begun:
        """Stop what a target names, in this very step; return what tells what became of it."""
        return self._stopping.begin_stop(owner, target)

    async def stop_everyone(self) -> StoppedEveryone:
        """Stop all that is made, whosever it is, and tell what became of it once that is true.

        All of it is fenced and cancelled before anything is waited for.
        """
        return await self._stopping.stop_everyone()

    async def shutdown(self) -> None:
        """Stop and save all that runs, within the shutdown's deadline."""
        self._admission.closed = True
        self.elsewhere.close()
        self.titles.close()
        self.registry.close()
        self._stopping.close()
        self.pages.close()
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
