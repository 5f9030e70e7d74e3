"""A message within a Markdown document, wherever that is opened.

What opens one runs the HTML in it, follows links of any kind, loads images, draws diagrams and
typesets formulas, each reader in a way of its own, and nbconvert cleans nothing. So a message
stands in it as it was written only if there is nothing in it that any reader could take for more
than words and code. Any other stands there as HTML that shows the same and does nothing else.
"""

from __future__ import annotations

import re

from .html import heading, to_html
from .parser import LONGEST_TEXT, Token, parse, readable

#: What may be more than words in some reader, whether it is in code or not: readers differ in
#: what they take for code.
_MORE = re.compile(
    r"<[^\s=<>()\d-]"  # a tag, a comment, an address
    r"|&[#A-Za-z]"  # a letter in disguise
    r"|!\s*\["  # an image
    r"|\]\((?!https?://[^\s()<>\\]+\))"  # a link to what is not on the web
    r"|\$|\\[(\[\\A-Za-z]|@@"  # a formula, and what stands for one
    r"|mermaid|^[ \t>*+\-\d.)]*(?:`{3,}+|~{3,}+)[^\n`]*[^\w\s`~+#.-]"  # a diagram, an odd fence
    r"|^[ \t]*:::|^[ \t]*\{|^---|^\+\+\+"  # what readers add to Markdown
    r"|\{\{|\{%|\}`|`\{"  # what they put in its place, or run
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]",
    re.IGNORECASE | re.MULTILINE,
)
#: What a link's address may be defined with, far from the link.
_DEFINITION = (
    re.compile(r"^[ \t>*+\-\d.)]*\[", re.MULTILINE),
    re.compile(r"\][ \t\n]*:"),
)
#: What ends a message, to see whether what follows it is a part of it.
_END: Token = {"type": "text", "raw": "\ufdd2"}


def in_document(text: str) -> str:
    """Return a message's text as a part of a Markdown document that does nothing."""
    text = readable(text).strip("\r\n").rstrip()
    if len(text) <= LONGEST_TEXT and _is_words(text):
        for whole in (text, *(f"{text}\n{fence}" for fence in ("```", "~~~"))):
            if _is_closed(whole):
                return whole
    return _as_block(to_html(text))


def title_in_document(title: str) -> str:
    """Return a title as a heading of a Markdown document."""
    line = " ".join(readable(title).split())
    plain = bool(line) and _is_words(line) and not re.search(r"[\\`*_\[\]<>~|#]", line)
    return f"# {line}" if plain else _as_block(heading(line, 1))


def _is_words(text: str) -> bool:
    return not _MORE.search(text) and not all(part.search(text) for part in _DEFINITION)


def _is_closed(text: str) -> bool:
    """Tell whether a paragraph that follows a text is none of it."""
    try:
        last = parse(f"{text}\n\n{_END['raw']}")[-1]
    except RecursionError:
        return False
    return bool(last["type"] == "paragraph" and last["children"] == [_END])


def _as_block(html: str) -> str:
    """Write HTML so that no reader of Markdown finds anything in it.

    A blank line would end the block, and what has a meaning in Markdown is written as a number.
    """
    shown = re.sub(r"[\\`$@*_~\[\]!|{}:]", lambda each: f"&#{ord(each[0])};", html)
    shown = re.sub(r"^([^\S\n]*)\n", r"\1&#10;", shown, flags=re.MULTILINE)
    return f"<div>\n{shown.rstrip()}\n</div>"
