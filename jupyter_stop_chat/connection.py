"""A connection: one writer a socket, with a cursor in each message that it follows.

Text is never copied for a connection: the writer reads from its cursor when it can write, so a
slow reader gets fewer and larger deltas, and costs no memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from .bus import Change, MessageMoved, TextGrew
from .engine import Engine
from .errors import ErrorCode, StopChatError, new_error_id
from .generation import Generation
from .protocol import (
    TERMINAL,
    Accepted,
    ChatChanged,
    ClientFrame,
    Close,
    Continue,
    Delta,
    Edit,
    Message,
    MessageChanged,
    Open,
    Regenerate,
    Reorder,
    Resume,
    Send,
    Stop,
    StopResults,
    Unqueue,
    Welcome,
    decode,
    encode,
    error_frame,
    request_id_of,
)
from .utf16 import utf16_length, utf16_slice

log = logging.getLogger(__name__)

#: The largest delta, in UTF-16 code units: a stop's answer never waits behind a huge frame.
MAX_DELTA = 16 * 1024
#: A turn of the writer gives the loop back after this long, in seconds (rule 11).
WRITER_BUDGET = 0.005
#: A reader without progress for this long is closed, in seconds (rule 11).
STALLED_AFTER = 15.0
#: The close code of a reader that does not read: "try again later" (RFC 6455's registry).
STALLED_CODE = 1013
#: So many frames of one socket may be in work at once; the next one is refused.
MAX_FRAMES_IN_WORK = 64


@dataclass(slots=True)
class _Lane:
    """Hold what is to be written of one message, in order; a None stands for its text.

    :ivar cursor: how much of the text has been written, in UTF-16 code units.
    """

    generation: Generation | None = None
    cursor: int = 0
    reasoning_cursor: int = 0
    entries: deque[BaseModel | MessageMoved | None] = field(default_factory=deque)


@dataclass(slots=True)
class _Following:
    """Hold a chat that is followed; `held` keeps changes back until the chat's answer is out."""

    hear: Callable[[Change], None]
    held: list[Change] | None = None

    def tell(self, change: Change) -> None:
        """Pass a change on, or keep it back."""
        if self.held is not None:
            self.held.append(change)
        else:
            self.hear(change)


class Connection:
    """Carry frames between one client and the engine.

    :param write: writes one text frame and returns once the client's side has taken it.
    :param close: closes the socket with a code and a reason.
    """

    def __init__(
        self,
        engine: Engine,
        owner: str,
        welcome: Welcome,
        write: Callable[[str], Awaitable[None]],
        close: Callable[[int, str], None],
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._write = write
        self._close = close
        self._chats: dict[str, _Following] = {}
        self._lanes: dict[str, _Lane] = {}
        #: Lanes with something to write, in turn; answers go first, they are few and small.
        self._ready: deque[str] = deque()
        self._answers: deque[BaseModel] = deque([welcome])
        self._wake = asyncio.Event()
        self._wake.set()
        self._tasks: set[asyncio.Task[None]] = set()
        #: Requests whose `accepted` has not gone out on this socket.
        self._unanswered: set[str] = set()
        self._ended = False
        engine.bus.attend(owner, self._hear_owner)
        self._writer = asyncio.create_task(self._write_all(), name="stop-chat writer")

    def end(self) -> None:
        """Let go of everything; what is being generated goes on."""
        if self._ended:
            return
        self._ended = True
        self._engine.bus.leave(self._owner, self._hear_owner)
        for chat_id in list(self._chats):
            self._unfollow(chat_id)
        self._writer.cancel()

    # --- from the client ---------------------------------------------------------------------

    def receive(self, raw: str | bytes) -> None:
        """Take one frame in and return at once, so that the next one is read: it may be a stop."""
        try:
            frame = decode(raw)
        except StopChatError as error:
            self._answer(error_frame(error.code, request_id_of(raw)))
            return
        if len(self._tasks) >= MAX_FRAMES_IN_WORK and not isinstance(frame, Stop):
            self._answer(error_frame(ErrorCode.SERVER_BUSY, getattr(frame, "request_id", None)))
            return
        task = asyncio.create_task(self._handle(frame), name=f"stop-chat {frame.type}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, frame: ClientFrame) -> None:
        """Carry one frame out; whatever goes wrong becomes a frame, and the socket stays."""
        request_id = getattr(frame, "request_id", None)
        if request_id is not None and not isinstance(frame, Stop):
            self._unanswered.add(request_id)
        try:
            await self._carry_out(frame)
        except StopChatError as error:
            self._answer(error_frame(error.code, request_id))
        except Exception:
            error_id = new_error_id()
            log.exception("error %s: a %s frame failed", error_id, frame.type)
            self._answer(error_frame(ErrorCode.INTERNAL, request_id, error_id))
        finally:
            self._unanswered.discard(request_id or "")

    async def _carry_out(self, frame: ClientFrame) -> None:
        engine, owner = self._engine, self._owner
        match frame:
            case Stop():
                results = await engine.stop(owner, frame)
                target = frame.model_dump(include={"message_id", "request_id", "chat_id", "all"})
                self._answer(StopResults(results=results, **target))
            case Send():
                if frame.chat_id is not None:
                    self._follow(frame.chat_id)
                self._accepted(await engine.send(owner, frame))
            case Open():
                await self._open(frame)
            case Close():
                self._unfollow(frame.chat_id)
            case Continue():
                self._accepted(await engine.continue_(owner, frame))
            case Regenerate():
                self._accepted(await engine.regenerate(owner, frame))
            case Edit():
                self._accepted(await engine.edit(owner, frame))
            case Unqueue():
                await engine.unqueue(owner, frame)
            case Reorder():
                await engine.reorder(owner, frame)
            case Resume():
                await engine.resume(owner, frame)

    def _accepted(self, accepted: Accepted) -> None:
        """Answer a request; a follower of the chat has had this answer with the others."""
        if accepted.request_id in self._unanswered:
            self._follow(accepted.chat_id)
            self._hear(accepted)
            generation = self._engine.generation(accepted.message.id)
            if generation is not None:
                self._hear(MessageMoved(generation.snapshot(), generation))
                self._hear(TextGrew(generation))

    async def _open(self, frame: Open) -> None:
        """Answer with the chat, then pass on what changed while it was read."""
        chat_id = frame.chat_id
        self._unfollow(chat_id)
        held: list[Change] = []
        following = self._follow(chat_id, held)
        try:
            chat = await self._engine.chat(self._owner, chat_id)
            messages = await self._engine.store.get_messages(chat_id)
        except BaseException:
            self._unfollow(chat_id)
            raise
        if self._chats.get(chat_id) is not following:
            return  # closed, or opened again, meanwhile
        offsets = frame.offsets if frame.epoch == self._engine.epoch else {}
        known = {message.id for message in messages}
        shown: list[Message] = []
        for message in messages:
            generation = self._engine.generation(message.id)
            if generation is not None:
                message = generation.snapshot()  # noqa: PLW2901
                self._lanes[message.id] = _Lane(
                    generation, message.text_length, generation.reasoning.length
                )
            shown.append(_tail(message, offsets.get(message.id)))
        self._put("", ChatChanged(chat=chat, messages=tuple(shown)))
        following.held = None
        for change in held:
            if not (isinstance(change, Accepted) and change.message.id in known):
                self._hear(change)

    def _follow(self, chat_id: str, held: list[Change] | None = None) -> _Following:
        following = self._chats.get(chat_id)
        if following is None:
            following = self._chats[chat_id] = _Following(self._hear, held)
            self._engine.bus.follow(chat_id, following.tell)
        return following

    def _unfollow(self, chat_id: str) -> None:
        following = self._chats.pop(chat_id, None)
        if following is None:
            return
        self._engine.bus.unfollow(chat_id, following.tell)
        for message_id, lane in list(self._lanes.items()):
            if lane.generation is not None and lane.generation.chat_id == chat_id:
                del self._lanes[message_id]

    # --- to the client -----------------------------------------------------------------------

    def _hear_owner(self, change: Change) -> None:
        if isinstance(change, ChatChanged):
            self._put("", change)

    def _hear(self, change: Change) -> None:
        """Queue what is to be written; text is only marked, and read when it is written."""
        match change:
            case TextGrew(generation):
                lane = self._lane(generation.id)
                lane.generation = generation
                if not lane.entries or lane.entries[-1] is not None:
                    lane.entries.append(None)
                    self._make_ready(generation.id)
            case MessageMoved(message, generation):
                lane = self._lane(message.id)
                if generation is not None:
                    lane.generation = generation
                    if message.state in TERMINAL:
                        lane.entries.append(None)
                self._put(message.id, change)
            case Accepted():
                self._unanswered.discard(change.request_id)
                self._put(change.message.id, change)
            case ChatChanged():
                self._put("", change)
            case _:
                self._put(change.message_id, change)

    def _lane(self, message_id: str) -> _Lane:
        lane = self._lanes.get(message_id)
        if lane is None:
            lane = self._lanes[message_id] = _Lane()
        return lane

    def _put(self, lane_id: str, entry: BaseModel | MessageMoved) -> None:
        self._lane(lane_id).entries.append(entry)
        self._make_ready(lane_id)

    def _make_ready(self, lane_id: str) -> None:
        if lane_id not in self._ready:
            self._ready.append(lane_id)
        self._wake.set()

    def _answer(self, frame: BaseModel) -> None:
        self._answers.append(frame)
        self._wake.set()

    async def _write_all(self) -> None:
        """Write what there is to write, lane by lane, until the socket ends."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                turn_began = loop.time()
                while (frame := self._next()) is not None:
                    async with asyncio.timeout(STALLED_AFTER):
                        await self._write(encode(frame))
                    if loop.time() - turn_began > WRITER_BUDGET:
                        await asyncio.sleep(0)
                        turn_began = loop.time()
        except TimeoutError:
            self._close(STALLED_CODE, "The client does not read.")
        except Exception:
            log.debug("a socket ended while it was written to", exc_info=True)
            self._close(1011, "")

    def _next(self) -> BaseModel | None:
        """Return the next frame: an answer, or the next of the lane whose turn it is."""
        while self._ready:
            if self._answers and not self._answer_waits():
                return self._answers.popleft()
            lane_id = self._ready.popleft()
            lane = self._lanes.get(lane_id)
            if lane is None or not lane.entries:
                continue
            frame = self._next_of(lane)
            if lane.entries:
                self._ready.append(lane_id)
            elif lane.generation is None or lane.generation.state in TERMINAL:
                self._lanes.pop(lane_id, None)
            if frame is not None:
                return frame
        return self._answers.popleft() if self._answers else None

    def _answer_waits(self) -> bool:
        """Keep a stop's answer behind the terminal frame that it speaks of."""
        answer = self._answers[0]
        if not isinstance(answer, StopResults):
            return False
        return any(result.message_id in self._ready for result in answer.results)

    def _next_of(self, lane: _Lane) -> BaseModel | None:
        entry = lane.entries[0]
        if entry is None:
            delta = self._next_delta(lane)
            if delta is None:
                lane.entries.popleft()
            return delta
        lane.entries.popleft()
        if isinstance(entry, MessageMoved):
            return MessageChanged(message=_tail(entry.message, self._written(lane, entry)))
        if isinstance(entry, Accepted):
            lane.cursor = entry.message.text_length
        return entry

    @staticmethod
    def _written(lane: _Lane, entry: MessageMoved) -> int | None:
        """Return how much of a message's text this client was sent, if it was sent by deltas."""
        return None if lane.generation is None else max(lane.cursor, 0)

    def _next_delta(self, lane: _Lane) -> Delta | None:
        generation = lane.generation
        if generation is None:
            return None
        part, offset, buffer = "reasoning", lane.reasoning_cursor, generation.reasoning
        text = buffer.read(offset, MAX_DELTA)
        if text:
            lane.reasoning_cursor += utf16_length(text)
        else:
            part, offset, buffer = "text", lane.cursor, generation.text
            text = buffer.read(offset, MAX_DELTA)
            lane.cursor += utf16_length(text)
        if not text:
            return None
        frame: dict[str, Any] = {"offset": offset, "text": text, "part": part}
        return Delta(message_id=generation.id, **frame)


def _tail(message: Message, have: int | None) -> Message:
    """Leave out the text that a client has."""
    if have is None:
        return message
    start = min(have, message.text_length)
    return message.model_copy(
        update={"text": utf16_slice(message.text, start), "text_offset": start}
    )
