"""How documents are told to models: a cut says so, and nothing in them looks like a mark."""

from __future__ import annotations

from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole


def cut(text: str, most: int, length: int | None = None) -> str:
    """Shorten a text to a length in UTF-16 code units, and say so.

    :param length: how long all of it is, where this is its beginning alone.
    """
    text = whole(text)
    kept = utf16_slice(text, 0, most)
    left = max(utf16_length(text), length or 0) - utf16_length(kept)
    return f"{kept}\n[cut here: {left:,} more characters]" if left > 0 else kept


def in_line(text: str, most: int = 200) -> str:
    """Return a text so that nothing in it looks like a line of its own."""
    line = "".join(each if each.isprintable() else "\ufffd" for each in text[: most + 1])
    return line if len(line) <= most else f"{line[:most]}…"


def named(ids: list[str], most: int = 20) -> str:
    """Join ids, not too many of them."""
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(in_line(each, 64) for each in ids[:most]) + more
