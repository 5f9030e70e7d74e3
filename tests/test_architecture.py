"""The page that says how it is built says what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.aids.in_turn import in_turn

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "building" / "architecture.md").read_text(encoding="utf-8")
FILE = re.compile(r"(?<![\w/])((?:[\w-]+/)*[\w-]+\.(?:py|ts|tsx|md)|(?:[a-z_]+/)+)(?![\w/])")
DOCS = ROOT / "docs"
PLACES = (ROOT / "jupyter_stop_chat", ROOT, DOCS, DOCS / "building", DOCS / "running")


def test_the_picture_is_what_the_imports_say() -> None:
    script = ROOT / "scripts" / "generate_rooms.py"
    subprocess.run([sys.executable, script, "--check"], check=True, timeout=60)


@in_turn("name", sorted(set(FILE.findall(PAGE))))
def test_what_it_names_is_there(name: str) -> None:
    assert any((place / name).exists() for place in PLACES), name


def test_it_names_every_room() -> None:
    package = ROOT / "jupyter_stop_chat"
    rooms = {f"{file.parent.name}/" for file in package.glob("*/__init__.py")}
    assert {room for room in rooms if f"`{room}`" not in PAGE} == set()


def test_the_top_of_the_package_is_small() -> None:
    files = {file.name for file in (ROOT / "jupyter_stop_chat").glob("*.py")}
    assert files == {
        "__init__.py",
        "api.py",
        "app.py",
        "closing.py",
        "services.py",
        "threads.py",
    }
