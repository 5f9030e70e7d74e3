"""The code of a model's Markdown, and nothing else of it."""

from __future__ import annotations

from .parser import LONGEST_TEXT, parse, walk


def code_blocks(text: str) -> list[str]:
    """Return the blocks of code, in their order; indented ones only where there are no fences."""
    if len(text) > LONGEST_TEXT:
        return []
    try:
        found = [token for token in walk(parse(text)) if token["type"] == "block_code"]
    except RecursionError:
        return []
    fenced = [token for token in found if token["style"] == "fenced"]
    return [token["raw"].rstrip("\n") for token in fenced or found]
