"""Tell math from money and from whatever else has dollars and backslashes.

`tests/money_and_math.json` is the table of what is which; the sidebar keeps to it too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .tex import COMMANDS, ENVIRONMENTS

#: A formula that is longer than this is none: typesetting it would hold the page.
LONGEST = 4000
#: Braces within braces: a typesetter goes into each.
_DEEPEST = 40

_DOLLARS = re.compile(r"\$\$(?!\$)((?:\\[\s\S]|[^\\$]|\$(?!\$))+)\$\$(?!\$)")
_DOLLAR = re.compile(r"\$(?![\s$])((?:\\[\s\S]|[^\\$])+)\$(?!\$)")
_BEGIN = re.compile(r"\\begin\{([A-Za-z]+\*?)\}")
_BLANK_LINE = re.compile(r"\n[ \t]*(?=\n)")
_INDENT = re.compile(r" {0,3}(?=\$\$|\\\[|\\begin\{)")
_LINE_END = re.compile(r"[ \t]*(?:\n|$)")

#: What only formulas have.
_MATH = re.compile(r"[\\^_=+*<>{}|]")
_FUNCTION = re.compile(r"\b(?:sin|cos|tan|log|ln|exp|max|min|lim|mod|det|gcd)\b")
#: What may follow a formula without a blank: the 𝑛th, two 𝑥s.
_ENDING = re.compile(r"(?:th|st|nd|rd|s|d)\b")

_COMMAND = re.compile(
    r"\\(?:(?:begin|end)\s*\{(?P<environment>[^{}]*)\}|(?P<name>[A-Za-z]+)|[\s\S])"
)
_BRACE = re.compile(r"\\[\s\S]|[{}]")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula, where a text has one.

    :ivar length: how much of the text it is.
    :ivar tex: its TeX alone, without blank lines.
    """

    length: int
    tex: str
    display: bool


@dataclass(slots=True)
class Effort:
    """What one text may cost that is full of what looks like formulas and is none.

    :ivar left: how much may still be read in vain, in characters.
    """

    left: int = 200_000


def read_formula(text: str, at: int, effort: Effort) -> Formula | None:
    """Read the formula in a sentence that begins at a place; it ends with the paragraph."""
    start = text[at : at + LONGEST]
    if effort.left <= 0:
        return None
    if start[0] == "$":
        return _with_dollars(start, text[at - 1 : at], effort)
    return _with_backslash(start, effort)


def read_display(text: str, at: int, effort: Effort) -> Formula | None:
    """Read the formula on lines of its own that begins at a place; it may have blank lines."""
    start = text[at : at + LONGEST]
    indent = _INDENT.match(start)
    if indent is None or effort.left <= 0:
        return None
    start = start[indent.end() :]
    if start[0] == "$":
        dollars = _DOLLARS.match(start)
        found = None if dollars is None or _is_prose(dollars[1]) else (dollars[0], dollars[1])
    else:
        found = _square(start) or _environment(start)
    end = found and _LINE_END.match(start, len(found[0]))
    if not found or not end:
        return None
    return _formula(found[1], indent.end() + end.end(), effort, display=True)


def _with_dollars(text: str, before: str, effort: Effort) -> Formula | None:
    if re.match(r"[A-Za-z0-9$]", before):
        return None  # an amount, such as US$5 or 5$
    found = _DOLLARS.match(text)
    display = found is not None
    if found is None:
        found = _DOLLAR.match(text)
        if found is None or found[1][-1].isspace():
            return None
        after = text[found.end() : found.end() + 4]
        if re.match(r"[0-9]", after) or (
            re.match(r"[A-Za-z]", after) and not _ENDING.match(after)
        ):
            return None  # the next amount, or the next variable of a shell
    if _is_prose(found[1]) or _has_blank_line(found[0]):
        return None
    return _formula(found[1], found.end(), effort, display=display)


def _with_backslash(text: str, effort: Effort) -> Formula | None:
    found = _between(text, "\\(", "\\)")
    display = found is None
    found = found or _square(text) or _environment(text)
    if found is None or _has_blank_line(found[0]):
        return None
    return _formula(found[1], len(found[0]), effort, display=display)


def _square(text: str) -> tuple[str, str] | None:
    found = _between(text, "\\[", "\\]")
    # Before a parenthesis it is a link whose brackets were escaped.
    return None if found is None or text[len(found[0]) :][:1] == "(" else found


def _environment(text: str) -> tuple[str, str] | None:
    begin = _BEGIN.match(text)
    if begin is None or begin[1] not in ENVIRONMENTS:
        return None
    end = f"\\end{{{begin[1]}}}"
    close = text.find(end, begin.end())
    whole = text[: close + len(end)]
    return None if close < 0 else (whole, whole)


def _between(text: str, left: str, right: str) -> tuple[str, str] | None:
    close = text.find(right, len(left)) if text.startswith(left) else -1
    return None if close < 0 else (text[: close + len(right)], text[len(left) : close])


def _is_prose(inside: str) -> bool:
    """Tell whether words stand between two dollars, as between two amounts."""
    if _MATH.search(inside) or not re.search(r"\s", inside):
        return False
    return re.search(r"[^\W\d_]{2,}", _FUNCTION.sub("", inside)) is not None


def _has_blank_line(text: str) -> bool:
    return re.search(r"\n[ \t]*\n", text) is not None


def _formula(inside: str, length: int, effort: Effort, *, display: bool) -> Formula | None:
    tex = _BLANK_LINE.sub("", inside).strip()
    if tex and is_harmless(tex):
        return Formula(length, tex, display)
    # Each mark before it could be the beginning of the same, and be read as far.
    effort.left -= length
    return None


def is_harmless(tex: str) -> bool:
    """Tell whether a typesetter that is given this draws, and does nothing else."""
    depth = 0
    for brace in _BRACE.findall(tex):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        if not 0 <= depth <= _DEEPEST:
            return False
    if depth:
        return False
    for command in _COMMAND.finditer(tex):
        environment, name = command["environment"], command["name"]
        if environment is not None and environment not in ENVIRONMENTS:
            return False
        if name is not None and name not in COMMANDS:
            return False
    return True
