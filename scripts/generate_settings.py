"""Write `docs/settings.md` from the settings themselves; `--check` only compares."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
INTRODUCTION = """\
# Settings

Those of the server, for whoever runs it. They are `c.NAME = value` in `jupyter_server_config.py`,
the same in `jupyter_server_config.json`, or `--NAME=value` behind `jupyter lab`.
`jupyter stop-chat settings` lists them all with what is in effect on a machine, keys masked, and
says what is wrong with them. Jupyter Server's own `--help-all` knows only the server itself, so it
names none of them. With a setting that is wrong the chat is off: see [deployment](deployment.md).

What each person sets for themselves is in JupyterLab's settings editor, under Stop Chat.

<!-- The table is made by scripts/generate_settings.py. -->

| setting | may be | default | |
|---|---|---|---|
"""


def page() -> str:
    """Return the page, the same on every machine."""
    with tempfile.TemporaryDirectory() as empty:
        os.environ |= {"JUPYTER_CONFIG_DIR": empty, "JUPYTER_CONFIG_PATH": empty}
        from jupyter_stop_chat.app import StopChatApp
        from jupyter_stop_chat.settings.table import settings_of

        rows = [
            _row(f"`{each.name}`", each.may_be, f"`{each.default}`", each.help)
            for each in settings_of(StopChatApp())
        ]
    return INTRODUCTION + "".join(rows)


def _row(*cells: str) -> str:
    escaped = (each.replace("|", "\\|") for each in cells)
    return f"| {' | '.join(escaped)} |\n"


if __name__ == "__main__":
    made = page()
    if "--check" in sys.argv[1:]:
        if not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != made:
            sys.exit("docs/settings.md is out of date: run scripts/generate_settings.py")
    else:
        TARGET.write_text(made, encoding="utf-8")
