"""Tell the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now(seconds: float = 0) -> str:
    """Return the time as the wire contract writes it: ISO 8601, in UTC.

    :param seconds: how much later than now.
    """
    then = datetime.now(UTC) + timedelta(seconds=seconds)
    return then.isoformat(timespec="microseconds").replace("+00:00", "Z")
