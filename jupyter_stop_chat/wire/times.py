"""Times as the wire contract writes them: ISO 8601, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now(seconds: float = 0) -> str:
    """Return the time.

    :param seconds: how much later than now.
    """
    return written(datetime.now(UTC) + timedelta(seconds=seconds))


def day_of(when: datetime) -> str:
    """Return the day of a time, in UTC: `2026-03-09`."""
    return written(when)[:10]


def written(when: datetime) -> str:
    """Write a time; one without a zone counts as UTC."""
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    try:
        when = when.astimezone(UTC)
    except OverflowError:  # at the edge of the calendar
        when = datetime.now(UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
