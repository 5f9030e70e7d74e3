"""What later turns are told of a reply's tool calls: each has an answer, whatever stopped it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.objects import Message, MessageState
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

NOT_BEGUN = "Stopped before it began."
STOPPED = "Stopped while it ran; it may have had effects."
#: What a reply ends with that ended in a call: after its answers an assistant has a word.
ENDED = {
    MessageState.INTERRUPTED: "(The person stopped this reply.)",
    MessageState.FAILED: "(This reply failed before its end.)",
}
NO_WORDS = "(This reply has no more words.)"
#: So much of arguments, and of a result, is told as text, in characters.
TOLD_AS_TEXT = 1000


def answered(call: Told) -> Told:
    """Return a call with an answer: its own, or how it was stopped."""
    if call.state in {"completed", "failed", "refused"} and call.result is not None:
        return call
    began = call.state not in {"asked", "waiting"}
    return replace(call, result=STOPPED if began else NOT_BEGUN)


def with_calls(reply: Message, calls: Sequence[Told]) -> tuple[str, tuple[Told, ...]]:
    """Return what is told of a reply that made calls: its words, some behind the last, and them.

    A stop may have cut its text before a call that was made.
    """
    text = reply.text.rstrip()
    length = utf16_length(text)
    told = tuple(answered(replace(each, at=min(each.at, length))) for each in calls)
    if told and not utf16_slice(text, told[-1].at).strip():
        end = ENDED.get(reply.state, NO_WORDS)
        text = f"{text}\n\n{end}" if text else end
    return text, told


def as_text(text: str, calls: Sequence[Told]) -> str:
    """Put calls into a reply's text, for a model that has no tools."""
    parts: list[str] = []
    begin = 0
    for call in calls:
        parts.append(utf16_slice(text, begin, call.at))
        args = _short(call.args or "{}")
        parts.append(f"[Tool {call.name}, called with {args}, answered: {_short(call.result)}]")
        begin = call.at
    parts.append(utf16_slice(text, begin))
    return "\n\n".join(part.strip() for part in parts if part.strip())


def _short(text: str | None) -> str:
    text = text or ""
    if len(text) <= TOLD_AS_TEXT:
        return json.dumps(text, ensure_ascii=False) if "\n" in text else text
    left_out = len(text) - TOLD_AS_TEXT
    cut = json.dumps(text[:TOLD_AS_TEXT], ensure_ascii=False)
    return f"{cut} (and {left_out:,} more characters)"
