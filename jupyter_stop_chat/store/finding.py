"""Find words in texts that are in memory, as the database's index finds them in its own."""

from __future__ import annotations

import re
import unicodedata
from typing import Protocol

from jupyter_stop_chat.wire.utf16 import whole

from .search import is_indexed, words_of

_WORD = re.compile(r"[^\W_]+")


class Finder(Protocol):
    """What tells whether what was asked for is in a text, or in a title."""

    def __call__(self, text: str | None, *, title: bool) -> bool:
        """Tell whether it is."""
        ...


def finder(query: str) -> Finder:
    """Make what finds all words of a query: as beginnings of words, in a title anywhere.

    :param query: any text; in a blank one nothing is asked for, and all is found.
    :raises StopChatError: `query_too_long`.
    """
    words = words_of(whole(query).replace("\ufffd", " "))
    anywhere = [word.casefold() for word in words]
    phrases = [_split(word) for word in words]
    indexed = all(map(is_indexed, words))

    def has(text: str | None, *, title: bool) -> bool:
        if not words:
            return True
        if text is None:
            return False
        if title or not indexed:
            text = text.casefold()
            return all(word in text for word in anywhere)
        split = _split(text)
        return all(_begins(split, phrase) for phrase in phrases)

    return has


def _begins(split: list[str], phrase: list[str]) -> bool:
    *first, last = phrase
    return any(
        split[at : at + len(first)] == first and split[at + len(first)].startswith(last)
        for at in range(len(split) - len(first))
    )


def _split(text: str) -> list[str]:
    """Split a text into its words, without accents."""
    apart = unicodedata.normalize("NFD", text.lower())
    return _WORD.findall("".join(sign for sign in apart if not unicodedata.combining(sign)))
