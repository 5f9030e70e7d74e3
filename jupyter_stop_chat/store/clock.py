"""Tell the time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return the time as the wire contract writes it: ISO 8601, in UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
