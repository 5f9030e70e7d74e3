"""How late the event loop is, by which what is done in steps takes fewer of them.

A step costs the same whether a few words go with it or many. Where a loop has more to do than it
can, each step that is taken makes the next one later, and a stop as well.
"""

from __future__ import annotations

#: What was seen counts half after so long, in seconds.
HALF_LIFE = 0.25
#: By so many times what the loop is late an interval becomes longer, and to so many seconds at
#: most: whoever reads sees text grow four times a second then.
FACTOR = 2.0
LONGEST = 0.25


class Lateness:
    """How late those were called who waited for a moment: the worst of what was seen lately."""

    def __init__(self) -> None:
        self._late = 0.0
        self._seen_at = 0.0

    def saw(self, now: float, due: float) -> None:
        """Note when something is done that was due before.

        :param now: by the loop's clock, as `due` is.
        """
        # More makes no interval longer, but would count for longer.
        late = min(now - due, LONGEST / FACTOR)
        if late >= self._now_late(now):
            self._late, self._seen_at = late, now

    def longer(self, interval: float, now: float) -> float:
        """Return an interval, in seconds, as it is to be while the loop is late."""
        return max(interval, min(LONGEST, interval + FACTOR * self._now_late(now)))

    def _now_late(self, now: float) -> float:
        late: float = self._late * 0.5 ** (max(0.0, now - self._seen_at) / HALF_LIFE)
        return late
