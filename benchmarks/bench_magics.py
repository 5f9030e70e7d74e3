"""What `%load_ext jupyter_stop_chat` adds to an IPython that has started, in milliseconds.

Run: `python benchmarks/bench_magics.py`. Processes without it and with it take turns, so that a
busy machine slows both; their medians are compared. What must not be loaded is looked for as well.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile

#: The most that the magics may add, in milliseconds.
MOST = 150
HEAVY = ("langchain", "langchain_core", "sqlalchemy", "pydantic", "jupyter_server", "tornado")

PLAIN = """
import sys, time
began = time.perf_counter()
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_cell("1", store_history=False)
"""
LOADED = 'assert shell.run_cell("%load_ext jupyter_stop_chat", store_history=False).success\n'
TELL = f"""
took = (time.perf_counter() - began) * 1000
import json
print(json.dumps([took, [name for name in {HEAVY!r} if name in sys.modules]]))
"""


def run(program: str, folder: str) -> tuple[float, list[str]]:
    """Run a program in a process of its own; return its milliseconds and what it loaded."""
    ran = subprocess.run(
        [sys.executable, "-c", program + TELL],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env={"HOME": folder, "IPYTHONDIR": folder, "PATH": ""},
    )
    took, heavy = json.loads(ran.stdout.splitlines()[-1])
    return took, heavy


def main() -> int:
    """Measure, and tell whether it is little enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    plain, loaded = [], []
    with tempfile.TemporaryDirectory() as folder:
        run(PLAIN + LOADED, folder)  # so that all is compiled
        for _ in range(rounds):
            plain.append(run(PLAIN, folder)[0])
            took, heavy = run(PLAIN + LOADED, folder)
            loaded.append(took)
    before, after = statistics.median(plain), statistics.median(loaded)
    figures = {
        "plain_ms": round(before, 1),
        "with_magics_ms": round(after, 1),
        "more_ms": round(after - before, 1),
        "ratio": round(after / before, 3),
        "heavy": heavy,
    }
    print(json.dumps(figures))
    ok = after - before <= MOST and not heavy
    print("met" if ok else f"NOT MET: {MOST} ms more at most, and nothing heavy")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
