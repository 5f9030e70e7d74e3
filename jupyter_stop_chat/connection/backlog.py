"""What is to be written of one message to one client, in order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from jupyter_stop_chat.engine.changes import MessageMoved
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.wire.objects import TERMINAL, Message, MessageState
from jupyter_stop_chat.wire.server_frames import Accepted, Delta, MessageChanged, Thought, Tool
from jupyter_stop_chat.wire.utf16 import utf16_length

#: The largest delta, in UTF-16 code units: a stop's answer never waits behind a huge frame.
MAX_DELTA = 16 * 1024
#: In these states nothing is cut off the text.
GROWS = frozenset({MessageState.QUEUED, MessageState.GENERATING})

#: A generation stands for its text, as far as it can be read when its turn comes.
Entry = Generation | MessageMoved | Accepted | Tool | Thought


@dataclass(slots=True)
class Backlog:
    """What one client has not been told of a message, and where its text ends there.

    :ivar cursor: how much of the text the client was sent or has, in UTF-16 code units; None
        before anything was told.
    :ivar thoughts_told: how often the client was told that text was a thought.
    """

    chat_id: str
    generation: Generation | None = None
    cursor: int | None = None
    reasoning_cursor: int = 0
    thoughts_told: int = 0
    entries: deque[Entry] = field(default_factory=deque)

    def next_frame(self) -> BaseModel | None:
        """Return the next frame, or None where a text has grown no further."""
        frame = self._next_frame()
        while self.entries and self._is_drained(self.entries[0]):
            self.entries.popleft()
        return frame

    def _next_frame(self) -> BaseModel | None:
        entry = self.entries[0]
        if isinstance(entry, Generation):
            frame = self._next_thought(entry) or self._next_delta(entry)
            if frame is None:
                self.entries.popleft()
            return frame
        self.entries.popleft()
        if isinstance(entry, MessageMoved):
            return MessageChanged(message=self._moved(entry))
        if isinstance(entry, Accepted):
            return entry.model_copy(update={"message": self._accepted(entry.message)})
        return entry

    def _is_drained(self, entry: Entry) -> bool:
        """Tell whether an entry is a text of which everything was sent."""
        return (
            isinstance(entry, Generation)
            and self.thoughts_told == len(entry.thought_from)
            and (self.cursor or 0) >= entry.text.length
            and self.reasoning_cursor >= entry.reasoning.length
        )

    def _next_thought(self, generation: Generation) -> Thought | None:
        """Tell where the text ends again, if its end was a thought since this was told last."""
        begins = generation.thought_from[self.thoughts_told :]
        if not begins:
            return None
        begin = min(begins)
        self.thoughts_told += len(begins)
        self.cursor = min(self.cursor or 0, begin)
        return Thought(message_id=generation.id, text_length=begin)

    def _next_delta(self, generation: Generation) -> Delta | None:
        """Read on from the cursor."""
        part: Literal["text", "reasoning"] = "reasoning"
        offset = self.reasoning_cursor
        text = generation.reasoning.read(offset, MAX_DELTA)
        if text:
            self.reasoning_cursor += utf16_length(text)
        else:
            part, offset = "text", self.cursor or 0
            text = generation.text.read(offset, MAX_DELTA)
            self.cursor = offset + utf16_length(text)
        if not text:
            return None
        return Delta(message_id=generation.id, offset=offset, text=text, part=part)

    def _moved(self, entry: MessageMoved) -> Message:
        """Make a message begin where the text that was sent of it ends."""
        message = entry.message
        if entry.generation is None:
            return message
        message = message.model_copy(update=self._sent(message))
        if message.state in TERMINAL:
            self.cursor, self.reasoning_cursor = None, 0
        return message

    def _accepted(self, message: Message) -> Message:
        """Make an accepted reply begin where the client has its text end, and deltas go on."""
        if message.state in TERMINAL:
            return message
        if self.cursor is None:
            self.cursor = message.text_offset
            if message.text_offset and self.generation is not None:
                self.reasoning_cursor = self.generation.reasoning_before
            return message.model_copy(update=self._reasoning_to_come())
        return message.model_copy(update=self._sent(message))

    def _sent(self, message: Message) -> dict[str, Any]:
        """Return what tells where the text that was sent ends.

        A message that still grows may have grown since this was to be told of it, and more of it
        been sent: what is behind that is not to be dropped.
        """
        sent, length = self.cursor or 0, message.text_length
        if message.state in GROWS:
            length = max(sent, length)
        offsets = {"text_offset": min(sent, length), "text_length": length}
        return {**offsets, **self._reasoning_to_come()}

    def _reasoning_to_come(self) -> dict[str, str]:
        """Return what tells a client that followed before: deltas bring all reasoning again."""
        generation = self.generation
        if generation is None or self.reasoning_cursor > 0 or generation.reasoning.length == 0:
            return {}
        return {"reasoning": ""}
