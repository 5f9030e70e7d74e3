"""The pages of the documentation: what stands in them that can be run, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
#: The changelog tells of what was; all else of what is.
PAGES = (
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
#: A fenced block, with the comment right above it that says who runs it, or why nobody does.
_BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>(?:not run|run by):? [^\n]+) -->\n)?"
    r"^ *```(?P<language>[^\n]*)\n(?P<text>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    :ivar mark: what the page's source says of it: who runs it, or why nobody can.
    """

    page: str
    line: int
    language: str
    text: str
    mark: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def runs_here(self) -> bool:
        """Tell whether a test of this folder runs it."""
        return not self.mark


def name_of(page: Path) -> str:
    """Return what a page is called in what tests say."""
    return page.relative_to(ROOT).as_posix()


def blocks(*languages: str) -> list[Block]:
    """Return the blocks in some languages, or in all, of all pages."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for each in _BLOCK.finditer(text):
            if not languages or each["language"] in languages:
                line = text.count("\n", 0, each.start("language")) + 1
                shown = dedent(each["text"])
                made = Block(name_of(page), line, each["language"], shown, each["mark"] or "")
                found.append(made)
    return found


def spans() -> Iterator[tuple[str, str]]:
    """Yield each page's name with what stands in it as code within a line."""
    for page in PAGES:
        text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
        for each in _SPAN.finditer(text):
            yield name_of(page), each[1].replace("\\|", "|")


def prose(page: Path) -> str:
    """Return a page without its blocks and its code."""
    return _SPAN.sub("``", _BLOCK.sub("", page.read_text(encoding="utf-8")))
