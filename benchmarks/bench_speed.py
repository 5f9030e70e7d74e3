"""What a word and a stop cost, beside raw baselines of the same run.

Run: `python benchmarks/bench_speed.py` (about a quarter of an hour; `--only words stops` for some
of it, `--quick` for a short one). It prints one table, and with `--write` writes it to
`docs/performance.md`. The baselines are a bare Tornado relay that saves nothing, and LangChain's
own stream consumed by an empty loop. They take turns: a machine that is busy is so for all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.speed import firsts, sizes, starts, stops, waiting, words  # noqa: E402
from benchmarks.speed.rows import HEAD, Row  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
ABOUT = """# Performance

What `{command}` found on a machine with {machine}. Ratios count: both sides of each are of one
run and took turns. The bare relay is a Tornado socket that passes a provider's words on and saves
nothing; LangChain alone is its stream in an empty loop. Ours saves each word before it is shown.

"""


def _machine() -> str:
    model = platform.processor() or "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines() if _has_proc() else ():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return (
        f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


def _has_proc() -> bool:
    return Path("/proc/cpuinfo").exists()


async def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", help="some of: " + ", ".join(_parts(False, [1])))
    parser.add_argument("--streams", nargs="*", type=int, default=[1, 8, 64])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    asked = parser.parse_args()
    rows: list[Row] = []
    print(HEAD, flush=True)
    for name, measure in _parts(asked.quick, asked.streams).items():
        if not asked.only or name in asked.only:
            rows += await measure()
    if asked.write:
        command = " ".join(["python", "benchmarks/bench_speed.py", *sys.argv[1:]])
        lines = [HEAD, *(row.markdown() for row in rows)]
        about = ABOUT.format(command=command, machine=_machine())
        PAGE.write_text(about + "\n".join(lines) + "\n")
    return 0 if all(row.met for row in rows) else 1


def _parts(quick: bool, streams: list[int]) -> dict[str, Callable[[], Awaitable[list[Row]]]]:
    seconds, rounds = (3.0, 1) if quick else (8.0, 3)
    return {
        "words": lambda: words.measure(streams, seconds, rounds),
        "stops": lambda: stops.measure(15 if quick else 25, [] if quick else [64, 256]),
        "firsts": lambda: firsts.first_texts(7 if quick else 25),
        "others": lambda: firsts.other_requests(seconds),
        "waiting": waiting.measure,
        "replies": lambda: sizes.replies(seconds),
        "chats": lambda: sizes.chats([10, 1000] if quick else [10, 1000, 10_000]),
        "starts": lambda: starts.measure(2 if quick else 9),
    }


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
