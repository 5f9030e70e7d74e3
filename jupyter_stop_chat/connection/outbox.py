"""The outbox: what is to be written to one client, and the one task that writes it.

Text is never copied for a client: the writer reads it from a cursor when it can write, so a slow
reader gets fewer and larger deltas, and costs no memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message
from jupyter_stop_chat.wire.server_frames import (
    Accepted,
    ChatChanged,
    Delta,
    MessageChanged,
    Messages,
    StopResults,
    Thought,
    Tool,
)
from jupyter_stop_chat.wire.utf16 import utf16_length

from .opening import Opening, bare, tail

log = logging.getLogger(__name__)

#: The largest delta, in UTF-16 code units: a stop's answer never waits behind a huge frame.
MAX_DELTA = 16 * 1024
#: A turn of the writer gives the loop back after this long, in seconds.
WRITER_BUDGET = 0.005
#: A reader without progress for this long is closed, in seconds: for each so many characters.
STALLED_AFTER = 15.0
STALLED_CHARACTERS = 64 * 1024
#: The close code of a reader that does not read: "try again later" (RFC 6455's registry).
STALLED_CODE = 1013
#: While so many answers wait for the reader, no further frame of it is read.
FULL = 256
#: So many may wait all the same: what was in work then is answered as well.
MAX_ANSWERS = 1000


@dataclass(slots=True)
class _Lane:
    """What is to be written of one message, in order; a generation stands for its text.

    :ivar cursor: how much of the text the client was sent or has, in UTF-16 code units; None
        before anything was told.
    :ivar thoughts_told: how often the client was told that text was a thought.
    """

    chat_id: str
    generation: Generation | None = None
    cursor: int | None = None
    reasoning_cursor: int = 0
    thoughts_told: int = 0
    entries: deque[Generation | MessageMoved | Accepted | Tool | Thought] = field(
        default_factory=deque
    )


class Outbox:
    """What writes frames to one client: answers first, then of each message in turn.

    :param write: writes one text frame and returns once the client's side has taken it.
    :param on_end: told the close code and the reason when the client does not read, or is gone.
    :param stalled_after: how long the client may make no progress, in seconds.
    :param on_room: told when it is no longer full.
    """

    def __init__(
        self,
        write: Callable[[str], Awaitable[None]],
        on_end: Callable[[int, str], None],
        stalled_after: float = STALLED_AFTER,
        on_room: Callable[[], None] = lambda: None,
    ) -> None:
        self._write = write
        self._on_end = on_end
        self._on_room = on_room
        self._stalled_after = stalled_after
        self._answers: deque[BaseModel] = deque()
        #: Each waits for the last frame of the messages that it speaks of.
        self._stopped: deque[StopResults] = deque()
        #: The newest state of each chat that changed.
        self._chats: dict[str, ChatChanged] = {}
        #: Of the chats that were opened, what comes before the messages that were listed.
        self._openings: dict[str, Opening] = {}
        self._lanes: dict[str, _Lane] = {}
        #: The lanes with something to write, in turn.
        self._ready: deque[str] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        self._task = asyncio.create_task(self._write_all(), name="stop-chat writer")

    def end(self) -> None:
        """Write nothing more."""
        self._ended = True
        for kept in (self._answers, self._stopped, self._chats, self._openings):
            kept.clear()
        self._lanes.clear()
        self._ready.clear()
        self._task.cancel()

    @property
    def full(self) -> bool:
        """Tell whether so much waits that its reader should be asked nothing more."""
        return len(self._answers) + len(self._stopped) >= FULL

    # --- what is to be written ---------------------------------------------------------------

    def answer(self, frame: BaseModel) -> None:
        """Write an answer: before all else, except that a stop's follows what it speaks of."""
        if self._ended:
            return
        if isinstance(frame, StopResults):
            self._stopped.append(frame)
        else:
            self._answers.append(frame)
        if len(self._answers) + len(self._stopped) > MAX_ANSWERS:
            self._give_up()
        self._wake.set()

    def chat(self, frame: ChatChanged) -> None:
        """Tell of a chat; of an older state that has not been told, nothing is."""
        if not self._ended:
            self._chats[frame.chat.id] = frame
            self._wake.set()

    def answer_open(self, chat: Chat, opening: Opening) -> None:
        """Answer with a chat and its messages; what comes next of each begins where they end."""
        self._chats.pop(chat.id, None)
        self.drop(chat.id)
        for generation, cursor, reasoning_cursor in opening.making:
            lane = self._lanes[generation.id] = _Lane(generation.chat_id, generation)
            lane.cursor, lane.reasoning_cursor = cursor, reasoning_cursor
        earlier = opening.earlier or None
        self.answer(ChatChanged(chat=chat, messages=tuple(opening.messages), earlier=earlier))
        if earlier and not self._ended:
            self._openings[chat.id] = opening
        for generation, _, _ in opening.making:
            self.text(generation)

    def text(self, generation: Generation) -> None:
        """Write what there is of a text, once its turn comes."""
        if generation.state in TERMINAL:
            return  # all of it goes out before its last frame
        lane = self._lane(generation.id, generation.chat_id)
        lane.generation = generation
        if not lane.entries or lane.entries[-1] is not generation:
            self._put(generation.id, lane, generation)

    def moved(self, change: MessageMoved, *, has_text: bool) -> None:
        """Tell of a message's state, behind all text that it had then.

        :param has_text: the client has the text of a message that had ended before.
        """
        message, generation = change.message, change.generation
        lane = self._lane(message.id, message.chat_id)
        if change.placed:
            pass
        elif generation is not None:
            lane.generation = generation
            if message.state in TERMINAL:
                self._put(message.id, lane, generation)
            message = bare(message, 0)
        elif message.role == "assistant" and message.state in TERMINAL and has_text:
            message = bare(message, message.text_length)
        else:
            message = tail(message)
        self._put(message.id, lane, MessageMoved(message, generation))

    def accepted(
        self, accepted: Accepted, generation: Generation | None, *, has_text: bool
    ) -> None:
        """Tell that a request was accepted.

        :param has_text: the client has the text that the reply goes on from.
        """
        message = accepted.message
        lane = self._lane(message.id, message.chat_id)
        if generation is not None:
            lane.generation = generation
            message = bare(message, message.text_length if has_text else 0)
        else:
            message = tail(message)
        self._put(message.id, lane, accepted.model_copy(update={"message": message}))

    def beside(self, chat_id: str, frame: Tool | Thought) -> None:
        """Tell of a tool call, or that text which another process made was a thought."""
        self._put(frame.message_id, self._lane(frame.message_id, chat_id), frame)

    def drop(self, chat_id: str) -> None:
        """Write nothing more of a chat's messages, except what was answered."""
        self._openings.pop(chat_id, None)
        for message_id, lane in list(self._lanes.items()):
            if lane.chat_id == chat_id:
                del self._lanes[message_id]
                for entry in lane.entries:
                    if isinstance(entry, Accepted):
                        self.answer(entry)
        self._ready = deque(each for each in self._ready if each in self._lanes)

    def _lane(self, message_id: str, chat_id: str) -> _Lane:
        lane = self._lanes.get(message_id)
        if lane is None:
            lane = _Lane(chat_id)
            if not self._ended:
                self._lanes[message_id] = lane
        return lane

    def _put(
        self,
        message_id: str,
        lane: _Lane,
        entry: Generation | MessageMoved | Accepted | Tool | Thought,
    ) -> None:
        if self._ended:
            return
        first = not lane.entries
        lane.entries.append(entry)
        if first and isinstance(entry, Generation):
            self._ready.append(message_id)
        elif first:
            self._ready.appendleft(message_id)  # small, and news
        self._wake.set()

    # --- the writer --------------------------------------------------------------------------

    async def _write_all(self) -> None:
        """Write what there is to write until the socket ends."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                turn_began = loop.time()
                while (frame := self._next()) is not None:
                    if not self.full:
                        self._on_room()
                    text = encode(frame)
                    patience = self._stalled_after * max(1.0, len(text) / STALLED_CHARACTERS)
                    async with asyncio.timeout(patience):
                        await self._write(text)
                    if loop.time() - turn_began > WRITER_BUDGET:
                        await asyncio.sleep(0)
                        turn_began = loop.time()
        except TimeoutError:
            self._give_up()
        except Exception:
            log.debug("a socket ended while it was written to", exc_info=True)
            self._on_end(1011, "")

    def _give_up(self) -> None:
        self._on_end(STALLED_CODE, "The client does not read.")

    def _next(self) -> BaseModel | None:
        """Return the next frame, or None."""
        if self._answers:
            return self._answers.popleft()
        if self._chats:
            return self._chats.pop(next(iter(self._chats)))
        for results in self._stopped:
            if not any(self._is_pending(result.message_id) for result in results.results):
                self._stopped.remove(results)
                return results
        stopped = self._next_stopped()
        if stopped is not None:
            return stopped
        if self._openings:  # before what changes in them, which the lanes tell
            return self._next_page(next(iter(self._openings)))
        while self._ready:
            frame = self._next_in(self._ready.popleft())
            if frame is not None:
                return frame
        # A lane with nothing in it may just have been the last that a stop's answer waited for.
        return self._stopped.popleft() if self._stopped else None

    def _next_stopped(self) -> BaseModel | None:
        """Return what a stop's answer waits for, so that it waits for nothing else.

        It never is the rest of another chat's list, nor of its own once the message was listed.
        """
        for message_id in [each.message_id for one in self._stopped for each in one.results]:
            while message_id is not None and self._is_pending(message_id):
                chat_id = self._lanes[message_id].chat_id
                opening = self._openings.get(chat_id)
                if opening is not None and opening.lacks(message_id):
                    return self._next_page(chat_id)
                self._ready.remove(message_id)
                frame = self._next_in(message_id)
                if frame is not None:
                    return frame
        return None

    def _next_in(self, message_id: str) -> BaseModel | None:
        """Return the next frame of a message whose turn it is, and give it its next turn."""
        lane = self._lanes.get(message_id)
        if lane is None or not lane.entries:
            return None
        frame = self._next_of(lane)
        while lane.entries and _is_drained(lane, lane.entries[0]):
            lane.entries.popleft()
        if lane.entries and isinstance(lane.entries[0], MessageMoved | Accepted):
            self._ready.appendleft(message_id)  # small, and news
        elif lane.entries:
            self._ready.append(message_id)
        elif lane.generation is None or lane.generation.state in TERMINAL:
            del self._lanes[message_id]
        return frame

    def _next_page(self, chat_id: str) -> Messages:
        opening = self._openings[chat_id]
        page = tuple(opening.next_page())
        if opening.earlier == 0:
            del self._openings[chat_id]
        return Messages(chat_id=chat_id, messages=page, earlier=opening.earlier)

    def _is_pending(self, message_id: str | None) -> bool:
        lane = self._lanes.get(message_id or "")
        return lane is not None and bool(lane.entries)

    def _next_of(self, lane: _Lane) -> BaseModel | None:
        entry = lane.entries[0]
        if isinstance(entry, Generation):
            told = _thought(lane, entry) or _next_delta(lane, entry)
            if told is None:
                lane.entries.popleft()
            return told
        lane.entries.popleft()
        if isinstance(entry, MessageMoved):
            return MessageChanged(message=_moved(lane, entry))
        if isinstance(entry, Accepted):
            return entry.model_copy(update={"message": _placed(lane, entry.message)})
        return entry


def _is_drained(lane: _Lane, entry: object) -> bool:
    """Tell whether an entry is a text of which everything was sent."""
    return (
        isinstance(entry, Generation)
        and lane.thoughts_told == len(entry.thought_from)
        and (lane.cursor or 0) >= entry.text.length
        and lane.reasoning_cursor >= entry.reasoning.length
    )


def _thought(lane: _Lane, generation: Generation) -> Thought | None:
    """Tell where the text ends again, if its end was a thought since this was told last."""
    begins = generation.thought_from[lane.thoughts_told :]
    if not begins:
        return None
    begin = min(begins)
    lane.thoughts_told += len(begins)
    lane.cursor = min(lane.cursor or 0, begin)
    return Thought(message_id=generation.id, text_length=begin)


def _next_delta(lane: _Lane, generation: Generation) -> Delta | None:
    """Read on from a lane's cursor."""
    part: Literal["text", "reasoning"] = "reasoning"
    offset = lane.reasoning_cursor
    text = generation.reasoning.read(offset, MAX_DELTA)
    if text:
        lane.reasoning_cursor += utf16_length(text)
    else:
        part, offset = "text", lane.cursor or 0
        text = generation.text.read(offset, MAX_DELTA)
        lane.cursor = offset + utf16_length(text)
    return Delta(message_id=generation.id, offset=offset, text=text, part=part) if text else None


def _moved(lane: _Lane, entry: MessageMoved) -> Message:
    """Make a message begin where the text that was sent of it ends."""
    message = entry.message
    if entry.generation is None:
        return message
    offset = min(lane.cursor or 0, message.text_length)
    message = message.model_copy(update={"text_offset": offset, **_reasoning_to_come(lane)})
    if message.state in TERMINAL:
        lane.cursor, lane.reasoning_cursor = None, 0
    return message


def _placed(lane: _Lane, message: Message) -> Message:
    """Make an accepted reply begin where the client has its text end, and deltas go on."""
    if message.state in TERMINAL:
        return message
    if lane.cursor is None:
        lane.cursor = message.text_offset
        if message.text_offset and lane.generation is not None:
            lane.reasoning_cursor = lane.generation.reasoning_before
        return message.model_copy(update=_reasoning_to_come(lane))
    offset = min(lane.cursor, message.text_length)
    return message.model_copy(update={"text_offset": offset, **_reasoning_to_come(lane)})


def _reasoning_to_come(lane: _Lane) -> dict[str, str]:
    """Return what tells a client that had followed before: deltas bring all reasoning again."""
    made = lane.generation
    if made is None or lane.reasoning_cursor > 0 or made.reasoning.length == 0:
        return {}
    return {"reasoning": ""}
