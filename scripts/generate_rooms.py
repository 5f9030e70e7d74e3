"""Draw the rooms of the package, from their imports, into `docs/building/architecture.md`.

python scripts/generate_rooms.py           write the picture anew
python scripts/generate_rooms.py --check   fail when it is not what the imports say
"""

from __future__ import annotations

import sys
from pathlib import Path

import grimp

PACKAGE = "jupyter_stop_chat"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "building" / "architecture.md"
BEGIN, END = "<!-- rooms -->\n", "<!-- /rooms -->"


def arrows() -> dict[str, set[str]]:
    """Return which room imports which, for types and inside functions as well."""
    graph = grimp.build_graph(PACKAGE)
    rooms = sorted(graph.find_children(PACKAGE))
    return {
        _name(room): {
            _name(other) for other in rooms if other != room and _imports(graph, room, other)
        }
        for room in rooms
    }


def _imports(graph: grimp.ImportGraph, room: str, other: str) -> bool:
    ours, theirs = ({each} | set(graph.find_descendants(each)) for each in (room, other))
    return any(graph.find_modules_directly_imported_by(each) & theirs for each in ours)


def _name(module: str) -> str:
    return module.removeprefix(f"{PACKAGE}.")


def reduced(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """Leave out each arrow that others lead along as well."""

    def reach(room: str) -> set[str]:
        return set().union(*({other} | reach(other) for other in arrows[room]))

    return {
        room: {
            other
            for other in others
            if not any(other in reach(third) for third in others if third != other)
        }
        for room, others in arrows.items()
    }


def picture() -> str:
    """Return the picture, as Mermaid draws it."""
    lines = ["```mermaid", "flowchart TD"]
    for room, others in sorted(reduced(arrows()).items()):
        lines.extend(f"  {room} --> {other}" for other in sorted(others))
    return "\n".join([*lines, "```", ""])


def main() -> int:
    """Write the picture, or compare it."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    new = f"{before}{BEGIN}{picture()}{END}{after}"
    if "--check" in sys.argv:
        if new != text:
            print("the picture in docs/building/architecture.md is not what the imports say")
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
