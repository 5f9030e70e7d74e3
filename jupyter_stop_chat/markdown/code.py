"""The code of a model's Markdown, and nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .parser import LONGEST_TEXT, parse, walk


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code.

    :ivar language: as the reply names it, in small letters; empty where it does not.
    """

    code: str
    language: str = ""


def code_blocks(text: str) -> list[Block]:
    """Return the blocks of code, in their order; indented ones only where there are no fences."""
    if len(text) > LONGEST_TEXT:
        return []
    try:
        found = [token for token in walk(parse(text)) if token["type"] == "block_code"]
    except RecursionError:
        return []
    fenced = [token for token in found if token["style"] == "fenced"]
    return [Block(token["raw"].rstrip("\n"), _language(token)) for token in fenced or found]


def _language(token: Any) -> str:
    words = str((token.get("attrs") or {}).get("info") or "").replace(",", " ").split()
    return words[0].strip("{}.").lower() if words else ""
