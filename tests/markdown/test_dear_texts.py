"""Texts that are dear to read: none may hold a cell, or an export, for long."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from jupyter_stop_chat.magics.names import fill_in
from jupyter_stop_chat.markdown.code import code_blocks
from jupyter_stop_chat.markdown.document import in_document
from jupyter_stop_chat.markdown.html import to_html

LENGTH = 40_000
USUAL = "1. Some *words* and `code`.\n"
#: How many times as long as usual Markdown of the same length a text may take.
BOUND = 15

#: What a text is made of that is full of beginnings without an end.
DEAR = [
    "[", "![", "[a](", "[a](<", "[a][b]", "[a]: x\n", "](", "]:", "*a ", "**a ", "_a ", "***a",
    "*_", "~", "~~", "~~a ", "`", "``a `", "`[", "a`", "<a ", "<", "<!--", "<http://", "&", "\\",
    "$", "$$", "$a ", "$a\n", "- $\n", "\\$", "$ \\$", "\\(", "\\[\n", "\\begin{align}",
    "\\(" * 1900 + "\\foo\\)", "\\[" * 1900 + "\\foo\\]", "$$\na\n", "> ", "> - ", "- > ", "- a\n",
    "- a\n  ", "1.\n", "|", "| a | b |\n|---|---|\n", "a\n===\n", "```a\n", "~~~\n", "# ", "\t",
    "\n", "https://", "https://a ", "https://a(", "https://a)", "a@b.c ", '"', '\\"', "'", "\\'",
    "{", "{a} ", "(", "```py\nx\n```\n\n",
]  # fmt: skip


def _seconds(read: Callable[[str], object], text: str) -> float:
    began = time.process_time()
    read(text)
    return time.process_time() - began


def _fill(text: str) -> object:
    return fill_in(f"{text} {{name}} a", {"name": "Ada"})


@pytest.mark.parametrize(
    "pieces", [DEAR[::4], pytest.param(DEAR, marks=pytest.mark.stress)], ids=["some", "all"]
)
@pytest.mark.parametrize("read", [to_html, in_document, code_blocks, _fill])
def test_no_text_takes_much_longer_than_a_usual_one(
    read: Callable[[str], object], pieces: list[str]
) -> None:
    """R5, P1: the parser, the formulas and each pattern of ours, by the clock of this process."""
    usual = min(_seconds(read, USUAL * (LENGTH // len(USUAL))) for _ in range(3))
    for piece in pieces:
        text = (piece * (LENGTH // len(piece) + 1))[:LENGTH]
        took = _seconds(read, text)
        assert took < BOUND * usual, (
            f"{piece[:20]!r}: {took:.2f} s, and a usual text {usual:.2f} s"
        )
