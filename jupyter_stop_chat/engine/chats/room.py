"""Room: how many chats an owner may have, also while several are being made at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError


class Room:
    """What gives room for one more chat, and counts it until the store does.

    :param most: how many chats an owner may have; 0: any number.
    """

    def __init__(self, store: Store, most: int) -> None:
        self._store = store
        self._most = most
        #: For each owner, the chats that have room and are not in the store yet.
        self._coming: dict[str, set[asyncio.Future[None]]] = {}
        #: How many are in it by now, or never will be.
        self._made = 0

    @asynccontextmanager
    async def for_chat(self, owner: str) -> AsyncIterator[None]:
        """Hold room for one more chat while it is made.

        :raises StopChatError: `too_many_chats`.
        """
        while self._most > 0:
            made = self._made
            there = await self._store.count_chats(owner)
            if there >= self._most:
                raise StopChatError(ErrorCode.TOO_MANY_CHATS)
            if made != self._made:
                continue  # the store may not have seen what was made while it counted
            coming = self._coming.get(owner, set())
            if there + len(coming) < self._most:
                break
            # Some of them may be counted twice, and some may come to nothing.
            await asyncio.wait(coming, return_when=asyncio.FIRST_COMPLETED)
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._coming.setdefault(owner, set()).add(ended)
        try:
            yield
        finally:
            self._made += 1
            self._coming[owner].discard(ended)
            if not self._coming[owner]:
                del self._coming[owner]
            ended.set_result(None)
