"""The connection of one client: it carries frames out, follows chats, and fills the outbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from jupyter_stop_chat.engine import Engine
from jupyter_stop_chat.engine.asking import Request
from jupyter_stop_chat.engine.changes import Change, MessageMoved, TextGrew
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.stop import Begun
from jupyter_stop_chat.engine.tools.page import Page
from jupyter_stop_chat.wire.client_frames import (
    Approve,
    ClientFrame,
    Close,
    Continue,
    Edit,
    Focus,
    Open,
    Ping,
    Read,
    Regenerate,
    Reorder,
    Resume,
    Send,
    Stop,
    ToolAnswer,
    ToolTaken,
    Unqueue,
)
from jupyter_stop_chat.wire.codec import NAMES, named
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError, new_error_id
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message, StopResult
from jupyter_stop_chat.wire.server_frames import (
    Accepted,
    ChatChanged,
    Error,
    Pieces,
    Pong,
    StopResults,
    Welcome,
    error_frame,
)

from .following import Following
from .intake import Intake
from .opening import Opening
from .outbox import STALLED_AFTER, Outbox
from .pieces import read_pieces
from .rates import Bucket

log = logging.getLogger(__name__)

#: So many stops look in the store at once for what does not run; the others are not held up.
MAX_LOOKUPS = 4


class Connection:
    """What carries frames between one client and the engine.

    :param write: writes one text frame, or keeps it until `send`; returns what to wait for until
        the client's side has taken what was written, or None where it has.
    :param close: closes the socket with a code and a reason.
    :param send: sends what `write` has kept, and returns the same.
    :param stalled_after: how long the client may make no progress, in seconds.
    :param bucket: limits how many frames are taken, besides stops.
    """

    def __init__(
        self,
        engine: Engine,
        owner: str,
        welcome: Welcome,
        write: Callable[[str], Awaitable[None] | None],
        close: Callable[[int, str], None],
        stalled_after: float = STALLED_AFTER,
        bucket: Bucket | None = None,
        send: Callable[[], Awaitable[None] | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._close = close
        self._chats: dict[str, Following] = {}
        #: The chats that are being opened; until then they are followed as before.
        self._opening: dict[str, Following] = {}
        self._lookups = asyncio.Semaphore(MAX_LOOKUPS)
        #: Requests whose `accepted` has not been told on this socket.
        self._unanswered: set[str] = set()
        #: How often some of a message's text had become reasoning when it was listed here.
        self._told: dict[str, int] = {}
        #: How many frames were read and have not begun.
        self._to_begin = 0
        self._ended = False
        relief = asyncio.Event()
        self._outbox = Outbox(write, self._give_up, stalled_after, relief.set, send)
        self._intake = Intake(self._outbox, bucket or Bucket(0, 0), relief, self._begin)
        self._outbox.answer(welcome)
        for notice in engine.bus.notices:
            self._outbox.answer(notice)
        engine.bus.attend(owner, self._hear_owner)
        self._page = Page(owner, self._outbox.answer)
        engine.pages.enter(self._page)

    def end(self) -> None:
        """Hear nothing more and write nothing more; what is being generated goes on."""
        if self._ended:
            return
        self._ended = True
        self._engine.bus.leave(self._owner, self._hear_owner)
        self._engine.pages.leave(self._page)
        for chat_id in [*self._chats, *self._opening]:
            self._unfollow(chat_id)
        self._outbox.end()
        self._intake.end()

    def _give_up(self, code: int, reason: str) -> None:
        self.end()
        self._close(code, reason)

    # --- from the client ---------------------------------------------------------------------

    def receive(self, raw: str | bytes) -> None:
        """Take one frame in and return at once, so that the next one is read: it may be a stop."""
        self._intake.receive(raw)

    def room(self) -> Awaitable[None] | None:
        """Return what is to be waited for before the next frame is read, if anything."""
        return self._intake.room()

    def _begin(self, frame: ClientFrame) -> Coroutine[Any, Any, None]:
        """Return what carries one frame out; what runs is stopped in this very step.

        A stop that comes behind frames of which none has begun begins behind them: it may mean
        what they ask for.
        """
        begun: Begun | None = None
        if isinstance(frame, Stop) and not self._to_begin and self._runs(frame):
            with suppress(Exception):  # it is tried again, and told, where that fails
                begun = self._engine.begin_stop(self._owner, frame)
        self._to_begin += begun is None
        return self._handle(frame, begun)

    async def _handle(self, frame: ClientFrame, begun: Begun | None) -> None:
        """Carry one frame out; whatever goes wrong becomes a frame, and the socket stays.

        :param begun: what tells what became of a stop that was begun.
        """
        self._to_begin -= begun is None
        request_id = getattr(frame, "request_id", None)
        if request_id is not None and not isinstance(frame, Stop):
            self._unanswered.add(request_id)
            if isinstance(frame, Request):
                self._page.sends(request_id)
        try:
            await self._carry_out(frame, begun)
        except StopChatError as error:
            self._outbox.answer(error_frame(error.code, **named(frame)))
        except Exception:
            error_id = new_error_id()
            log.exception("error %s: a %s frame failed", error_id, frame.type)
            self._outbox.answer(error_frame(ErrorCode.INTERNAL, error_id, **named(frame)))
        finally:
            self._unanswered.discard(request_id or "")

    async def _carry_out(  # noqa: PLR0912 - one case a frame
        self, frame: ClientFrame, begun: Begun | None
    ) -> None:
        engine, owner = self._engine, self._owner
        match frame:
            case Stop():
                results = await (begun or partial(self._stop, frame))()
                target = frame.model_dump(include=NAMES)
                self._outbox.answer(StopResults(results=results, **target))
            case Send():
                await self._accepted(await engine.send(owner, frame))
            case Open():
                await self._open(frame)
            case Read():
                await self._read(frame)
            case Ping():
                self._outbox.answer(Pong())
            case Close():
                self._unfollow(frame.chat_id)
            case Continue():
                await self._accepted(await engine.continue_(owner, frame))
            case Regenerate():
                await self._accepted(await engine.regenerate(owner, frame))
            case Edit():
                await self._accepted(await engine.edit(owner, frame))
            case Unqueue():
                await engine.unqueue(owner, frame)
            case Reorder():
                await engine.reorder(owner, frame)
            case Resume():
                await engine.resume(owner, frame)
            case Approve():
                await engine.approve(owner, frame)
            case Focus():
                engine.pages.focus(self._page, frame.page, here=frame.here)
            case ToolTaken():
                engine.pages.taken(self._page, frame.call)
            case ToolAnswer():
                engine.pages.answered(self._page, frame)

    async def _stop(self, frame: Stop) -> tuple[StopResult, ...]:
        """Stop what is meant at once; for what does not run a flood of stops takes turns."""
        if self._runs(frame):
            return await self._engine.stop(self._owner, frame)
        async with self._lookups:
            return await self._engine.stop(self._owner, frame)

    def _runs(self, frame: Stop) -> bool:
        if frame.message_id is not None:
            return self._engine.generation(frame.message_id) is not None
        if frame.request_id is not None:
            return self._engine.registry.by_request(self._owner, frame.request_id) is not None
        return True

    async def _accepted(self, accepted: Accepted) -> None:
        """Answer a request that nobody was told of: it had been accepted before."""
        if accepted.request_id not in self._unanswered or self._ended:
            return
        message = accepted.message
        generation = self._live(message.id)
        following = self._follow_asked(accepted)
        if generation is None and message.state not in TERMINAL:
            # It ended before this task went on.
            ended = await self._engine.store.get_message(message.id)
            accepted = accepted.model_copy(update={"message": ended or message})
        self._hear(following, accepted)
        if generation is not None:
            self._introduce(following, generation)

    def _follow_asked(self, accepted: Accepted) -> Following:
        """Follow the chat of a request: only now is it known to be the owner's."""
        is_new = accepted.chat_id not in self._chats
        following = self._follow(accepted.chat_id)
        if is_new:
            for other in self._engine.running(self._owner):
                if other.chat_id == accepted.chat_id and other.id != accepted.message.id:
                    self._introduce(following, other)
        return following

    def _introduce(self, following: Following, generation: Generation) -> None:
        """Tell of what is being made to a client that may not have heard of it yet."""
        if generation.is_accepted:
            self._hear(following, MessageMoved(generation.snapshot(), generation))
            self._hear(following, TextGrew(generation))

    async def _open(self, frame: Open) -> None:
        """Answer with the chat and its messages, or the tails that the client lacks.

        A client that had opened it before hears on of it meanwhile, and also if this fails.
        """
        chat_id = frame.chat_id
        self._drop_opening(chat_id)
        if self._ended:
            return
        held: list[Change] = []
        following = self._opening[chat_id] = Following(chat_id, self._hear, held)
        self._engine.bus.follow(chat_id, following.tell)
        try:
            chat = await self._engine.chat(self._owner, chat_id)
            messages = await self._engine.store.get_messages(chat_id)
            if self._opening.get(chat_id) is not following:
                return  # closed, or opened again, meanwhile
            elsewhere = any(message.made_elsewhere for message in messages)
            if elsewhere and chat.state == "idle":  # what is made was asked for in between
                chat = await self._engine.chat(self._owner, chat_id)
                if self._opening.get(chat_id) is not following:
                    return
            offsets = frame.offsets if frame.epoch == self._engine.epoch else {}
            rethought = self._engine.registry.rethought
            unsure = self._engine.elsewhere.unsure(messages)
            unsure |= {each.id for each in messages if rethought.is_forgotten(each)}
            offsets = {
                key: have
                for key, have in offsets.items()
                if rethought.times(key) == self._told.get(key, 0) and key not in unsure
            }
            self._note(messages)
            messages = self._engine.elsewhere.newest(messages)
            opening = Opening(messages, held, self._live, offsets)
        except BaseException:
            if self._opening.get(chat_id) is following:
                self._drop_opening(chat_id)
            raise
        del self._opening[chat_id]
        self._leave(self._chats.pop(chat_id, None))
        self._chats[chat_id] = following
        chat = self._as_told(chat, held)
        if not elsewhere:
            chat = self._engine.with_state(chat)
        self._outbox.answer_open(chat, opening)
        following.held, following.opened = None, opening.whole
        for change in opening.rest:
            self._hear(following, change)
        self._engine.elsewhere.watch_opened(chat, messages, opening.in_doubt)
        if elsewhere:
            self._note(message for message in messages if message.made_elsewhere)

    async def _read(self, frame: Read) -> None:
        """Answer with texts that the list of a chat left out."""
        await self._engine.chat(self._owner, frame.chat_id)

        async def get(message_id: str) -> Message | None:
            generation = self._live(message_id)
            if generation is not None:
                message: Message | None = generation.snapshot()
            else:
                message = await self._engine.store.get_message(message_id)
            return message if message and message.chat_id == frame.chat_id else None

        pieces = tuple(await read_pieces(frame.wanted, get))
        self._outbox.answer(
            Pieces(request_id=frame.request_id, chat_id=frame.chat_id, pieces=pieces)
        )

    def _note(self, messages: Iterable[Message]) -> None:
        """Note how often the beginning of what is listed here had changed by now."""
        times = self._engine.registry.rethought.times
        self._told |= {each.id: n for each in messages if (n := times(each.id))}

    @staticmethod
    def _as_told(chat: Chat, held: list[Change]) -> Chat:
        """Return a chat as it was told of last since it was read."""
        told = [change.chat for change in held if isinstance(change, ChatChanged)]
        return told[-1] if told else chat

    def _live(self, message_id: str) -> Generation | None:
        """Return what makes a message now, if its request was accepted."""
        generation = self._engine.generation(message_id)
        return generation if generation is not None and generation.is_accepted else None

    def _follow(self, chat_id: str) -> Following:
        following = self._chats.get(chat_id)
        if following is None:
            following = Following(chat_id, self._hear)
            if not self._ended:
                self._chats[chat_id] = following
                self._engine.bus.follow(chat_id, following.tell)
        return following

    def _unfollow(self, chat_id: str) -> None:
        self._drop_opening(chat_id)
        if chat_id in self._chats:
            self._leave(self._chats.pop(chat_id))
            self._outbox.drop(chat_id)

    def _drop_opening(self, chat_id: str) -> None:
        self._leave(self._opening.pop(chat_id, None))

    def _leave(self, following: Following | None) -> None:
        if following is not None:
            self._engine.bus.unfollow(following.chat_id, following.tell)

    # --- to the client -----------------------------------------------------------------------

    def _hear_owner(self, change: Change) -> None:
        """Hear of an owner's chats as such, and of what concerns everyone."""
        if isinstance(change, Accepted):
            if change.request_id in self._unanswered:
                self._follow_asked(change)  # and hear of it with the chat's other followers
        elif isinstance(change, Error):
            self._outbox.answer(change)
        elif isinstance(change, ChatChanged):
            self._outbox.chat(change)
            if change.deleted:
                self._unfollow(change.chat.id)
            elif (opening := self._opening.get(change.chat.id)) is not None:
                opening.tell(change)  # what was read may be older

    def _hear(self, following: Following, change: Change) -> None:
        """Hear of a change in a chat that is followed."""
        match change:
            case TextGrew(generation):
                self._outbox.text(generation)
            case MessageMoved():
                self._outbox.moved(change, has_text=following.opened)
            case Accepted():
                self._unanswered.discard(change.request_id)
                live = self._live(change.message.id)
                self._outbox.accepted(change, live, has_text=following.opened)
            case ChatChanged() | Error():
                self._hear_owner(change)
            case _:
                self._outbox.beside(following.chat_id, change)
