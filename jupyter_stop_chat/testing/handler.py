"""A chat handler that follows a script. It knows nothing of LangChain."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from jupyter_stop_chat.ports.handler import Event, Text, Turn

from .steps import Block, Call, Endless, Flag, Gate, Raise, RefuseToClose, Script, SlowClean, Step


@dataclass(eq=False)
class Reply:
    """What happened to one reply.

    :ivar yielded: every event that was handed to the reader.
    :ivar steps_done: how many steps of the script were finished.
    :ivar cancels: how many times `CancelledError` arrived, swallowed or not.
    :ivar ending: what ended it: None at the script's end, else the exception.
    :ivar clean_up: what the clean-up waits for, from the script.
    :ivar refusal: how `aclose()` is answered, from the script.
    """

    turn: Turn
    yielded: list[Event] = field(default_factory=list)
    steps_done: int = 0
    cancels: int = 0
    ending: BaseException | None = None
    #: Set when the first step began.
    started: Flag = field(default_factory=Flag)
    #: Set when the generator's body was left, whatever the reason.
    ended: Flag = field(default_factory=Flag)
    clean_up: SlowClean | None = None
    refusal: RefuseToClose | None = None

    @property
    def text(self) -> str:
        """Return the text that was handed to the reader."""
        return "".join(event.text for event in self.yielded if isinstance(event, Text))

    def note(self, event: Event) -> Event:
        """Note an event that goes to the reader."""
        self.yielded.append(event)
        return event

    def count_cancel(self) -> None:
        """Note that a cancel arrived."""
        self.cancels += 1


def block(ms: float) -> None:
    """Keep the thread busy; a sleep would be caught by tools that look for blocking calls."""
    end = time.perf_counter() + ms / 1000
    while time.perf_counter() < end:
        pass


async def wait_at(gate: Gate, on_cancel: Callable[[], None]) -> None:
    """Wait at a gate, swallowing as many cancels as it says.

    :param on_cancel: called at each cancel.
    """
    left = gate.swallow
    gate.reached.set()
    while True:
        try:
            await gate.opened.wait()
        except asyncio.CancelledError:
            on_cancel()
            if left == 0:
                raise
            left -= 1
            gate.swallowed.set()
            if gate.leave_at_cancel:
                return
        else:
            return


class ScriptedHandler:
    """What makes replies by a script.

    :param script: the steps, or a function that gives them for a turn.
    :param reports: report `provider_started` and `provider_closed` as a good handler does.
    :param obeys_flag: look at `turn.stopped` between two steps, as a good handler does.
    """

    def __init__(
        self,
        script: Script | Callable[[Turn], Script] = ("Hello.",),
        *,
        reports: bool = True,
        obeys_flag: bool = False,
    ) -> None:
        self.script = script
        self.reports = reports
        self.obeys_flag = obeys_flag
        self.replies: list[Reply] = []
        self.closed = False
        self._another = Flag()

    async def next_reply(self, count: int = 1) -> Reply:
        """Wait until so many replies were begun.

        :returns: the last of them.
        """
        while len(self.replies) < count:
            self._another.clear()
            await self._another.wait()
        return self.replies[count - 1]

    async def reply(self, turn: Turn) -> AsyncGenerator[Event, None]:
        """Go through the script."""
        script = self.script(turn) if callable(self.script) else self.script
        reply = Reply(turn)
        self.replies.append(reply)
        self._another.set()
        if self.reports:
            turn.provider_started()
        reply.started.set()
        try:
            for step in script:
                if self.obeys_flag and turn.stopped:
                    break
                while (event := await perform(step, reply)) is not None:
                    yield reply.note(event)
                    if not isinstance(step, Endless) or (self.obeys_flag and turn.stopped):
                        break
                reply.steps_done += 1
        except BaseException as error:
            reply.ending = error
            if isinstance(error, GeneratorExit) and reply.refusal is not None:
                yield Text(reply.refusal.text)
            raise
        finally:
            try:
                if reply.clean_up is not None:
                    await wait_at(reply.clean_up.gate, reply.count_cancel)
            finally:
                if self.reports:
                    turn.provider_closed()
                reply.ended.set()

    async def close(self) -> None:
        """Note that the server let go of it."""
        self.closed = True


async def perform(step: Step, reply: Reply) -> Event | None:
    """Do one step.

    :returns: the event to yield, if the step is one.
    :raises BaseException: what a `Raise` step holds.
    """
    match step:
        case str():
            return Text(step)
        case Gate():
            await wait_at(step, reply.count_cancel)
        case Block():
            block(step.ms)
        case Raise():
            raise step.error
        case Call():
            step.function(reply.turn)
        case SlowClean():
            reply.clean_up = step
        case RefuseToClose():
            reply.refusal = step
        case Endless():
            if step.polite:
                await asyncio.sleep(0)
            return Text(step.text)
        case _:
            return step
    return None
