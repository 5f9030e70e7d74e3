"""Room for what is worked on at once, of which nobody has all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Room:
    """Places for what is worked on at once, of which each owner has a share.

    Who has more work waits behind their own, and keeps no place from the others.

    :param count: how many places there are.
    :param share: how many of them one owner has at most.
    """

    def __init__(self, count: int, share: int) -> None:
        self._all = asyncio.Semaphore(count)
        self._share = share
        self._shares: dict[str, asyncio.Semaphore] = {}
        #: How many work or wait, by owner: who does not takes up no memory.
        self._here: dict[str, int] = {}

    @asynccontextmanager
    async def place(self, owner: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it within the block."""
        share = self._shares.setdefault(owner, asyncio.Semaphore(self._share))
        self._here[owner] = self._here.get(owner, 0) + 1
        try:
            async with share, self._all:
                yield
        finally:
            self._here[owner] -= 1
            if not self._here[owner]:
                del self._here[owner], self._shares[owner]
