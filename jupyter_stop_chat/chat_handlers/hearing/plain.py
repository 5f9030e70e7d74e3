"""Know the events of a stream that say nothing but text, without reading each of them."""

from __future__ import annotations

import re
from typing import Any

#: The inside of a JSON string.
_STRING = re.compile(rb'[^"\\\r\n]*(?:\\.[^"\\\r\n]*)*')


class Plain:
    """What surrounds the text of one stream's events.

    Most events differ in their text alone. Where one was read and said nothing else, the next
    ones that have the same before and behind their text say nothing else either.
    """

    def __init__(self) -> None:
        self._before = b""
        self._behind = b""

    def is_like(self, piece: bytes) -> bool:
        """Tell whether an event differs from the one that was learnt in its text alone."""
        before, behind = self._before, self._behind
        if not before or not piece.startswith(before) or not piece.endswith(behind):
            return False
        end = len(piece) - len(behind)
        return end > len(before) and _STRING.fullmatch(piece, len(before), end) is not None

    def learn(self, piece: bytes, data: dict[str, Any]) -> None:
        """Remember what is around the text of an event that says nothing else."""
        text = _only_text(data)
        if not text or '"' in text or "\\" in text or not text.isprintable():
            return
        quoted = f'"{text}"'.encode("utf-8", "replace")
        if piece.count(quoted) == 1:
            at = piece.index(quoted) + 1
            self._before, self._behind = piece[:at], piece[at + len(quoted) - 2 :]


def _only_text(data: dict[str, Any]) -> str:
    """Return an event's text; empty where it says, or may say, anything else."""
    choices = data.get("choices")
    if isinstance(choices, list):
        if len(choices) != 1 or data.get("usage") or not isinstance(choices[0], dict):
            return ""
        choice = choices[0]
        delta = choice.get("delta")
        if choice.get("finish_reason") or choice.get("native_finish_reason"):
            return ""
        return _text(delta, "content", ("role",))
    if data.get("type") == "content_block_delta":
        delta = data.get("delta")
        return _text(delta, "text", ("type",)) if isinstance(delta, dict) else ""
    return ""


def _text(delta: object, name: str, others: tuple[str, ...]) -> str:
    if not isinstance(delta, dict):
        return ""
    text = delta.get(name)
    more = (value for key, value in delta.items() if key != name and key not in others)
    return text if isinstance(text, str) and not any(more) else ""
