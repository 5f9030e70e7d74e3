"""Text that is measured as JavaScript measures it: in UTF-16 code units."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

#: A block is closed at this many characters, so that neither appending nor slicing gets slower
#: with the length of the text.
_BLOCK = 4096


def utf16_length(text: str) -> int:
    """Count UTF-16 code units: what `length` says in JavaScript."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_slice(text: str, start: int, end: int | None = None) -> str:
    """Cut text by offsets in UTF-16 code units; half a surrogate pair at an edge is dropped."""
    if text.isascii():
        return text[start:end]
    raw = text.encode("utf-16-le", "surrogatepass")
    stop = None if end is None else 2 * end
    return raw[2 * start : stop].decode("utf-16-le", "ignore")


def whole(text: str) -> str:
    """Replace what cannot be carried everywhere; the length stays as it is.

    UTF-8 cannot carry lone surrogates, and PostgreSQL's text no NUL.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class SurrogateJoiner:
    """What joins surrogate pairs that a model split between two chunks."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what can be passed on; a high surrogate at the end waits for its other half."""
        text = self._held + text
        self._held = ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            self._held, text = text[-1], text[:-1]
        return whole(text)

    def end(self) -> str:
        """Return what still waits, made whole."""
        held, self._held = self._held, ""
        return whole(held)


def whole_json(value: Any) -> Any:
    """Return JSON of which all text is whole.

    :raises RecursionError: when it is nested too deeply.
    """
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, Mapping):
        return {whole(str(name)): whole_json(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [whole_json(each) for each in value]
    return value


def same_length(one: str, other: str) -> int:
    """Return how long what two texts begin with alike is, in UTF-16 code units."""
    both = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return utf16_length("".join(character for character, _ in both))


class TextBuffer:
    """A growing text that is read by offset, at the same cost however long it is."""

    def __init__(self, text: str = "") -> None:
        self._blocks: list[str] = []
        self._starts: list[int] = []
        self.length = 0
        if text:
            self.append(text)

    def append(self, text: str) -> None:
        """Add text at the end."""
        if self._blocks and (room := _BLOCK - len(self._blocks[-1])) > 0:
            more, text = text[:room], text[room:]
            self._blocks[-1] += more
            self.length += utf16_length(more)
        for start in range(0, len(text), _BLOCK):
            block = text[start : start + _BLOCK]
            self._blocks.append(block)
            self._starts.append(self.length)
            self.length += utf16_length(block)

    def read(self, start: int, most: int) -> str:
        """Return at most `most` code units from `start` on, never half of a pair."""
        if start >= self.length or most <= 0:
            return ""
        at = bisect_right(self._starts, start) - 1
        parts: list[str] = []
        want = most
        skip = start - self._starts[at]
        while want > 0 and at < len(self._blocks):
            part = utf16_slice(self._blocks[at], skip, skip + want)
            parts.append(part)
            end = self._starts[at + 1] if at + 1 < len(self._starts) else self.length
            want -= end - self._starts[at] - skip
            skip = 0
            at += 1
        return "".join(parts)

    def is_within_pair(self, offset: int) -> bool:
        """Tell whether an offset lies between the two halves of a surrogate pair."""
        return offset > 0 and utf16_length(self.read(offset - 1, 2)[:1]) == 2

    def cut(self, end: int) -> None:
        """Drop what lies behind `end`."""
        if end >= self.length:
            return
        text = utf16_slice(str(self), 0, end)
        self._blocks, self._starts, self.length = [], [], 0
        if text:
            self.append(text)

    def __str__(self) -> str:
        return "".join(self._blocks)
