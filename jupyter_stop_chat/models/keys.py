"""The keys that people give in the page: each its owner's, and nobody else's.

They are read once, in a thread, and looked up from memory after that, wrapped so that no print-out
shows them. Where they are kept over a restart is `key_file`'s affair.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.pasted import ADDRESS, LONGEST_ADDRESS, meant_address, meant_key

from .key_file import Entry, KeyFile

log = logging.getLogger(__name__)

#: So long a keychain is waited for by who needs no key of it, in seconds.
QUICK_S = 1.0


@dataclass(frozen=True, slots=True)
class Given:
    """What an owner gave for a provider: a key, an address, or both."""

    key: SecretStr | None = None
    base_url: str | None = None
    locked: bool = False


class Keys:
    """What keeps what people give, by owner and provider.

    :param file: where it is kept over a restart.
    :param on_change: told an owner and a provider whose key is another now.
    """

    def __init__(self, file: KeyFile, on_change: Callable[[str, str], None]) -> None:
        self._file = file
        self._on_change = on_change
        self._given: dict[tuple[str, str], Given] = {}
        self._stamp: object = None
        self._lock = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None

    def given(self, owner: str, provider: str) -> Given:
        """Return what an owner gave for a provider, as it was last read."""
        return self._given.get((owner, provider), Given())

    async def refresh(self, wanted: tuple[str, str] | None = None) -> None:
        """Read again what another server process may have changed, or a keychain may give now.

        :param wanted: owner and provider, for whose locked key the keychain is waited for; nobody
            else waits long.
        """
        for _ in range(2):  # a look that had begun may have missed a change
            stamp = await asyncio.to_thread(self._file.stamp)
            locked = self._locked(wanted)
            if stamp == self._stamp and not locked:
                return
            if self._stamp is None:
                # Which keys there are is known before a keychain gives them.
                names = await asyncio.to_thread(self._file.read_names)
                if self._stamp is None:
                    self._adopt(names)
            if self._looking is None:
                self._looking = asyncio.create_task(self._look(), name="stop-chat look for keys")
                self._looking.add_done_callback(self._looked)
            waits = wanted is not None and self._locked(wanted)
            await asyncio.wait({self._looking}, timeout=None if waits else QUICK_S)
            if locked or stamp == self._stamp:
                return

    def close(self) -> None:
        """Wait for no keychain any more."""
        if self._looking is not None:
            self._looking.cancel()

    async def give_key(self, owner: str, provider: str, key: str) -> None:
        """Keep a key; it replaces the one that was given before.

        :raises StopChatError: `invalid_key`, or `internal` when it cannot be kept.
        """
        key = meant_key(key)
        await self._write(owner, provider, lambda given: Given(SecretStr(key), given.base_url))

    async def give_address(self, owner: str, provider: str, base_url: str) -> None:
        """Keep an address; a key that was given for another one is forgotten.

        :raises StopChatError: `invalid_address`, or `internal` when it cannot be kept.
        """
        base_url = meant_address(base_url)
        if re.fullmatch(ADDRESS, base_url) is None or len(base_url) > LONGEST_ADDRESS:
            raise StopChatError(ErrorCode.INVALID_ADDRESS, "base_url")
        await self.refresh()
        if self.given(owner, provider).base_url == base_url:
            return  # and a key that a keychain does not give now stays in it
        await self._write(owner, provider, lambda given: Given(None, base_url))

    async def forget_key(self, owner: str, provider: str) -> None:
        """Forget a key; nothing happens where none was given.

        :raises StopChatError: `internal`, when that cannot be written down.
        """
        await self._write(owner, provider, lambda given: Given(None, given.base_url))

    async def forget(self, owner: str, provider: str) -> None:
        """Forget all that was given for a provider.

        :raises StopChatError: `internal`, when that cannot be written down.
        """
        await self._write(owner, provider, lambda given: Given())

    def _locked(self, wanted: tuple[str, str] | None) -> bool:
        if wanted is not None:
            return self.given(*wanted).locked
        return any(each.locked for each in self._given.values())

    async def _look(self) -> None:
        async with self._lock:
            stamp = await asyncio.to_thread(self._file.stamp)
            self._adopt(await asyncio.to_thread(self._file.read))
            self._stamp = stamp

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("given keys cannot be read: %s", type(error).__name__)

    async def _write(self, owner: str, provider: str, change: Callable[[Given], Given]) -> None:
        async with self._lock:
            given = change(self.given(owner, provider))
            entry = None
            if given != Given():
                key = given.key.get_secret_value() if given.key else None
                entry = Entry(key, given.base_url)
            try:
                entries = await asyncio.to_thread(self._file.change, owner, provider, entry)
            except (OSError, RuntimeError) as error:
                detail = f"keys cannot be kept: {type(error).__name__}"
                raise StopChatError(ErrorCode.INTERNAL, detail) from error
            self._stamp = await asyncio.to_thread(self._file.stamp)
            self._adopt(entries)

    def _adopt(self, entries: dict[tuple[str, str], Entry]) -> None:
        before = self._given
        self._given = {
            who: Given(SecretStr(each.key) if each.key else None, each.base_url, each.locked)
            for who, each in entries.items()
        }
        for who in {*before, *self._given}:
            if before.get(who) != self._given.get(who):
                self._on_change(*who)
