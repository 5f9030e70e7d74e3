"""Where a Markdown text has code fences, and whether one is left open."""

from __future__ import annotations

import re

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")


class Fences:
    """Follow a text line by line.

    :ivar open: the fence that is open, as it was written, or an empty text.
    """

    def __init__(self) -> None:
        self.open = ""

    def take(self, line: str) -> bool:
        """Take one line in; tell whether it opens or closes a fence."""
        found = _FENCE.match(line.rstrip("\r\n"))
        if found is None:
            return False
        mark, rest = found[1], found[2]
        if not self.open:
            if mark[0] == "`" and "`" in rest:
                return False
            self.open = mark
            return True
        if mark[0] == self.open[0] and len(mark) >= len(self.open) and not rest.strip():
            self.open = ""
            return True
        return False


def open_fence(text: str) -> str:
    """Return the fence that a text leaves open and that would swallow what follows, or nothing."""
    fences = Fences()
    for line in text.splitlines():
        fences.take(line)
    return fences.open
