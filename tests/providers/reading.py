"""Read a reply as the engine does, and stop it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from jupyter_stop_chat.ports.handler import (
    ChatHandler,
    Event,
    Reasoning,
    Text,
    TokensUsed,
    Turn,
    TurnMessage,
    WasThought,
)
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

#: Far longer than anything takes; only a failing test waits so long.
LONG = 10.0


class Reading:
    """One reply and what was seen of it.

    :param busy: the reader waits outside the generator once it has the first text.
    :param count_open: counts what is still open; asked at the very moment of `provider_closed`.
    """

    def __init__(
        self,
        handler: ChatHandler,
        *messages: TurnMessage,
        prefix: str = "",
        busy: bool = False,
        count_open: Callable[[], int] = lambda: 0,
        **turn: Any,
    ) -> None:
        self.events: list[Event] = []
        self.reports: list[str] = []
        self.closed_at: float | None = None
        self.closed = asyncio.Event()
        self.stopped = False
        self.first_text = asyncio.Event()
        self.first_thought = asyncio.Event()
        self.started = asyncio.Event()
        self.open_at_report: int | None = None
        self._count_open = count_open
        self._busy = busy
        self._handler = handler
        self.turn = Turn(
            chat_id="c",
            message_id="m",
            messages=list(messages) or [TurnMessage("user", "Hello?")],
            model="test",
            prefix=prefix,
            **turn,
            _stopped=lambda: self.stopped,
            _report=self._note,
        )
        self.task = asyncio.create_task(self._read())

    def _note(self, what: str) -> None:
        self.reports.append(what)
        if what == "started":
            self.started.set()
        if what == "closed":
            self.open_at_report = self._count_open()
            self.closed_at = time.perf_counter()
            self.closed.set()

    async def _read(self) -> None:
        async with aclosing(self._handler.reply(self.turn)) as events:
            async for event in events:
                self.events.append(event)
                if isinstance(event, Reasoning):
                    self.first_thought.set()
                if isinstance(event, Text):
                    self.first_text.set()
                    if self._busy:
                        await asyncio.Event().wait()

    def _told(self) -> tuple[str, str]:
        text = reasoning = ""
        for event in self.events:
            if isinstance(event, Text):
                text += event.text
            elif isinstance(event, Reasoning):
                reasoning += event.text
            elif isinstance(event, WasThought):
                length = utf16_length(text) - (event.length or utf16_length(text))
                reasoning += utf16_slice(text, length)
                text = utf16_slice(text, 0, length)
        return text, reasoning

    @property
    def text(self) -> str:
        return self._told()[0]

    @property
    def reasoning(self) -> str:
        return self._told()[1]

    @property
    def usage(self) -> list[TokensUsed]:
        return [event for event in self.events if isinstance(event, TokensUsed)]

    async def end(self) -> Any:
        """Wait for the end; return None, the exception, or "cancelled"."""
        await asyncio.wait({self.task}, timeout=LONG)
        assert self.task.done(), "the reply did not end"
        return "cancelled" if self.task.cancelled() else self.task.exception()

    async def stop(self, *, flag: bool = True, cancel: bool = True) -> Any:
        """Stop as the engine does: the flag, then the cancel."""
        self.stopped = flag
        if cancel:
            self.task.cancel()
        return await self.end()


async def soon(event: Any) -> None:
    """Wait for an event, with a limit that only a failing test meets."""
    await asyncio.wait_for(event.wait(), LONG)


async def nothing_left() -> None:
    """Wait until no other task is left; LangChain shields the tasks that tell its callbacks."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        _, pending = await asyncio.wait(others, timeout=LONG)
        assert not pending, pending
