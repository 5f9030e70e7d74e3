"""The line of a text in which a search was found: what a list of chats shows of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

#: So much of a line is shown, and so much of that before what was found, in characters.
LONGEST, BEFORE = 160, 40
#: So much of a text is looked through, in characters: a list that shows no line is still a list.
LOOKED_AT = 100_000


def line_with(text: str, words: Sequence[str]) -> str | None:
    """Return the line of a text that holds the most of some words, shortened around the first.

    None where none of them stands there as it is.
    """
    wanted = [_folded(word) for word in words]
    best, most, at = "", 0, 0
    for line in text.splitlines():
        folded = _folded(line)
        places = [place for word in wanted if (place := folded.find(word)) >= 0]
        if len(places) > most:
            best, most, at = line, len(places), min(places)
    if most == 0:
        return None
    start = max(0, at - BEFORE)
    end = start + LONGEST
    shown = best[start:end].strip()
    return f"{'…' if start > 0 else ''}{shown}{'…' if end < len(best) else ''}"


def _folded(text: str) -> str:
    """Leave out case and accents, as the index does; each character stays one."""
    if text.isascii():
        return text.lower()
    return "".join(unicodedata.normalize("NFD", sign)[0].lower()[0] for sign in text)
