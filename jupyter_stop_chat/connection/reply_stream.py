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
from jupyter_stop_chat.engine.changes import Change
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.errors import ErrorCode
from jupyter_stop_chat.wire.http import StreamStart
from jupyter_stop_chat.wire.objects import TERMINAL, Message
from jupyter_stop_chat.wire.server_frames import (
    Accepted,
    Delta,
    MessageChanged,
    Thought,
    Tool,
    error_frame,
)
from jupyter_stop_chat.wire.utf16 import TextBuffer, utf16_length

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
        self._tools: deque[Tool] = deque(
            Tool(message_id=message.id, **call.model_dump()) for call in calls
        )
        self._started = False
        self._news = asyncio.Event()
        self._watching: asyncio.Future[Message] | None = None
        if self._generation is not None:
            self._watching = self._generation.settled
            self._watching.add_done_callback(self._wake)
            engine.bus.follow(accepted.chat_id, self._hear)

    def close(self) -> None:
        """Listen no longer; what is generated goes on."""
        if self._generation is not None:
            self._engine.bus.unfollow(self._accepted.chat_id, self._hear)
        if self._watching is not None:
            self._watching.remove_done_callback(self._wake)

    async def news(self) -> None:
        """Wait until there may be another event."""
        await self._news.wait()

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
        begins = self._generation.thought_from if self._generation is not None else []
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
            if settled is not None:
                return None
            # Not being made, and not ended when it was accepted: another process has it.
            return self._lost(ErrorCode.NOT_POSSIBLE_NOW)
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
        if isinstance(change, Tool):
            if change.message_id != self._accepted.message.id:
                return
            self._tools.append(change)
        self._news.set()

    def _wake(self, settled: asyncio.Future[Message]) -> None:
        self._news.set()
