"""A chat handler that says what it is fed, for tests in which time decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from jupyter_stop_chat.ports.handler import Event, Text, Turn


class Fed:
    """What says what it is told to say, word by word.

    :ivar said: all text that each reply was fed, by message id.
    """

    def __init__(self) -> None:
        self.said: dict[str, str] = {}
        self._words: dict[str, asyncio.Queue[Event | None]] = {}

    def feed(self, message_id: str, *events: Event | str | None) -> None:
        """Let a reply say something; None ends it."""
        for event in events:
            if isinstance(event, str):
                self.said[message_id] = self.said.get(message_id, "") + event
                event = Text(event)  # noqa: PLW2901
            self._of(message_id).put_nowait(event)

    def _of(self, message_id: str) -> asyncio.Queue[Event | None]:
        return self._words.setdefault(message_id, asyncio.Queue())

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """Say it."""
        turn.provider_started()
        words = self._of(turn.message_id)
        while (event := await words.get()) is not None:
            yield event
        turn.provider_closed()

    async def close(self) -> None:
        """Have nothing to let go of."""
