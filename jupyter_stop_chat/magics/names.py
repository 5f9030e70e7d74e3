"""Python names in a prompt: `{name}`, standing alone in plain words, becomes the value.

A prompt is data: nothing of it is evaluated, and what is code in it, or looks like code, stays as
it stands, so that no value leaves the kernel that the person did not plainly name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from jupyter_stop_chat.wire.utf16 import utf16_length

#: A name that stands alone: as a word does, not within a formula, a template or other braces.
_NAME = re.compile(r"(?<![^\s(])(?<!\w\()\{(?P<name>[^\W\d_]\w*)\}(?=[.,;:!?)]*(?:\s|$))")
#: What a paragraph of code has, and one of words does not.
_CODE = re.compile(
    r"^[ \t]*(?:</?[A-Za-z]|\}|(?:def|class|if|for|while|with|try|case|match|function)\b.*[:({]$)"
    r"|[{(\[][ \t]*$"
    r"|^[ \t]*\[[\w .:-]+\][ \t]*$",
    re.MULTILINE,
)
#: Stands for a name while a line is looked at.
_ANY = "\ufdd1"
#: What a line of code has: of a program, a shell, a request, a query, a file of settings.
_CODE_LINE = re.compile(
    r"=|->|;[ \t]*$|`|\{%|\\[A-Za-z]|://|^[ \t]*@\w"
    r"|^[ \t]*(?:import|export|const|let|var|return|yield|raise|throw|await|print|echo|puts"
    r"|curl|wget|ssh|scp|git|docker|kubectl|pip|npm|sudo|env|psql|mysql|printf|setenv)\b"
    r"|^[ \t]*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|GRANT|SET|FROM|WHERE|VALUES|AND|OR"
    r"|RUN|ENV|ARG|COPY|ADD|CMD|GET|POST|PUT|PATCH|HEAD|OPTIONS|REM)\b"
    r"|</[A-Za-z]|^[ \t]*from[ \t]+\S+[ \t]+import\b"
    r"|\b(?:select\b.*\bfrom|insert into|delete from|lambda)\b"
    r"|^[ \t]*(?://|/\*|\*/|--[ \t]|#!|>>>|\.\.\.[ \t]|In \[|[$%][ \t]|\((?:def|let|set|lambda))"
    # A key, of YAML, JSON or a header: in small letters, in capitals, or with a mark in it.
    r"|^[ \t]*(?:[-*][ \t]+)?[\"']?(?:[a-z][\w.-]*|[A-Z][A-Z\d_.-]+|\w+(?:[-_.]\w+)+)[\"']?[ \t]*:"
    r"|\b(?:Authorization|Cookie|Host|Accept|Referer|Origin)[ \t]*:|\b(?:Bearer|Basic)\s"
    # An option, and what is given to a function.
    rf"|(?:^|[ \t])--?[A-Za-z][\w-]*[ \t]+(?:\S+[ \t]+)?{_ANY}|\w\([^()]*{_ANY}"
)
_CODE_SPAN = re.compile(r"(?<!`)(`++)[^`]*+\1(?!`)")
_QUOTED = re.compile(
    r"\"\"\"[\s\S]*?(?:\"\"\"|\Z)"
    r"|'''[\s\S]*?(?:'''|\Z)"
    r"|(?<!\\)\"(?:\\.|[^\"\\\n])*\""
    r"|(?<![\w\\])'(?:\\.|[^'\\\n])*'(?!\w)"
)
#: Values that are no data: they would be filled in as an address in memory.
_NO_DATA = (ModuleType, FunctionType, BuiltinFunctionType, MethodType, type)
#: A sign that stands for a name while the prompt is read as Markdown.
_SIGN = "\ufdd1"


_Names = list[re.Match[str]]


@dataclass(slots=True)
class Filled:
    """A prompt as it is sent.

    :ivar names: what was filled in, with the length of each value in UTF-16 code units.
    :ivar left: names of variables that stay as they stand, for what is around them is code.
    """

    text: str
    names: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """Return a line that says what was filled in and what was not, or nothing."""
        each = (f"{name} ({_characters(length)})" for name, length in self.names.items())
        said = [f"Filled in: {', '.join(each)}"] if self.names else []
        if self.left:
            said.append(f"Left as it stands, as code: {', '.join(self.left)}")
        return ". ".join(said)


def fill_in(prompt: str, names: Mapping[str, Any], hidden: Collection[str] = ()) -> Filled:
    """Put the values of the variables that stand in plain words of a prompt.

    :param hidden: names that are IPython's own and not the person's.
    """
    filled = Filled(prompt)
    own = {name: value for name, value in names.items() if name not in hidden}
    values: dict[str, str | None] = {}
    words, code = _named(prompt)
    parts, end = [], 0
    for found in words:
        name = found["name"]
        if name not in values:
            values[name] = _as_text(own.get(name))
        value = values[name]
        if value is not None:
            filled.names[name] = utf16_length(value)
            parts += [prompt[end : found.start()], value]
            end = found.end()
    filled.text = "".join([*parts, prompt[end:]])
    left = (found["name"] for found in code if _is_data(own.get(found["name"])))
    filled.left = list(dict.fromkeys(left))
    return filled


def _is_data(value: Any) -> bool:
    return value is not None and not isinstance(value, _NO_DATA)


def _as_text(value: Any) -> str | None:
    """Return a value as text, or None when it has none or is no data."""
    if not _is_data(value):
        return None
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a value's own code may do anything
        return None


def _characters(count: int) -> str:
    return f"{count:,} character{'' if count == 1 else 's'}"


def _named(prompt: str) -> tuple[_Names, _Names]:
    """Return where names stand in plain words, and where in what looks like code.

    Those in what Markdown says is code are neither.
    """
    found = list(_NAME.finditer(prompt))
    if not found or _SIGN in prompt:
        return [], []
    from jupyter_stop_chat.markdown.parser import LONGEST_TEXT, parse, walk

    if len(prompt) > LONGEST_TEXT:
        return [], []
    # Signs for the names tell where the names are, however the Markdown stands.
    parts, end = [], 0
    for n, each in enumerate(found):
        parts += [prompt[end : each.start()], f"{_SIGN}{n}{_SIGN}"]
        end = each.end()
    try:
        tokens = parse("".join([*parts, prompt[end:]]))
    except RecursionError:
        return [], []
    texts = "\n".join(token["raw"] for token in walk(tokens) if token["type"] == "text")
    plain = sorted({int(n) for n in re.findall(f"{_SIGN}(\\d+){_SIGN}", texts)})
    code = list(_code(prompt))
    words: _Names = []
    other: _Names = []
    for at in (found[n] for n in plain):
        looks_like_code = any(begin <= at.start() < end for begin, end in code)
        (other if looks_like_code else words).append(at)
    return words, other


def _code(prompt: str) -> Iterator[tuple[int, int]]:
    """Yield the parts of a prompt that look like code: whole paragraphs, and what is quoted."""
    for quoted in _QUOTED.finditer(prompt):
        yield quoted.span()
    end = 0
    for blank, group in groupby(prompt.splitlines(keepends=True), lambda line: not line.strip()):
        lines = list(group)
        begin, end = end, end + sum(map(len, lines))
        if blank:
            continue
        paragraph = prompt[begin:end]
        if _CODE.search(_NAME.sub("", paragraph)):
            yield begin, end
            continue
        for brace in _braces(paragraph):
            yield begin + brace[0], begin + brace[1]
        for line in lines:
            if _CODE_LINE.search(_CODE_SPAN.sub("", _NAME.sub(_ANY, line.rstrip()))):
                yield begin, begin + len(line)
            begin += len(line)


def _braces(text: str) -> Iterator[tuple[int, int]]:
    """Yield what stands in braces that have more in them than a name."""
    depth, begin, named = 0, 0, {each.start() for each in _NAME.finditer(text)}
    for brace in re.finditer(r"[{}]", text):
        if depth == 0 and brace.start() in named:
            continue
        if brace[0] == "{":
            begin = begin if depth else brace.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield begin, brace.end()
    if depth:
        yield begin, len(text)
