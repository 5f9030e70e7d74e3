"""How often somebody may ask, and how much somebody may hold open at once."""

from __future__ import annotations

import time
from collections.abc import Callable

#: So many buckets are kept before those that have filled up again are let go of.
MANY_BUCKETS = 1000


class Bucket:
    """A bucket of tokens that fills at a rate; who asks takes one.

    :param rate: tokens a second; 0 or less: there is no limit.
    :param burst: how many it holds.
    :param clock: returns the time in seconds.
    """

    def __init__(
        self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = max(1.0, burst)
        self._clock = clock
        self._tokens = self._burst
        self._at = clock()

    @property
    def wait(self) -> float:
        """Return the seconds until there is a token."""
        if self._rate <= 0:
            return 0.0
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (1.0 - self._tokens) / self._rate)

    @property
    def full(self) -> bool:
        """Tell whether nothing is missing: who comes next may be given a new one instead."""
        return self.wait == 0.0 and (self._rate <= 0 or self._tokens >= self._burst)

    def take(self) -> float:
        """Take a token; return 0, or the seconds until there is one."""
        wait = self.wait
        if wait == 0.0:
            self._tokens -= 1.0
        return wait


class Rates:
    """What keeps a bucket for each owner.

    :param make: makes one; asked each time, so that settings may change.
    """

    def __init__(self, make: Callable[[], Bucket]) -> None:
        self._make = make
        self._buckets: dict[str, Bucket] = {}

    def take(self, owner: str) -> float:
        """Take a token of an owner's; return 0, or the seconds until there is one."""
        bucket = self._buckets.get(owner)
        if bucket is None:
            if len(self._buckets) >= MANY_BUCKETS:
                self._buckets = {key: each for key, each in self._buckets.items() if not each.full}
            bucket = self._buckets[owner] = self._make()
        return bucket.take()


class Held:
    """What counts what each owner holds open."""

    def __init__(self) -> None:
        self._held: dict[str, set[object]] = {}

    def take(self, owner: str, thing: object, most: int) -> bool:
        """Note one more of an owner's; tell whether there was room.

        :param most: how many an owner may hold; 0: any number.
        """
        held = self._held.get(owner, set())
        if 0 < most <= len(held):
            return False
        self._held.setdefault(owner, held).add(thing)
        return True

    def drop(self, owner: str, thing: object) -> None:
        """Note that an owner holds it no longer, if it was held at all."""
        held = self._held.get(owner, set())
        held.discard(thing)
        if not held:
            self._held.pop(owner, None)

    def __len__(self) -> int:
        return sum(map(len, self._held.values()))
