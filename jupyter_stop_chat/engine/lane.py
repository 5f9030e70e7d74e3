"""A lane: one chat's generations, one at a time, in the order they were asked for."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Literal

from jupyter_stop_chat.wire.objects import Chat

from .generation import Generation


@dataclass(slots=True, eq=False)
class Lane:
    """What runs and what waits in one chat.

    :ivar write_lock: lets one request at a time be written to the store, in order.
    :ivar newest_reply: the newest that was begun, if known: the next prompt follows it.
    """

    chat_id: str
    owner: str
    chat: Chat | None = None
    running: Generation | None = None
    waiting: deque[Generation] = field(default_factory=deque)
    paused: bool = False
    newest_reply: str | None = None
    newest_known: bool = False
    write_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _changed: dict[str, object] = field(default_factory=dict)

    async def read_chat(self, read: Awaitable[Chat]) -> None:
        """Take the chat as it is read; what was changed of it meanwhile is newer."""
        self._changed.clear()
        chat = await read
        self.chat = chat.model_copy(update=self._changed)

    def change_chat(self, **changes: object) -> None:
        """Change the chat as it is known here, and as it is being read."""
        self._changed |= changes
        if self.chat is not None:
            self.chat = self.chat.model_copy(update=changes)

    @property
    def busy(self) -> bool:
        """Tell whether anything is in it."""
        return self.running is not None or bool(self.waiting)

    @property
    def taken(self) -> bool:
        """Tell whether something is made or waits that nobody has stopped."""
        running = self.running is not None and self.running.stop is None
        return running or any(waiting.stop is None for waiting in self.waiting)

    def enter(self, generation: Generation, *, first: bool) -> None:
        """Take a generation in: at the end, or before what waits in its turn.

        Of several that go first, the one that came first does.
        """
        if not first:
            self.waiting.append(generation)
            return
        generation.goes_first = True
        at = 0
        while at < len(self.waiting) and self.waiting[at].goes_first:
            at += 1
        self.waiting.insert(at, generation)

    def replaced_by(self, generation: Generation) -> list[Generation]:
        """Return what an interrupt takes the place of: what runs, and the interrupts before it."""
        if not generation.interrupts:
            return []
        waiting = list(self.waiting)
        before = waiting[: waiting.index(generation)] if generation in waiting else []
        return [
            *([self.running] if self.running is not None else []),
            *(each for each in before if each.interrupts),
        ]

    def next(self) -> Generation | None:
        """Return what may start now, and take it out of the queue."""
        if self.running is not None or self.paused:
            return None
        # One that was stopped while it waited is being settled: it must not start any more.
        first = next((waiting for waiting in self.waiting if waiting.stop is None), None)
        if first is None or not first.accepted.done():
            return None
        self.waiting.remove(first)
        self.running = first
        return first

    def remove(self, generation: Generation) -> None:
        """Forget a generation, wherever it is."""
        if self.running is generation:
            self.running = None
        elif generation in self.waiting:
            self.waiting.remove(generation)
        if not self.waiting:
            self.paused = False

    @property
    def state(self) -> Literal["idle", "generating", "asking", "queued", "paused"]:
        """Return the chat's state as a client is told."""
        if self.running is not None:
            return "asking" if self.running.asks else "generating"
        if self.waiting:
            return "paused" if self.paused else "queued"
        return "idle"
