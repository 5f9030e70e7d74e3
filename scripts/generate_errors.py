"""Write `docs/building/errors.md` from the table of errors; `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "building" / "errors.md"
INTRODUCTION = """\
# Errors

<!-- This page is made by scripts/generate_errors.py. -->

All that leaves the server about a failure: a code, its sentence, and over HTTP its status. The
list is closed, and nothing of an exception is ever in it. A reply that failed carries the code in
its `error`, the [socket](protocol.md) in `error` frames, the [HTTP API](api.md) in its answer.
Which of them a provider's words become is told in [providers and
models](../using/providers.md#errors).

| code | status | what a person is told |
|---|---|---|
"""


def page() -> str:
    """Return the page."""
    from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode

    rows = (f"| `{code}` | {SENTENCES[code][1]} | {SENTENCES[code][0]} |\n" for code in ErrorCode)
    return INTRODUCTION + "".join(rows)


if __name__ == "__main__":
    made = page()
    if "--check" in sys.argv[1:]:
        if not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != made:
            sys.exit("docs/building/errors.md is out of date: run scripts/generate_errors.py")
    else:
        TARGET.write_text(made, encoding="utf-8")
