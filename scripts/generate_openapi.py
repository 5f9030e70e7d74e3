"""Write `docs/building/openapi.json` from the models of the routes; `--check` only compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from jupyter_stop_chat.server.routes import document

TARGET = Path(__file__).resolve().parent.parent / "docs" / "building" / "openapi.json"

made = json.dumps(document(), indent=2) + "\n"
if "--check" in sys.argv[1:]:
    if not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != made:
        sys.exit("docs/building/openapi.json is out of date: run scripts/generate_openapi.py")
else:
    TARGET.write_text(made, encoding="utf-8")
