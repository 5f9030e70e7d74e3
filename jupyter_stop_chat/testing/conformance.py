"""Check that Stop really stops a chat handler: for the author of one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal

from jupyter_stop_chat.ports.handler import ChatHandler, Reasoning, Text, Turn, TurnMessage

Phase = Literal["before_first_token", "waiting_for_more", "reader_busy", "flag_only"]
PHASES: tuple[Phase, ...] = ("before_first_token", "waiting_for_more", "reader_busy", "flag_only")

#: One event may have been on its way. A reply that goes on and on is closed by the reader.
_FAR_TOO_MANY = 10

_WORDS: dict[Phase, str] = {
    "before_first_token": "while the model had not answered yet",
    "waiting_for_more": "while the next piece was awaited",
    "reader_busy": "while its reader was busy with a piece",
    "flag_only": "when only the stop flag was set",
}


@dataclass
class PhaseReport:
    """How a stop went in one phase.

    :ivar ended_ms: milliseconds from the stop to the end of the reply.
    :ivar provider: what the handler reported of its provider's connection.
    :ivar closed_ms: milliseconds from the stop to that report, when it was `closed`.
    :ivar events_after: how many events came after the stop.
    :ivar completed_before: the reply was complete before it could be stopped.
    """

    phase: Phase
    ended_ms: float = 0.0
    provider: Literal["not_started", "unconfirmed", "closed", "still_finishing"] = "not_started"
    closed_ms: float | None = None
    events_after: int = 0
    completed_before: bool = False


@dataclass
class StopReport:
    """How Stop went in all phases."""

    phases: list[PhaseReport] = field(default_factory=list)

    @property
    def slowest_ms(self) -> float:
        """Return the longest time that a reply took to end."""
        return max((phase.ended_ms for phase in self.phases), default=0.0)

    @property
    def confirmed(self) -> bool:
        """Tell whether the provider's connection was reported closed in each phase."""
        return all(phase.provider == "closed" or phase.completed_before for phase in self.phases)


class _Trial:
    """One reply that is stopped."""

    def __init__(self, handler: ChatHandler, phase: Phase, prompt: str, model: str) -> None:
        self.report = PhaseReport(phase)
        self.phase = phase
        self.started = asyncio.Event()
        self.first = asyncio.Event()
        self.stopped_at: float | None = None
        self._handler = handler
        self._busy = asyncio.Event()
        self._turn = Turn(
            chat_id="check",
            message_id=f"check-{phase}",
            messages=[TurnMessage("user", prompt)],
            model=model,
            _stopped=lambda: self.stopped_at is not None,
            _report=self._note,
        )

    def _note(self, what: str) -> None:
        if what == "started":
            self.report.provider = "unconfirmed"
            self.started.set()
        elif what == "still_finishing":
            self.report.provider = "still_finishing"
        elif what == "closed":
            self.report.provider = "closed"
            if self.stopped_at is not None:
                self.report.closed_ms = _ms_since(self.stopped_at)

    async def read(self) -> None:
        """Read the reply, as the engine does."""
        async with aclosing(self._handler.reply(self._turn)) as events:
            async for event in events:
                if self.stopped_at is not None:
                    self.report.events_after += 1
                    if self.report.events_after > _FAR_TOO_MANY:
                        return
                elif isinstance(event, Text | Reasoning) and not self.first.is_set():
                    self.first.set()
                    if self.phase == "reader_busy":
                        await self._busy.wait()


async def check_stops(
    handler: ChatHandler,
    *,
    prompt: str = "Count from one to one thousand, in words.",
    model: str = "",
    deadline: float = 2.0,
    patience: float = 60.0,
) -> StopReport:
    """Start replies, stop each in another phase, and measure.

    :param handler: what is checked; it is left open.
    :param prompt: should make a long reply.
    :param model: the name after the colon of a model id.
    :param deadline: the most seconds that a stopped reply may take to end.
    :param patience: the most seconds to wait for the first text.
    :raises AssertionError: with a sentence that says how Stop failed.
    :raises Exception: what the handler raised before it was stopped.
    """
    report = StopReport()
    for phase in PHASES:
        trial = _Trial(handler, phase, prompt, model)
        task = asyncio.create_task(trial.read())
        try:
            await _reach(trial, task, patience)
            await _stop(trial, task, deadline)
        finally:
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)
        report.phases.append(trial.report)
    return report


async def _reach(trial: _Trial, task: asyncio.Task[None], patience: float) -> None:
    event = trial.started if trial.phase == "before_first_token" else trial.first
    wait: Callable[[], Awaitable[bool]] = event.wait
    waiter = asyncio.ensure_future(wait())
    try:
        await asyncio.wait({task, waiter}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiter.cancel()
    if task.done():
        task.result()
        trial.report.completed_before = True
        assert event.is_set(), "the reply ended before it could be stopped: " + (
            "`turn.provider_started()` was never called"
            if trial.phase == "before_first_token"
            else "it had no text"
        )
    assert event.is_set(), f"nothing came within {patience:g} s, so Stop could not be tried"


async def _stop(trial: _Trial, task: asyncio.Task[None], deadline: float) -> None:
    where = _WORDS[trial.phase]
    trial.stopped_at = time.perf_counter()
    if trial.phase != "flag_only":
        task.cancel()
    await asyncio.wait({task}, timeout=deadline)
    trial.report.ended_ms = _ms_since(trial.stopped_at)
    assert task.done(), (
        f"Stop {where} did not end the reply within {deadline:g} s: "
        "CancelledError is swallowed, or nothing looks at `turn.stopped`"
    )
    assert trial.report.events_after <= 1, (
        f"Stop {where} let {trial.report.events_after} or more events through"
    )
    if not task.cancelled():
        error = task.exception()
        assert error is None, f"Stop {where} made the reply fail with {type(error).__name__}"


def _ms_since(moment: float) -> float:
    return (time.perf_counter() - moment) * 1000
