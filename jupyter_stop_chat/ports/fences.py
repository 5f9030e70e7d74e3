"""Fences around text that is quoted, so that nothing of it ends them."""

from __future__ import annotations

import re

_TICKS = re.compile(r"`{3,}")


def fenced(text: str, language: str = "") -> str:
    """Put a text between fences that are longer than any in it.

    :param language: of what is quoted; empty: none.
    """
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=2)
    mark = "`" * (longest + 1)
    return f"{mark}{language}\n{text}\n{mark}"
