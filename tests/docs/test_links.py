"""Where the pages lead: each link, each picture and each heading that is named is there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from tests.docs.pages import PAGES, ROOT, name_of, prose

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MOST = 20


def anchors(page: Path) -> set[str]:
    """Return what the headings of a page are reached by, as GitHub makes it of their words."""
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    found: set[str] = set()
    for heading in HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        same = sum(each == slug or each.startswith(f"{slug}-") for each in found)
        found.add(f"{slug}-{same}" if slug in found else slug)
    return found


def test_each_link_leads_somewhere() -> None:
    """H13."""
    lost = []
    for page in (*PAGES, ROOT / "CHANGELOG.md"):
        for target in LINK.findall(prose(page)):
            if re.match(r"\w+:", target):
                continue
            path, _, anchor = target.partition("#")
            where = (page.parent / unquote(path)).resolve() if path else page
            if not where.exists() or (anchor and anchor not in anchors(where)):
                lost.append(f"{name_of(page)}: {target}")
    assert lost == []


def test_each_picture_is_there_is_told_in_words_and_is_small() -> None:
    shown = set()
    for page in PAGES:
        for words, target in PICTURE.findall(page.read_text(encoding="utf-8")):
            assert words, f"{target} of {name_of(page)} is told to nobody who does not see it"
            shown.add((page.parent / target).resolve())
    kept = {each for each in (ROOT / "docs" / "images").rglob("*") if each.is_file()}
    assert shown == kept
    assert sum(each.stat().st_size for each in kept) < 4 * 2**20
    assert (ROOT / "docs" / "images" / "stop.webp").stat().st_size < 1.5 * 2**20


def test_the_index_names_each_page() -> None:
    index = ROOT / "docs" / "README.md"
    targets = [each.partition("#")[0] for each in LINK.findall(prose(index))]
    named = {(index.parent / each).resolve() for each in targets}
    pages = {each for each in (ROOT / "docs").rglob("*") if each.suffix in {".md", ".ipynb"}}
    assert pages - named == {index}


def test_no_folder_holds_more_than_is_seen_at_once() -> None:
    for folder in (ROOT / "docs", *(each for each in (ROOT / "docs").rglob("*") if each.is_dir())):
        files = [each for each in folder.iterdir() if each.is_file()]
        assert len(files) <= MOST, folder
