"""How fast the chat is, as ratios to raw baselines that are measured in the same run.

Run: `python benchmarks/bench_speed.py` (about a quarter of an hour; `--only stops` for one part).
A bare WebSocket relay, LangChain's stream in an empty loop, and the chat in a real Jupyter Server
with SQLite on the disk take turns at one provider on loopback; all are processes of their own.
Printed is one table; `--write` writes it to `docs/running/performance.md`. It fails when a target
is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from serving import ROOT
from speed import (
    clock,
    firsts,
    growth,
    others,
    pairs,
    start,
    stops,
    told,
    volume,
    waiting,
    words,
)
from speed.asked import Asked
from speed.rows import HEADINGS, Row, table

PARTS: dict[str, Callable[[Asked], AsyncIterator[Row]]] = {
    "words": words.measure,
    "stops": stops.measure,
    "firsts": firsts.measure,
    "told": told.measure,
    "others": others.measure,
    "waiting": waiting.measure,
    "bytes": volume.measure,
    "growth": growth.measure,
    "start": start.measure,
    "pairs": pairs.measure,
}
PAGE = ROOT / "docs" / "running" / "performance.md"
HEAD = """# How fast it is

Each figure stands beside that of a raw baseline, measured in the same run on the same machine,
in turns. **relay** is a bare WebSocket handler that hands a provider's words on and saves nothing;
**langchain** is LangChain's own stream, read by an empty loop, without a socket; **ours** saves
each word in SQLite on the disk before it is shown. Times are medians unless it says p99. Ratios
are what to compare: absolute figures are those of the machine.

"""


async def main() -> int:
    """Measure what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--streams", nargs="+", type=int, default=Asked().streams)
    parser.add_argument("--seconds", type=float, default=Asked().seconds)
    parser.add_argument("--rounds", type=int, default=Asked().rounds)
    parser.add_argument("--large", action="store_true", help="grow the database to a gigabyte")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    given = parser.parse_args()
    asked = Asked(given.streams, given.seconds, given.rounds, given.large)
    busy, began = os.getloadavg()[0], time.monotonic()
    rows: list[Row] = []
    print(" | ".join(HEADINGS))
    for name in given.only:
        async for row in PARTS[name](asked):
            rows.append(row)
            print(" | ".join(row.cells()), flush=True)
    command = shlex.join(["python", "benchmarks/bench_speed.py", *sys.argv[1:]])
    about = (
        f"{clock.machine()}; load {busy:.1f} at the beginning; "
        f"`{command}` took {(time.monotonic() - began) / 60:.0f} minutes."
    )
    written = f"{HEAD}{about}\n\n{table(rows)}"
    print(f"\n{about}\n\n{table(rows)}")
    if given.write:
        PAGE.write_text(written)
    missed = [row.what for row in rows if row.met is False]
    print("\n".join(["NOT MET:", *missed]) if missed else "met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
