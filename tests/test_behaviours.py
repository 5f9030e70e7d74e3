"""The page of behaviours: it names the tests there are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_names_tests_that_are_there() -> None:
    ran = subprocess.run(
        [sys.executable, ROOT / "scripts" / "behaviours.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
