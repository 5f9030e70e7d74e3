"""The outbox: what is to be written to one client, and in which order.

Text is never copied for a client: the writer reads it from a cursor when it can write, so a slow
reader gets fewer and larger deltas, and costs no memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from pydantic import BaseModel

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.objects import TERMINAL, Chat
from jupyter_stop_chat.wire.server_frames import (
    Accepted,
    ChatChanged,
    Messages,
    StopResults,
    Thought,
    Tool,
)

from .backlog import Backlog, Entry
from .opening import Opening, bare, tail

log = logging.getLogger(__name__)

#: A turn of the writer gives the loop back after this long, in seconds: a stop takes ten turns of
#: the loop, and waits in each of them for what all others do there.
WRITER_BUDGET = 0.001
#: A reader without progress for this long is closed, in seconds: for each so many characters.
STALLED_AFTER = 15.0
STALLED_CHARACTERS = 64 * 1024
#: The close code of a reader that does not read: "try again later" (RFC 6455's registry).
STALLED_CODE = 1013
#: While so many answers wait for the reader, no further frame of it is read.
FULL = 256
#: So many may wait all the same: what was in work then is answered as well.
MAX_ANSWERS = 1000


class Outbox:
    """What writes frames to one client: answers first, then of each message in turn.

    :param write: writes one text frame, or keeps it until `send`; returns what to wait for until
        the client's side has taken what was written, or None where it has.
    :param on_end: told the close code and the reason when the client does not read, or is gone.
    :param stalled_after: how long the client may make no progress, in seconds.
    :param on_room: told when it is no longer full.
    :param send: sends what `write` has kept, and returns the same.
    """

    def __init__(
        self,
        write: Callable[[str], Awaitable[None] | None],
        on_end: Callable[[int, str], None],
        stalled_after: float = STALLED_AFTER,
        on_room: Callable[[], None] = lambda: None,
        send: Callable[[], Awaitable[None] | None] = lambda: None,
    ) -> None:
        self._write = write
        self._send = send
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
        self._backlogs: dict[str, Backlog] = {}
        #: The messages with something to write, in turn.
        self._ready: deque[str] = deque()
        self._loop = asyncio.get_running_loop()
        #: It writes in a moment, or waits until the client's side has taken a frame, or else...
        self._writing = False
        #: What will write, while it writes in a moment.
        self._soon: asyncio.Handle | None = None
        self._taken: asyncio.Future[None] | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._ended = False

    def end(self) -> None:
        """Write nothing more."""
        self._ended = True
        for kept in (self._answers, self._stopped, self._chats, self._openings):
            kept.clear()
        self._backlogs.clear()
        self._ready.clear()
        if self._patience is not None:
            self._patience.cancel()
        if self._taken is not None:
            self._taken.cancel()

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
        self._write_soon()

    def chat(self, frame: ChatChanged) -> None:
        """Tell of a chat; the newest state replaces one that was not told yet."""
        if not self._ended:
            self._chats[frame.chat.id] = frame
            self._write_soon()

    def answer_open(self, chat: Chat, opening: Opening) -> None:
        """Answer with a chat and its messages; what comes next of each begins where they end."""
        self._chats.pop(chat.id, None)
        self.drop(chat.id)
        for generation, cursor, reasoning_cursor in opening.making:
            backlog = self._backlogs[generation.id] = Backlog(generation.chat_id, generation)
            backlog.cursor, backlog.reasoning_cursor = cursor, reasoning_cursor
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
        backlog = self._backlog(generation.id, generation.chat_id)
        backlog.generation = generation
        if not backlog.entries or backlog.entries[-1] is not generation:
            self._put(generation.id, backlog, generation)

    def moved(self, change: MessageMoved, *, has_text: bool) -> None:
        """Tell of a message's state, behind all text that it had then.

        :param has_text: the client has the text of a message that had ended before.
        """
        message, generation = change.message, change.generation
        backlog = self._backlog(message.id, message.chat_id)
        if change.carries_text:
            pass
        elif generation is not None:
            backlog.generation = generation
            if message.state in TERMINAL:
                self._put(message.id, backlog, generation)
            message = bare(message, 0)
        elif message.role == "assistant" and message.state in TERMINAL and has_text:
            message = bare(message, message.text_length)
        else:
            message = tail(message)
        self._put(message.id, backlog, MessageMoved(message, generation))
        if generation is not None and message.state in TERMINAL and self._soon is not None:
            # Whoever pressed Stop waits for it: what else its end leads to is done behind it, and
            # what others say is written behind it.
            self._soon.cancel()
            if message.id in self._ready:
                self._ready.remove(message.id)
                self._ready.appendleft(message.id)
            self._write_on()

    def accepted(
        self, accepted: Accepted, generation: Generation | None, *, has_text: bool
    ) -> None:
        """Tell that a request was accepted.

        :param has_text: the client has the text that the reply goes on from.
        """
        message = accepted.message
        backlog = self._backlog(message.id, message.chat_id)
        if generation is not None:
            backlog.generation = generation
            message = bare(message, message.text_length if has_text else 0)
        else:
            message = tail(message)
        self._put(message.id, backlog, accepted.model_copy(update={"message": message}))

    def beside(self, chat_id: str, frame: Tool | Thought) -> None:
        """Tell of a tool call, or that text which another process made was a thought."""
        self._put(frame.message_id, self._backlog(frame.message_id, chat_id), frame)

    def drop(self, chat_id: str) -> None:
        """Write nothing more of a chat's messages, except what was answered."""
        self._openings.pop(chat_id, None)
        for message_id, backlog in list(self._backlogs.items()):
            if backlog.chat_id == chat_id:
                del self._backlogs[message_id]
                for entry in backlog.entries:
                    if isinstance(entry, Accepted):
                        self.answer(entry)
        self._ready = deque(each for each in self._ready if each in self._backlogs)

    def _backlog(self, message_id: str, chat_id: str) -> Backlog:
        backlog = self._backlogs.get(message_id)
        if backlog is None:
            backlog = Backlog(chat_id)
            if not self._ended:
                self._backlogs[message_id] = backlog
        return backlog

    def _put(
        self,
        message_id: str,
        backlog: Backlog,
        entry: Entry,
    ) -> None:
        if self._ended:
            return
        first = not backlog.entries
        backlog.entries.append(entry)
        if first and isinstance(entry, Generation):
            self._ready.append(message_id)
        elif first:
            self._ready.appendleft(message_id)  # small, and news
        self._write_soon()

    # --- the writer --------------------------------------------------------------------------

    def _write_soon(self) -> None:
        """Write in a moment: what else comes in this turn of the loop has its place then."""
        if not self._writing and not self._ended:
            self._writing = True
            self._soon = self._loop.call_soon(self._write_on)

    def _write_on(self) -> None:
        """Write what there is to write, as long as the client's side takes it at once."""
        self._soon = None
        began = self._loop.time()
        size, is_over = 0, False
        try:
            while not is_over and (frame := self._next()) is not None:
                if not self.full:
                    self._on_room()
                text = encode(frame)
                size += len(text)
                taken = self._write(text)
                if taken is not None:
                    self._wait_for(taken, size)
                    return
                is_over = self._loop.time() - began > WRITER_BUDGET
            taken = self._send()
            if taken is not None:
                self._wait_for(taken, size)
                return
        except Exception:  # noqa: BLE001 - whatever it is, nobody reads any more
            is_over = False
            self._lose()
        if is_over:
            self._soon = self._loop.call_soon(self._write_on)
        else:
            self._writing = False

    def _wait_for(self, taken: Awaitable[None], size: int) -> None:
        """Write on once a frame is taken, or give up.

        :param size: in characters; a large one may take longer.
        """
        patience = self._stalled_after * max(1.0, size / STALLED_CHARACTERS)
        self._patience = self._loop.call_later(patience, self._give_up)
        self._taken = asyncio.ensure_future(taken)
        self._taken.add_done_callback(self._was_taken)

    def _was_taken(self, taken: asyncio.Future[None]) -> None:
        assert self._patience is not None
        self._patience.cancel()
        if taken.cancelled():
            return
        try:
            taken.result()
        except Exception:  # noqa: BLE001 - whatever it is, nobody reads any more
            self._lose()
        else:
            self._write_on()

    def _lose(self) -> None:
        log.debug("a socket ended while it was written to", exc_info=True)
        self._on_end(1011, "")

    def _give_up(self) -> None:
        self._on_end(STALLED_CODE, "The client does not read.")

    def _next(self) -> BaseModel | None:
        """Return the next frame, or None."""
        if self._answers:
            return self._answers.popleft()
        while self._chats and self._ends_next():
            # Before what that does to its chat: somebody may wait for it.
            frame = self._next_in(self._ready.popleft())
            if frame is not None:
                return frame
        if self._chats:
            return self._chats.pop(next(iter(self._chats)))
        for results in self._stopped:
            if not any(self._is_pending(result.message_id) for result in results.results):
                self._stopped.remove(results)
                return results
        stopped = self._next_stopped()
        if stopped is not None:
            return stopped
        if self._openings:  # before what changes in them, which the backlogs tell
            return self._next_page(next(iter(self._openings)))
        while self._ready:
            frame = self._next_in(self._ready.popleft())
            if frame is not None:
                return frame
        # A backlog with nothing in it may just have been the last that a stop's answer waited for.
        return self._stopped.popleft() if self._stopped else None

    def _next_stopped(self) -> BaseModel | None:
        """Return what a stop's answer waits for, so that it waits for nothing else.

        It never is the rest of another chat's list, nor of its own once the message was listed.
        """
        for message_id in [each.message_id for one in self._stopped for each in one.results]:
            while message_id is not None and self._is_pending(message_id):
                chat_id = self._backlogs[message_id].chat_id
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
        backlog = self._backlogs.get(message_id)
        if backlog is None or not backlog.entries:
            return None
        frame = backlog.next_frame()
        if backlog.entries and isinstance(backlog.entries[0], MessageMoved | Accepted):
            self._ready.appendleft(message_id)  # small, and news
        elif backlog.entries:
            self._ready.append(message_id)
        elif backlog.generation is None or backlog.generation.state in TERMINAL:
            del self._backlogs[message_id]
        return frame

    def _ends_next(self) -> bool:
        """Tell whether the end of a message, and little before it, is the next of the messages."""
        if self._openings or not self._ready:
            return False
        backlog = self._backlogs.get(self._ready[0])
        if backlog is None or not 1 <= len(backlog.entries) <= 2:
            return False
        entry = backlog.entries[-1]
        return isinstance(entry, MessageMoved) and entry.message.state in TERMINAL

    def _next_page(self, chat_id: str) -> Messages:
        opening = self._openings[chat_id]
        page = tuple(opening.next_page())
        if opening.earlier == 0:
            del self._openings[chat_id]
        return Messages(chat_id=chat_id, messages=page, earlier=opening.earlier)

    def _is_pending(self, message_id: str | None) -> bool:
        backlog = self._backlogs.get(message_id or "")
        return backlog is not None and bool(backlog.entries)
