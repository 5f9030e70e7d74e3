"""What is shown of a tool call."""

from __future__ import annotations

from jupyter_stop_chat.wire.objects import ToolCall
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

#: What is shown of a tool's arguments and of its result, in code units.
TOOL_LIMIT = 16 * 1024


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


def length_of(call: ToolCall) -> int:
    """Return how much a call counts while it waits for its commit."""
    return len(call.args or "") + len(call.result or "")


def _shown(text: str | None) -> str | None:
    if text is None:
        return None
    text = whole(text)
    if utf16_length(text) <= TOOL_LIMIT:
        return text
    return utf16_slice(text, 0, TOOL_LIMIT - 1) + "…"
