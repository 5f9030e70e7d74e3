"""Every block of the documentation is run, or its page's source says why it cannot be."""

from __future__ import annotations

import pytest

from tests.docs.pages import ROOT, blocks

#: Each language, and what of this folder runs its blocks.
RUN = {
    "bash": "test_commands.py",
    "ipython": "test_magics.py",
    "json": "test_data.py",
    "mermaid": "../test_architecture.py",
    "python": "test_python.py",
    "sse": "test_data.py",
    "text": "../test_architecture.py",
    "toml": "test_data.py",
    "ts": "test_typescript.py",
    "yaml": "test_data.py",
}


def test_each_block_is_of_a_language_that_a_test_runs() -> None:
    unknown = [f"{each}: {each.language!r}" for each in blocks() if each.language not in RUN]
    assert unknown == []
    lost = [name for name in RUN.values() if not (ROOT / "tests" / "docs" / name).is_file()]
    assert lost == []


def test_plain_text_is_no_way_around() -> None:
    """Only the ways through the rooms are text; each file in them is looked for."""
    assert {each.page for each in blocks("text")} == {"docs/building/architecture.md"}


def test_who_is_said_to_run_a_block_names_its_page() -> None:
    elsewhere = [each for each in blocks() if each.mark.startswith("run by")]
    assert elsewhere
    for each in elsewhere:
        text = (ROOT / each.mark.removeprefix("run by ")).read_text(encoding="utf-8")
        page = each.page.rpartition("/")[2]
        assert page in text or f'"{page.removesuffix(".md")}"' in text, str(each)


def test_what_is_not_run_says_why(record_property: pytest.TestReport) -> None:
    """The list is in the report of the run, with `-s` on the screen too."""
    left = {str(each): each.mark for each in blocks() if each.mark.startswith("not run")}
    for where, mark in left.items():
        print(f"{where}: {mark}")
        assert len(mark.removeprefix("not run: ").split()) >= 4, where
    assert len(left) <= 4, "an example that nobody runs is soon wrong"
