"""What keeps a store from its file for a while."""

import asyncio
import sqlite3


class Fault:
    """What keeps a store from its file, and the wait until it is over."""

    def __init__(self, path):
        self._path = path
        self._over, self.saved = asyncio.Event(), asyncio.Event()
        self._lock = None

    async def sleep(self, seconds):
        await self._over.wait()
        await asyncio.sleep(0.001)

    def tell(self, degraded):
        if not degraded:
            self.saved.set()

    def begin(self):
        """Hold the lock of the file, as another process would; it can be read still."""
        self._lock = sqlite3.connect(self._path)
        self._lock.execute("BEGIN IMMEDIATE")

    async def end(self):
        self._lock.rollback()
        self._lock.close()
        self._over.set()
