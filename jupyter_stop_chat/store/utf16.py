"""Offsets and lengths as browsers count them: in UTF-16 code units."""

from __future__ import annotations


def length(text: str) -> int:
    """Count the UTF-16 code units of a text."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, keep: int) -> str:
    """Return the first `keep` UTF-16 code units, without a half surrogate pair at their end."""
    if keep >= len(text) * 2:
        return text
    if text.isascii():
        return text[:keep]
    return text.encode("utf-16-le", "surrogatepass")[: keep * 2].decode("utf-16-le", "ignore")


def storable(text: str) -> str:
    """Replace what a database cannot hold (lone surrogates, NUL); the length stays as it is."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
