"""Take the pictures that the documentation shows from a run's screenshots, made small.

`make pictures` runs the tests that take them. A picture that a page shows and no test took ends
with 1; one that no page shows any more is deleted.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
TAKEN = ROOT / "artifacts" / "screenshots"
KEPT = ROOT / "docs" / "images"
SHOWN = re.compile(r"!\[[^]]*\]\((?:docs/)?images/([\w./-]+)\)")
#: A page has few colours, and screenshots have room for all there are.
COLOURS = 128


def shown() -> set[str]:
    """Return the places of the pictures that pages show, below their folder."""
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    return {name for page in pages for name in SHOWN.findall(page.read_text(encoding="utf-8"))}


def taken(name: str) -> Path:
    """Return where the run has left a picture."""
    return TAKEN / Path(name).name


def keep(name: str) -> None:
    """Put one picture where the pages show it."""
    (KEPT / name).parent.mkdir(exist_ok=True)
    if name.endswith(".png"):
        with Image.open(taken(name)) as picture:
            few = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            few.save(KEPT / name, optimize=True)
    else:
        shutil.copy(taken(name), KEPT / name)


def main() -> int:
    """Take them all, or say which are not there."""
    names = shown()
    missing = sorted(name for name in names if not taken(name).is_file())
    for name in missing:
        print(f"no test took {name}", file=sys.stderr)
    for name in names.difference(missing):
        keep(name)
    for file in KEPT.rglob("*.*"):
        if file.relative_to(KEPT).as_posix() not in names:
            file.unlink()
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
