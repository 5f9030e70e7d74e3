"""A turn that remembers what was reported to it, and a reader that keeps what it read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from jupyter_stop_chat.ports.handler import (
    ChatHandler,
    Event,
    Reasoning,
    Text,
    TokensUsed,
    Turn,
    TurnMessage,
)

Handler = TypeVar("Handler", bound=ChatHandler)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody tells of; the test's own limit ends the wait."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.002)


class Reported:
    """What remembers what a handler reported to its turn."""

    def __init__(self) -> None:
        self.reports: list[str] = []
        self.closed = asyncio.Event()

    def __call__(self, what: str) -> None:
        self.reports.append(what)
        if what == "closed":
            self.closed.set()


class Reading:
    """What reads one reply in a task of its own, as the engine does.

    :ivar events: what was read so far.
    """

    def __init__(self, handler: ChatHandler, prompt: str | list[str], **turn: Any) -> None:
        said = [prompt] if isinstance(prompt, str) else prompt
        messages = [
            TurnMessage("assistant" if at % 2 else "user", text) for at, text in enumerate(said)
        ]
        self.reported = Reported()
        turn = {"model": "smollm2", **turn}
        self.turn = Turn("chat", "message", messages, _report=self.reported, **turn)
        self.events: list[Event] = []
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self._read(handler))
        self.task.add_done_callback(lambda task: self._changed.set())

    async def _read(self, handler: ChatHandler) -> None:
        async with contextlib.aclosing(handler.reply(self.turn)) as events:
            async for event in events:
                self.events.append(event)
                self._changed.set()

    @property
    def text(self) -> str:
        """Return the text so far."""
        return "".join(event.text for event in self.events if isinstance(event, Text))

    @property
    def reasoning(self) -> str:
        """Return the reasoning so far."""
        return "".join(event.text for event in self.events if isinstance(event, Reasoning))

    @property
    def tokens(self) -> tuple[int, int]:
        """Return what the model counted so far."""
        used = [event for event in self.events if isinstance(event, TokensUsed)]
        return (
            sum(event.input_tokens or 0 for event in used),
            sum(event.output_tokens or 0 for event in used),
        )

    async def reads(self, kind: type[Event] = Text, count: int = 1) -> None:
        """Wait until so many events of a kind have come in all; fail if the reply ends first."""
        while sum(isinstance(event, kind) for event in self.events) < count:
            assert not self.task.done(), f"the reply ended: {self.task}"
            self._changed.clear()
            await self._changed.wait()

    async def stop(self) -> None:
        """Cancel the reply and wait until its task has ended."""
        self.task.cancel()
        await asyncio.wait([self.task])
        assert self.task.cancelled()


@contextlib.asynccontextmanager
async def closing(handler: Handler) -> AsyncIterator[Handler]:
    """Close a handler after use."""
    try:
        yield handler
    finally:
        await handler.close()
