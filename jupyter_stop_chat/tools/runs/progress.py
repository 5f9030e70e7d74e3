"""How far a cell has come: the last line that it has printed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

COLOURS = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")
#: So much of the end of a text is looked at, in characters.
_LOOKED_AT = 1000


def last_line(outputs: Sequence[Mapping[str, Any]]) -> str:
    """Return the last line that is not blank of what was printed last; empty where none is."""
    for output in reversed(outputs):
        if output.get("output_type") != "stream":
            continue
        text = text_of(output.get("text"))[-_LOOKED_AT:]
        for line in reversed(re.split(r"[\r\n]+", COLOURS.sub("", text))):
            if line.strip():
                return "".join(each for each in line.strip() if each.isprintable())
        return ""
    return ""


def text_of(text: Any) -> str:
    """Return a text of nbformat, which may be a list of its lines."""
    if isinstance(text, list):
        return "".join(each for each in text if isinstance(each, str))
    return text if isinstance(text, str) else ""
