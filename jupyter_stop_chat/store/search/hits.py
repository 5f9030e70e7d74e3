"""The line of a text in which a search was found: what a list of chats shows of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice

#: So much of a line is shown, and so much of that before what was found, in characters.
LONGEST, BEFORE = 160, 40
#: So much of a text is looked through, in characters: a list that shows no line is still a list.
LOOKED_AT = 100_000
#: In so many lines a word is looked for, as one may stand in each of very many.
MOST_LINES = 200
#: What ends a line.
_BREAKS = dict.fromkeys(map(ord, "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"), "\n")


def line_with(text: str, words: Sequence[str]) -> str | None:
    """Return the line of a text that holds the most of some words, shortened around the first.

    None where none of them stands there as it is.
    """
    folded = _folded(text)
    found: dict[int, list[int]] = {}
    for word in dict.fromkeys(map(_folded, words)):
        for line, place in islice(_places(folded, word), MOST_LINES):
            found.setdefault(line, []).append(place)
    if not found:
        return None
    line = min(found, key=lambda begin: (-len(found[begin]), begin))
    end = folded.find("\n", line)
    best, at = text[line : None if end < 0 else end], min(found[line]) - line
    start = max(0, at - BEFORE)
    end = start + LONGEST
    shown = best[start:end].strip()
    return f"{'…' if start > 0 else ''}{shown}{'…' if end < len(best) else ''}"


def _places(folded: str, word: str) -> Iterator[tuple[int, int]]:
    """Find where the lines begin that hold a word, and where in the text it first is in each."""
    end = 0
    while end >= 0 and (place := folded.find(word, end)) >= 0:
        yield folded.rfind("\n", end, place) + 1 or end, place
        end = folded.find("\n", place)


def _folded(text: str) -> str:
    """Leave out case and accents, as the index does; each character stays one."""
    if text.isascii():
        return text.lower().translate(_BREAKS)
    signs = {ord(sign): _plain(sign) for sign in set(text) if not sign.isascii()}
    return text.translate(signs | _BREAKS).lower()


def _plain(sign: str) -> str:
    return unicodedata.normalize("NFD", sign)[0].lower()[0]
