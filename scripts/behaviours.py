"""Fill in which tests prove which behaviour, in `docs/building/behaviours.md`.

A test names the ids it proves in its docstring, or in a TypeScript test's title. With `--check`,
nothing is written, and a test that is named on the page and is not there (any more) ends with 1.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "building" / "behaviours.md"
ID = re.compile(r"\b[LVSJBTPRHWUCN][1-9]\d?\b")
ROW = re.compile(r"^\| ([LVSJBTPRHWUCN]\d+) \| (.*?) \|(.*)\|$")
TITLE = re.compile(r"\b(?:it|test|describe)\(\s*['\"`](.*?)['\"`],")
#: So many tests are named in a row; the rest are a search away.
MOST = 4


def proven() -> dict[str, list[str]]:
    """Find the tests that name each id."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        where = file.relative_to(ROOT / "tests").as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for id_ in dict.fromkeys(ID.findall(ast.get_docstring(node) or "")):
                    if node.name.startswith("test_"):
                        found[id_].append(f"`{where}::{node.name}`")
    for file in sorted((ROOT / "labextension" / "test").rglob("*.spec.ts*")):
        for title in TITLE.findall(file.read_text()):
            for id_ in dict.fromkeys(ID.findall(title)):
                found[id_].append(f"`{file.relative_to(ROOT).as_posix()}`: {title}")
    return found


def filled(page: str) -> str:
    """Return the page with its last column made anew."""
    found = proven()
    lines = []
    for line in page.splitlines():
        row = ROW.match(line)
        if row:
            # What a person touches comes first: the browser, then the socket.
            tests = sorted(found[row[1]], key=lambda each: ("browser" not in each, each))
            named = "<br>".join(tests[:MOST]) or "not yet"
            line = f"| {row[1]} | {row[2]} | {named} |"  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the page, or check it."""
    page = PAGE.read_text()
    if "--check" in sys.argv:
        there = {name for names in proven().values() for name in names}
        rows = [row for row in map(ROW.match, page.splitlines()) if row]
        named = {name.strip() for row in rows for name in row[3].split("<br>")} - {"not yet"}
        for name in sorted(named - there):
            print(f"docs/building/behaviours.md names {name}, which is not there", file=sys.stderr)
        return int(not rows or bool(named - there))
    PAGE.write_text(filled(page))
    return 0


if __name__ == "__main__":
    sys.exit(main())
