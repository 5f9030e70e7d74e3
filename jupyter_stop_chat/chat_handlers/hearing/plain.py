"""Know the events of a stream that say nothing but text, without reading each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

#: The inside of a JSON string. What is none would make all that it is joined with unreadable.
_STRING = re.compile(rb'[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*')
#: What stands before a text.
_NAME = re.compile(rb'"(?:content|text)"\s*:\s*"\Z')
#: What changes in an event besides its text, and says nothing: OpenAI's, of a random length.
_PADDING = re.compile(rb'"obfuscation": ?"([^"\\\r\n]*)"')


class Plain:
    """What surrounds the text of one stream's events.

    Most events differ in their text alone. Where one was read and said nothing else, the next
    ones that have the same before and behind their text say nothing else either. So those that
    come together are handed on as one event with the text of all: a client library takes as long
    for it as for a single word.
    """

    def __init__(self) -> None:
        self._before = b""
        self._behind = b""
        #: The parts of what is behind the text, between which there is padding.
        self._parts: list[bytes] = []

    def find(self, held: bytes | bytearray, at: int = 0) -> tuple[bytes, int] | None:
        """Find at a place an event that differs from the one that was learnt in its text alone.

        :returns: the text as it is written in JSON, and where the event ends.
        """
        if not self._before or not held.startswith(self._before, at):
            return None
        begin = at + len(self._before)
        end = self._end_of_string(held, begin)
        if end == begin:
            return None
        at = end
        for part in self._parts:
            if part is not self._parts[0]:
                at = self._end_of_string(held, at)
            if not held.startswith(part, at):
                return None
            at += len(part)
        return bytes(held[begin:end]), at

    @staticmethod
    def _end_of_string(held: bytes | bytearray, at: int) -> int:
        found = _STRING.match(held, at)
        assert found is not None  # it may be empty
        return found.end()

    def joined(self, texts: Sequence[bytes]) -> bytes:
        """Return one event with the text of several; what is no UTF-8 is replaced."""
        text = b"".join(texts).decode("utf-8", "replace").encode()
        return b"".join((self._before, text, self._behind))

    def learn(self, piece: bytes, data: dict[str, Any]) -> bool:
        """Remember what is around the text of an event, if it says nothing else; tell whether."""
        text = _only_text(data)
        if not text or '"' in text or "\\" in text or not text.isprintable():
            return False
        quoted = f'"{text}"'.encode("utf-8", "replace")
        if piece.count(quoted) != 1:
            return False
        at = piece.index(quoted) + 1
        if _NAME.search(piece[:at]) is None:
            return False  # the text is written otherwise, and this is another word
        self._before, self._behind = piece[:at], piece[at + len(quoted) - 2 :]
        padding = _PADDING.search(self._behind)
        at = padding.start(1) if padding is not None else len(self._behind)
        self._parts = [self._behind[:at]]
        if padding is not None:
            self._parts.append(self._behind[padding.end(1) :])
        return True


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
