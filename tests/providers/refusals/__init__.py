"""What servers refuse, in their own words, with the code that each of them means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LONG, FAILED, RATE = "context_too_long", "provider_failed", "rate_limited"


def _read(name: str) -> Any:
    return json.loads((Path(__file__).parent / f"{name}.json").read_text(encoding="utf-8"))


#: By a name: the status, the body (a string as it is), the code.
ERRORS: dict[str, tuple[int, Any, str]] = {
    name: tuple(each) for name, each in _read("errors").items()
}
#: Words for a chat that outgrew its model: a status and a body.
TOO_LONG: list[tuple[int, Any]] = [tuple(each) for each in _read("too_long")]
#: Words that only sound like it: a status, a body and the code.
OTHERWISE: list[tuple[int, Any, str]] = [tuple(each) for each in _read("otherwise")]
