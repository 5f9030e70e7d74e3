"""A text as plain words, for a terminal or a front end that shows nothing else."""

from __future__ import annotations

import re

from .parser import readable

#: What steers a terminal (its title, the clipboard, what is written already), or turns the order
#: of letters around so that a command looks like another one.
_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """Return a text without what would be more than words where it is written."""
    return _STEERS.sub("", readable(text))
