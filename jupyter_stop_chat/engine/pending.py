"""What a chat handler made that is not committed yet: text, thoughts, and tool calls as shown."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.ports.handler import WasThought
from jupyter_stop_chat.ports.store import Part
from jupyter_stop_chat.wire.objects import ToolCall
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

#: So much text may wait for its commit before the model's stream is held back, in code units.
PENDING_LIMIT = 64 * 1024
#: What is shown of a tool's arguments and of its result, in code units.
TOOL_LIMIT = 16 * 1024
#: A part of the message with its text, a tool call, or that the end of the text was a thought.
Entry = tuple[Part, str] | ToolCall | WasThought


class Pending:
    """What waits for its commit in one message, in order."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._length = 0
        self._room = asyncio.Event()
        self._room.set()

    def __bool__(self) -> bool:
        return bool(self._entries)

    def append(self, entry: Entry) -> None:
        """Add an entry at the end; text goes to the text of the same part that is there."""
        last = self._entries[-1] if self._entries else None
        if isinstance(entry, tuple) and isinstance(last, tuple) and last[0] == entry[0]:
            self._entries[-1] = (entry[0], last[1] + entry[1])
        else:
            self._entries.append(entry)
        self._length += _length(entry)
        if self._length >= PENDING_LIMIT:
            self._room.clear()

    def pop(self) -> Entry:
        """Return the first entry, and take it out."""
        entry = self._entries.pop(0)
        self._length -= _length(entry)
        return entry

    def clear(self) -> None:
        """Drop all of it."""
        self._entries.clear()
        self._length = 0
        self._room.set()

    @property
    def full(self) -> bool:
        """Tell whether too much waits."""
        return not self._room.is_set()

    async def room(self) -> None:
        """Wait while too much waits."""
        await self._room.wait()

    def let_on(self, *, always: bool = False) -> None:
        """Let the model go on, if little enough waits now.

        :param always: also if much does: it is committed no more.
        """
        if always or self._length < PENDING_LIMIT:
            self._room.set()


def shown_call(call: ToolCall) -> ToolCall:
    """Return a call as it is shown: whole characters, and not too many."""
    return call.model_copy(
        update={
            "call_id": whole(call.call_id),
            "name": whole(call.name),
            "args": _shown(call.args),
            "result": _shown(call.result),
        }
    )


def _shown(text: str | None) -> str | None:
    if text is None:
        return None
    text = whole(text)
    if utf16_length(text) <= TOOL_LIMIT:
        return text
    return utf16_slice(text, 0, TOOL_LIMIT - 1) + "…"


def _length(entry: Entry) -> int:
    """Return how much an entry counts while it waits."""
    if isinstance(entry, tuple):
        return len(entry[1])
    if isinstance(entry, ToolCall):
        return len(entry.args or "") + len(entry.result or "")
    return 0
