"""One reply as a stream of events, read from a cursor in its text.

It knows no Tornado: what writes the events asks for the next one when it can write, so a slow
reader gets fewer and larger deltas, and costs no memory.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from jupyter_stop_chat.engine import Engine
from jupyter_stop_chat.engine.changes import Change, MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.http import StreamStart
from jupyter_stop_chat.wire.objects import TERMINAL, Message
from jupyter_stop_chat.wire.server_frames import (
    Accepted,
    ChatChanged,
    Delta,
    MessageChanged,
    Thought,
    Tool,
    error_frame,
)
from jupyter_stop_chat.wire.utf16 import TextBuffer, same_length, utf16_length, utf16_slice

#: The largest delta, in UTF-16 code units.
MAX_DELTA = 16 * 1024


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One server-sent event; nothing follows the `last`."""

    name: str
    content: BaseModel
    last: bool = False

    def encode(self) -> str:
        """Write the event as it goes over the wire; JSON has no line breaks of its own."""
        return f"event: {self.name}\ndata: {encode(self.content)}\n\n"


class ReplyStream:
    """What tells of one reply from its start to its end.

    :param accepted: the answer to the request that the reply is made for.
    """

    def __init__(self, engine: Engine, accepted: Accepted) -> None:
        self._engine = engine
        self._accepted = accepted
        message = accepted.message
        self._generation: Generation | None = engine.generation(message.id)
        self._ended: Message | None = message if message.state in TERMINAL else None
        self._text = TextBuffer(message.text)
        self._reasoning = TextBuffer(message.reasoning or "")
        self._cursor = {"text": 0, "reasoning": 0}
        self._thoughts_told = 0
        calls = message.tools
        if self._generation is not None:
            calls = tuple(self._generation.tools.values())
        self._calls = {call.call_id: call for call in calls}
        self._tools: deque[Tool] = deque(
            Tool(message_id=message.id, **call.model_dump()) for call in calls
        )
        self._started = False
        self._news = asyncio.Event()
        self._watching: asyncio.Future[Message] | None = None
        self._deleted = False
        self._thought_from: list[int] = []
        #: Text that another process made was not told: it is read before anything else is told.
        self._lacks = self._lacks_more = False
        self._unread: ErrorCode | None = None
        if self._generation is not None:
            self._watching = self._generation.settled
            self._watching.add_done_callback(self._wake)
        if self._ended is None:
            engine.bus.follow(accepted.chat_id, self._hear)

    def close(self) -> None:
        """Listen no longer; what is generated goes on."""
        self._engine.bus.unfollow(self._accepted.chat_id, self._hear)
        if self._watching is not None:
            self._watching.remove_done_callback(self._wake)

    async def news(self) -> None:
        """Wait until there may be another event."""
        if not self._lacks:
            await self._news.wait()
        if self._lacks:
            await self._read_all()

    async def _read_all(self) -> None:
        """Read what was not told, of a text that grew by much at once.

        More may be told meanwhile: then it is read again.
        """
        self._lacks_more = False
        try:
            message = await self._engine.store.get_message(self._accepted.message.id)
        except StopChatError as error:
            self._unread = error.code
            return
        self._lacks = self._lacks_more
        if message is None:
            self._deleted, self._ended = True, None
        else:
            self._take(message)

    def next(self) -> StreamEvent | None:
        """Return the next event, or None when there is none yet."""
        self._news.clear()
        if not self._started:
            self._started = True
            return StreamEvent("start", self._start())
        if (thought := self._thought()) is not None:
            return StreamEvent("thought", thought)
        delta = self._delta("reasoning") or self._delta("text")
        if delta is not None:
            return StreamEvent("delta", delta)
        if self._unread is not None:
            return self._lost(self._unread)
        if self._lacks:
            return None
        if self._tools:
            return StreamEvent("tool", self._tools.popleft())
        return self._end()

    def _start(self) -> StreamStart:
        accepted = self._accepted
        return StreamStart(
            request_id=accepted.request_id,
            chat_id=accepted.chat_id,
            message_id=accepted.message.id,
            user_message_id=accepted.user_message.id,
            model=accepted.message.model,
        )

    def _thought(self) -> Thought | None:
        source = self._generation
        begins = source.thought_from if source is not None else self._thought_from
        if self._thoughts_told == len(begins):
            return None
        begin = min(begins[self._thoughts_told :])
        self._thoughts_told = len(begins)
        self._cursor["text"] = min(self._cursor["text"], begin)
        return Thought(message_id=self._accepted.message.id, text_length=begin)

    def _delta(self, part: Literal["text", "reasoning"]) -> Delta | None:
        source = self._generation
        if source is not None:
            buffer = source.text if part == "text" else source.reasoning
        else:
            buffer = self._text if part == "text" else self._reasoning
        offset = self._cursor[part]
        text = buffer.read(offset, MAX_DELTA)
        if not text:
            return None
        self._cursor[part] = offset + utf16_length(text)
        return Delta(message_id=self._accepted.message.id, offset=offset, text=text, part=part)

    def _end(self) -> StreamEvent | None:
        """Return the last event, once the reply has its terminal state."""
        settled = self._watching
        if settled is not None and settled.done():
            if settled.cancelled():  # deleted meanwhile
                return self._lost(ErrorCode.UNKNOWN_MESSAGE)
            self._ended = settled.result()
        if self._ended is None:
            return self._lost(ErrorCode.UNKNOWN_MESSAGE) if self._deleted else None
        return StreamEvent(
            str(self._ended.state), MessageChanged(message=self._told(self._ended)), last=True
        )

    def _lost(self, code: ErrorCode) -> StreamEvent:
        error = error_frame(code, request_id=self._accepted.request_id)
        return StreamEvent("failed", error, last=True)

    @staticmethod
    def _told(message: Message) -> Message:
        """Leave out the text, which the deltas told; `text_length` says where it ends."""
        return message.model_copy(
            update={"text": "", "text_offset": message.text_length, "reasoning": None}
        )

    def _hear(self, change: Change) -> None:
        message_id = self._accepted.message.id
        match change:
            case Tool():
                if change.message_id != message_id:
                    return
                self._tools.append(change)
            case MessageMoved(message) if self._generation is None and message.id == message_id:
                self._hear_from_elsewhere(message)
            case Thought() if self._generation is None and change.message_id == message_id:
                self._text.cut(change.text_length)
                self._thought_from.append(change.text_length)
            case ChatChanged() if self._generation is None and change.deleted:
                self._deleted = True
        self._news.set()

    def _hear_from_elsewhere(self, message: Message) -> None:
        """Hear what another process made of it: the text from where it was known, and its end."""
        end = message.text_offset + utf16_length(message.text)
        if message.text_offset > self._text.length or end < message.text_length:
            self._lacks = self._lacks_more = True
        else:
            self._text.cut(message.text_offset)
            self._text.append(message.text)
        self._hear_beside(message)

    def _take(self, message: Message) -> None:
        """Take a message as it was read: what was told of its text stays, unless it changed."""
        same = same_length(message.text, str(self._text))
        if same < min(self._text.length, message.text_length):
            self._thought_from.append(same)
        self._text.cut(same)
        self._text.append(utf16_slice(message.text, same))
        self._hear_beside(message)

    def _hear_beside(self, message: Message) -> None:
        if message.reasoning is not None:
            self._reasoning = TextBuffer(message.reasoning)
        for call in message.tools:
            if self._calls.get(call.call_id) != call:
                self._calls[call.call_id] = call
                self._tools.append(Tool(message_id=message.id, **call.model_dump()))
        if message.state in TERMINAL:
            self._ended = message

    def _wake(self, settled: asyncio.Future[Message]) -> None:
        self._news.set()
