"""A message within an exported document, which every reader opens in a way of its own."""

from __future__ import annotations

import json
import random
import re
import uuid
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt
from mistune import create_markdown
from nbconvert.filters.markdown_mistune import markdown2html_mistune

from jupyter_stop_chat.documents.export import export
from jupyter_stop_chat.markdown.document import in_document, title_in_document
from jupyter_stop_chat.wire.objects import Chat, ErrorInfo, Message, MessageState
from tests.markdown.drawn import TAGS
from tests.markdown.test_reply_html import PIECES, code_in_a_fence

CHAT, ASKED, TOLD = (str(uuid.UUID(int=at)) for at in range(3))
WHEN = "2026-01-02T03:04:05.678Z"

#: Readers of a document that let HTML through.
READERS: dict[str, Callable[[str], str]] = {
    "nbconvert": markdown2html_mistune,
    "mistune": create_markdown(escape=False, plugins=["table", "url"]),  # type: ignore[dict-item]
    "CommonMark": MarkdownIt("commonmark", {"html": True}).enable("table").render,
}


class _Seen(HTMLParser):
    """The tags in what a reader made."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.code: list[str] = []
        self._in_code = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # nbconvert's own signs beside headings and its colours.
        if tag == "a":
            to = str(dict(attrs)["href"])
            assert re.match(r"(?:https?://|mailto:|#)", to), to
        else:
            assert tag in TAGS, f"<{tag} {attrs}>"
        names = {name for name, _ in attrs}
        assert names <= {"href", "target", "rel", "class", "id", "start", "style"}, (
            f"<{tag} {attrs}>"
        )
        assert not any("url" in str(value) for name, value in attrs if name == "style")
        assert "mermaid" not in str(dict(attrs).get("class", "")).lower()
        if tag == "pre":
            self._in_code = True
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.code[-1] += data


@pytest.mark.parametrize("seeds", [800, pytest.param(2500, marks=pytest.mark.stress)])
@pytest.mark.parametrize("reader", READERS)
def test_random_markdown_does_nothing_in_any_reader(reader: str, seeds: int) -> None:
    """P3, H1: alone, and after a message that left something open."""
    for seed in range(seeds):
        made = random.Random(seed)
        texts = ["".join(made.choice(PIECES) for _ in range(made.randrange(1, 12))) for _ in "ab"]
        whole = "\n\n".join(f"**You**\n\n{in_document(text)}" for text in texts)
        try:
            _Seen(READERS[reader](whole))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {texts!r}") from error


@pytest.mark.parametrize("seeds", [500, pytest.param(1500, marks=pytest.mark.stress)])
@pytest.mark.parametrize("reader", ["nbconvert", "CommonMark"])
def test_code_reads_as_it_stands(reader: str, seeds: int) -> None:
    """R1, P3."""
    for seed in range(seeds):
        code, text = code_in_a_fence(seed)
        if "\t" in code and in_document(text) == text:
            continue  # a reader's own tabs
        seen = _Seen(READERS[reader](f"**Reply**\n\n{in_document(text)}\n\nEnd"))
        shown = [each.strip("\n") for each in seen.code]
        assert shown == [code.strip("\n")], f"seed {seed}: {text!r}"


@pytest.mark.parametrize(
    "text",
    [
        "Plain *words*, a [link](https://example.org/a) and `code`.",
        "1. Do\n\n   ```python\n   if a < 3 and b[1]: print('x')\n   ```\n\n2. Done",
        "| a | b |\n|---|---|\n| 1 | 2 |",
    ],
)
def test_what_is_only_words_and_code_stands_as_it_was_written(text: str) -> None:
    """L11."""
    assert in_document(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "![x](http://x.invalid/a)",
        "```mermaid\ngraph TD\nA[\"<img src='http://x.invalid'>\"]\n```",
        "```mer&#109;aid\nx\n```",
        "[a](javascript:alert(1))",
        "[a]\n\n[a]: javascript:alert(1)",
        "$\\style{background:url(http://x.invalid)}{y}$",
        "$x \\\\` $ <img src=x> ` ",
        "costs $5, the other $10",
        "a {{< video http://x.invalid >}}",
        "a {% include x %}",
        "an {image}`http://x.invalid/a`",
        "the sum is `{python} 1 + 1`",
    ],
)
def test_what_may_be_more_is_html_that_shows_it(text: str) -> None:
    """P3, H1, R2."""
    block = in_document(text)
    assert block.startswith("<div>\n")
    assert not re.search(r"\n\s*\n", block)
    assert not re.search(r"[$`!]|<img|mermaid\"", block)


def test_a_cut_fence_is_closed() -> None:
    """L11: what follows the message is none of its code."""
    assert in_document("So:\n```python\nx = 1") == "So:\n```python\nx = 1\n```"
    assert in_document("~~~\n```") == "~~~\n```\n~~~"


def test_titles() -> None:
    """P3: a model may have made it up."""
    assert title_in_document("A plan: B") == "# A plan: B"
    assert title_in_document("<img src=x>\n") == "<div>\n<h1>&lt;img src=x&gt;</h1>\n</div>"


def test_an_exported_notebook_does_nothing() -> None:
    """P3, H1: prompts, replies, the title and what is said of a failure."""
    bad = "<img src=x onerror=alert(1)> ![x](http://x.invalid/a)"
    chat = Chat(id=CHAT, owner="ada", created_at=WHEN, updated_at=WHEN, title=bad)
    common = {"chat_id": CHAT, "created_at": WHEN, "text": bad, "text_length": len(bad)}
    error = ErrorInfo(code="generation_failed", message=bad)
    asked = Message(id=ASKED, role="user", state=MessageState.COMPLETED, **common)
    told = Message(
        id=TOLD, role="assistant", state=MessageState.FAILED, reply_to=ASKED, error=error, **common
    )
    cells = json.loads(export(chat, [asked, told], "ipynb"))["cells"]
    for text in (*(cell["source"] for cell in cells), export(chat, [asked, told], "md")):
        for read in READERS.values():
            _Seen(read(text))
        assert "![" not in text
        assert "<img" not in text
