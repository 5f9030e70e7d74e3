"""The bounds of a reply that uses tools: so many requests, so many calls, so much of all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from jupyter_stop_chat.ports.tools import ToolError
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Usage


class NotRun(Exception):
    """A refusal of a call that did not begin; its model is told these words."""


@dataclass(frozen=True, slots=True)
class ToolLimits:
    """How much a model may do in one reply.

    :ivar max_steps: so often it is asked.
    :ivar max_calls: so many calls it may have made when it is asked.
    :ivar max_calls_per_step: so many calls of one of its answers are carried out.
    :ivar max_cells_inserted: so many cells are inserted.
    :ivar max_failures: so often the same call may fail.
    :ivar max_tokens: so many tokens are read and made together, as far as they are counted.
    """

    max_steps: int = 50
    max_calls: int = 200
    max_calls_per_step: int = 16
    max_cells_inserted: int = 50
    max_failures: int = 3
    max_tokens: int = 2_000_000


class Bounds:
    """What counts what a reply does, and says when it is enough."""

    def __init__(self, limits: ToolLimits) -> None:
        self._limits = limits
        self._steps = 0
        self._calls = self._all_calls = 0
        self._inserted = 0
        self._failures: Counter[tuple[str, str]] = Counter()

    def step(self, used: Usage | None) -> None:
        """Count a request.

        :param used: by those before it.
        :raises StopChatError: `too_many_steps`.
        """
        tokens = (used.input_tokens or 0) + (used.output_tokens or 0) if used else 0
        for name, number, most in (
            ("steps", self._steps, self._limits.max_steps),
            ("calls", self._all_calls, self._limits.max_calls),
            ("tokens", tokens, self._limits.max_tokens),
        ):
            if self._steps and number >= most:
                raise StopChatError(ErrorCode.TOO_MANY_STEPS, f"{number} {name}")
        self._steps += 1
        self._calls = 0

    def call(self, name: str, args: str) -> None:
        """Count a call.

        :raises NotRun: it is one too many, or it failed too often already.
        """
        self._calls += 1
        self._all_calls += 1
        most = self._limits.max_calls_per_step
        if self._calls > most:
            raise NotRun(
                f"Not run: at most {most} calls are carried out at once. Make the others again, "
                "fewer at once."
            )
        failures = self._failures[name, args]
        if failures >= self._limits.max_failures:
            raise NotRun(
                f"Not run: this very call has failed {failures} times. Do something else, or tell "
                "the person what is in the way."
            )

    def failed(self, name: str, args: str) -> None:
        """Note that a call failed."""
        self._failures[name, args] += 1

    def insert(self) -> None:
        """Count a cell that is about to be inserted.

        :raises ToolError: it is one too many.
        """
        most = self._limits.max_cells_inserted
        if self._inserted >= most:
            raise ToolError(
                f"Nothing was inserted: one reply may insert {most} cells. Ask the person "
                "whether to go on."
            )
        self._inserted += 1
