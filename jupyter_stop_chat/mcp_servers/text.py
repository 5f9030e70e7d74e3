"""What servers say, as it may be shown and told: no more than so long, and no hidden signs."""

from __future__ import annotations

import json
import unicodedata
from collections import deque
from collections.abc import Iterable
from typing import Any

from jupyter_stop_chat.wire.secrets import mask_keys
from jupyter_stop_chat.wire.utf16 import whole

#: So many lines of a server's are kept.
MOST_LINES = 200
#: So much of each is shown, in characters; so much of it is kept, so that a key that is cut in
#: two is known as one.
LONGEST_SHOWN = 1000
LONGEST_KEPT = 2000


def plain(text: str, most: int) -> str:
    """Return words without signs that control or hide, cut where they are too long."""
    signs = whole(text[: most + 1])
    kept = "".join(each if _is_seen(each) else " " for each in signs).strip()
    return kept if len(kept) <= most else f"{kept[: most - 1].rstrip()}…"


def is_plain(text: str) -> bool:
    """Tell whether words are without such signs."""
    return whole(text) == text and all(map(_is_seen, text))


def _is_seen(sign: str) -> bool:
    return sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cf", "Co", "Cn"}


class Log:
    """The last lines that a server wrote, or that were written of it."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=MOST_LINES)

    def add(self, said: Any) -> None:
        """Keep what was said: a text, several, or anything else as JSON."""
        if isinstance(said, str):
            lines = said.splitlines() or [""]
        elif isinstance(said, list) and all(isinstance(each, str) for each in said):
            lines = said
        else:
            lines = [json.dumps(said, ensure_ascii=False, default=str)]
        self._lines.extend(each[:LONGEST_KEPT] for each in lines[-MOST_LINES:])

    def shown(self, secrets: Iterable[str]) -> tuple[str, ...]:
        """Return the lines without keys. Blocks, though not long."""
        known = list(secrets)
        return tuple(
            plain(mask_keys(each, known, LONGEST_SHOWN), LONGEST_SHOWN)
            for each in list(self._lines)
        )
