"""A web address that stands in a sentence without any marks around it."""

from __future__ import annotations

#: What may be one: until a blank, a quote, or a mark of Markdown that no address has.
ADDRESS = r"""(?i:https?)://[^\s<>"`|\\\u3000-\u303f\uff00-\uffef]+"""
_STOPS = frozenset("?!.,:;*_~'$…’”")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def address(found: str, *, in_brackets: bool) -> str:
    """Return the address that a text begins with, without what belongs to its sentence.

    :param in_brackets: whether a bracket is open, which may be a link's text.
    """
    end = found.find("**")
    if in_brackets and (bracket := found.find("]")) >= 0:
        end = bracket if end < 0 else min(end, bracket)
    found = found if end < 0 else found[:end]
    # A bracket that nothing opens in it ends it, with whatever follows.
    opened: list[str] = []
    for at, each in enumerate(found):
        if each in "([{":
            opened.append(each)
        elif each in _PAIRS and (not opened or opened.pop() != _PAIRS[each]):
            found = found[:at]
            break
    start = found.index("//") + 2
    end = len(found)
    while end > start and found[end - 1] in _STOPS:
        end -= 1
    return found[:end]
