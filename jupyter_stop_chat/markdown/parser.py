"""Read a model's Markdown: a tree of tokens, in which nothing is HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from mistune import BlockParser, BlockState, InlineParser, InlineState, Markdown
from mistune.plugins.formatting import strikethrough
from mistune.plugins.table import table, table_in_list, table_in_quote
from mistune.util import escape_url

from .formulas import Effort, Formula, read_display, read_formula
from .links import ADDRESS, address

Token = dict[str, Any]

#: A text that is longer than this is not read, and a paragraph that is longer is plain words, in
#: characters: some texts take a time that grows with the square of their length.
LONGEST_TEXT, LONGEST_PARAGRAPH = 200_000, 20_000

#: Stands for a tab while a text is read; it is no character, so no text has it.
_TAB = "\ufdd0"
_UNREADABLE = re.compile(f"[\x00\ud800-\udfff{_TAB}]")
#: What may begin a formula, where it is not escaped.
_MARK = re.compile(r"\\[\s\S]|\$+")
_FENCE = re.compile(r"(?P<before>(?:[ >]|[-*+] |\d{1,9}[.)] )*)(?P<mark>`{3,}|~{3,})")


class _Inline(InlineParser):
    """The marks within a paragraph."""

    def __call__(self, s: str, env: Any) -> list[Token]:
        if len(s) > LONGEST_PARAGRAPH:
            return [{"type": "text", "raw": s}]
        return super().__call__(s, env)


def parse(text: str) -> list[Token]:
    """Return the tokens of a text; formulas are tokens of their own, and HTML is text.

    :raises RecursionError: when it is nested too deep.
    """
    tokens, _ = _READER.parse(_hold_tabs(readable(text)))
    assert isinstance(tokens, list)
    for token in walk(tokens):
        if "raw" in token:
            token["raw"] = token["raw"].replace(_TAB, "\t")
    return tokens


def readable(text: str) -> str:
    """Return a text in which each character can be sent and shown."""
    return _UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def walk(tokens: list[Token]) -> Iterator[Token]:
    """Yield each token, in the order of the text."""
    for token in tokens:
        yield token
        yield from walk(token.get("children", []))


def _hold_tabs(text: str) -> str:
    """Put a sign for the tabs that begin a line of fenced code: the reader would make blanks of
    them within a list or a quote."""
    if "\t" not in text:
        return text
    mark, width = "", 0
    lines = re.split(r"(?<=[\n\r])", text)
    for at, line in enumerate(lines):
        if not mark:
            found = _FENCE.match(line)
            mark, width = (found["mark"], len(found["before"])) if found else ("", 0)
        elif line.strip(" >\r\n").rstrip(mark[0]) == "" and mark in line:
            mark = ""
        else:
            begin = re.match(rf"[ >]{{0,{width}}}", line)
            assert begin is not None
            blank = re.match(r"[ \t]*", line[begin.end() :])
            assert blank is not None
            rest = line[begin.end() + blank.end() :]
            lines[at] = begin[0] + blank[0].replace("\t", _TAB) + rest
    return "".join(lines)


def _effort(state: InlineState | BlockState) -> Effort:
    effort: Effort = state.env.setdefault("effort", Effort())
    return effort


def _take_address(inline: Any, found: re.Match[str], state: InlineState) -> int:
    text = address(found[0], in_brackets=bool(state.brackets))
    if state.in_link or state.depth >= inline.max_nested_level:
        inline.process_text(text, state)
    else:
        token: Token = {"type": "link", "children": [{"type": "text", "raw": text}]}
        state.append_token(token | {"attrs": {"url": escape_url(text)}, "_autolink": text})
    return found.start() + len(text)


def _token(formula: Formula) -> Token:
    kind = "display_formula" if formula.display else "inline_formula"
    return {"type": kind, "raw": formula.tex}


def _take(
    read: Callable[[str, int, Effort], Formula | None],
) -> Callable[[Any, re.Match[str], Any], int | None]:
    def take(_: Any, found: re.Match[str], state: InlineState | BlockState) -> int | None:
        formula = read(state.src, found.start(), _effort(state))
        if formula is None:
            return None
        state.append_token(_token(formula))
        return found.start() + formula.length

    return take


def _take_inline(inline: Any, found: re.Match[str], state: InlineState) -> int | None:
    end = _take(read_formula)(inline, found, state)
    if end is None and found[0][0] == "\\":
        # It is an escaped bracket, which is its own rule's.
        escaped = re.compile(inline.specification["escape"]).match(state.src, found.start())
        end = inline.parse_escape(escaped, state) if escaped else None
    return end


def _take_spanning(_: Any, found: re.Match[str], state: BlockState) -> int | None:
    """Keep the lines of a formula together, of which a later one looks like a list, say."""
    at, line_end = found.start(), state.find_line_end_at(found.start())
    if line_end - at > LONGEST_PARAGRAPH:
        return None
    while (mark := _MARK.search(state.src, at, line_end)) is not None:
        at = mark.end()
        if mark[0][0] != "$":
            continue
        formula = read_formula(state.src, mark.start(), _effort(state))
        at = mark.start() + formula.length if formula else at
        if at > line_end:
            end = state.find_line_end_at(at)
            state.add_paragraph(state.get_text(end))
            return end
    return None


def _make() -> Markdown:
    inline = _Inline()
    inline.rules.remove("inline_html")
    block = BlockParser()
    for rules in (block.rules, block.block_quote_rules, block.list_rules):
        rules.remove("raw_html")
    made = Markdown(None, block, inline, [table, table_in_quote, table_in_list, strikethrough])
    inline.register("address", ADDRESS, _take_address)
    block.register(
        "formula", r"^ {0,3}(?:\$\$|\\\[|\\begin\{)", _take(read_display), before="fenced_code"
    )
    block.register("spanning_formula", r"^[^\n`]*\$[^\n`]*$", _take_spanning)
    for rules in (block.block_quote_rules, block.list_rules):
        block.insert_rule(rules, "formula", before="fenced_code")
        block.insert_rule(rules, "spanning_formula")
    inline.register(
        "formula", r"\$+|\\[(\[]|\\begin\{", _take_inline, before="escape", start_chars=("$", "\\")
    )
    return made


_READER = _make()
