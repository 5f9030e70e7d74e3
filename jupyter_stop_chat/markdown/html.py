"""A model's Markdown as HTML that shows it and does nothing else.

Each tag is written here, none has an attribute that a model chose but for the address of a link,
and what is not a tag is escaped. So it can stand where a front end takes HTML for its author's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Any

from .parser import LONGEST_TEXT, Token, parse, readable

#: What has more lines is not formatted: each may be a list of its own, say.
MOST_LINES = 10_000
#: What a link may lead to.
_WEB = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x20\x7f]+", re.IGNORECASE)
_TOO_LONG = "This is too long or too nested to be formatted, so it is shown as it is."

_PLAIN = {
    "emphasis": "em",
    "strong": "strong",
    "strikethrough": "del",
    "paragraph": "p",
    "list_item": "li",
    "table_row": "tr",
}
_BLOCKS = {"block_quote": "blockquote", "table": "table", "table_body": "tbody"}


def to_html(text: str) -> str:
    """Return a text as HTML."""
    if len(text) > LONGEST_TEXT or len(text.splitlines()) > MOST_LINES:
        return _as_it_is(text)
    try:
        return _all(parse(text), in_link=False)
    except RecursionError:
        return _as_it_is(text)


def page(text: str, *, above: str = "", below: str = "") -> str:
    """Return a text as HTML between two lines of ours."""
    notes = [note and f"<p><em>{words(note)}</em></p>\n" for note in (above, below)]
    return f"{notes[0]}{to_html(text)}{notes[1]}"


def heading(text: str, level: int) -> str:
    """Return words as a heading."""
    return f"<h{level}>{words(readable(text))}</h{level}>"


def words(text: str) -> str:
    """Return words as HTML in which a typesetter finds no formula."""
    # It looks for the marks of one within a run of text, and a tag ends that.
    return re.sub(r"[$\\]", r"<span>\g<0></span>", escape(text))


def _as_it_is(text: str) -> str:
    return f"<p><em>{_TOO_LONG}</em></p>\n<pre>{escape(readable(text))}</pre>\n"


def _all(tokens: list[Token], *, in_link: bool) -> str:
    return "".join(_one(token, in_link) for token in tokens)


def _one(token: Token, in_link: bool) -> str:
    kind = token["type"]
    if (write := _WRITERS.get(kind)) is not None:
        return write(token, in_link)
    inside = _inside(token, in_link)
    if (tag := _PLAIN.get(kind)) is not None:
        end = "" if kind in {"emphasis", "strong", "strikethrough"} else "\n"
        return f"<{tag}>{inside}</{tag}>{end}"
    if (tag := _BLOCKS.get(kind)) is not None:
        return f"<{tag}>\n{inside}</{tag}>\n"
    return inside


def _inside(token: Token, in_link: bool) -> str:
    if "children" in token:
        return _all(token["children"], in_link=in_link)
    return words(readable(unescape(str(token.get("raw", "")))))


def _link(token: Token, in_link: bool) -> str:
    to = str(token["attrs"].get("url", ""))
    inside = _inside(token, True)
    if token["type"] == "image" and not inside.strip():
        inside = "image"
    if in_link:
        return inside
    if _WEB.fullmatch(to):
        # Both, because what opens in the same tab would close the notebook.
        return f'<a href="{escape(to)}" target="_blank" rel="noopener noreferrer">{inside}</a>'
    shown = words(to)
    return inside if to.startswith("#") or shown == inside else f"{inside} ({shown})"


def _block_code(token: Token, _: bool) -> str:
    # A newline that begins a `pre` would be dropped, hence the tag between.
    return f"<pre><code>{escape(token['raw'])}</code></pre>\n"


def _list(token: Token, in_link: bool) -> str:
    inside = _inside(token, in_link)
    if not token["attrs"]["ordered"]:
        return f"<ul>\n{inside}</ul>\n"
    start = int(token["attrs"].get("start", 1))
    begin = "" if start == 1 else f' start="{start}"'
    return f"<ol{begin}>\n{inside}</ol>\n"


def _heading(token: Token, in_link: bool) -> str:
    level = int(token["attrs"]["level"])
    return f"<h{level}>{_inside(token, in_link)}</h{level}>\n"


def _table_head(token: Token, in_link: bool) -> str:
    return f"<thead>\n<tr>{_inside(token, in_link)}</tr>\n</thead>\n"


def _table_cell(token: Token, in_link: bool) -> str:
    tag = "th" if token["attrs"].get("head") else "td"
    align = token["attrs"].get("align")
    style = f' style="text-align:{align}"' if align in {"left", "center", "right"} else ""
    return f"<{tag}{style}>{_inside(token, in_link)}</{tag}>"


_WRITERS: dict[str, Callable[[Any, bool], str]] = {
    "link": _link,
    "image": _link,
    "codespan": lambda token, _: f"<code>{escape(token['raw'])}</code>",
    "block_code": _block_code,
    "inline_formula": lambda token, _: f"<span>\\({escape(token['raw'])}\\)</span>",
    "display_formula": lambda token, _: f"<div>\\[{escape(token['raw'])}\\]</div>\n",
    "linebreak": lambda *_: "<br>\n",
    "softbreak": lambda *_: "\n",
    "blank_line": lambda *_: "",
    "thematic_break": lambda *_: "<hr>\n",
    "list": _list,
    "heading": _heading,
    "table_head": _table_head,
    "table_cell": _table_cell,
    "block_html": lambda token, _: f"<p>{words(token['raw'].strip())}</p>\n",
}
