"""Lines and their ends: tools see "\\n" alone, and a file keeps those that it has."""

from __future__ import annotations

from itertools import takewhile

_WINDOWS, _OLD_MAC = "\r\n", "\r"


def plain_lines(text: str) -> str:
    """Return a file's text with its lines ended by "\\n" alone, as an editor has it."""
    return text.replace(_end_of(text), "\n")


def like(raw: str, text: str) -> str:
    """Return a text with the line ends of the file in whose place it comes.

    Where a file has several kinds, the lines before and behind what is new keep their own.
    """
    end = _end_of(raw)
    if end == "\n":
        return text
    if end == _OLD_MAC or raw.count("\n") == raw.count(_WINDOWS):
        return text.replace("\n", end)
    old, new = raw.split("\n"), text.split("\n")
    plain = [line.removesuffix("\r") for line in old]
    most = min(len(old), len(new)) - 1
    above = _same(plain[:most], new[:most])
    below = _same(plain[::-1][: most - above], new[::-1][: most - above])
    behind = len(new) - below
    kept = old[:above] + [f"{line}\r" for line in new[above:behind]] + old[len(old) - below :]
    # What stands behind the last line's end is no line's end.
    kept[-1] = old[-1] if below else new[-1]
    return "\n".join(kept)


def _end_of(text: str) -> str:
    if _WINDOWS in text:
        return _WINDOWS
    return _OLD_MAC if _OLD_MAC in text and "\n" not in text else "\n"


def _same(old: list[str], new: list[str]) -> int:
    """Count the lines that two lists have in common from their beginnings."""
    return sum(1 for _ in takewhile(lambda each: each[0] == each[1], zip(old, new, strict=False)))
