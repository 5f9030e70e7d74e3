"""What a stop's receipt is made of: the request, and what became of the provider's connection."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from jupyter_stop_chat.wire.times import now

Reason = Literal["user", "server_shutdown", "server_restart", "server_gone", "replaced", "deleted"]


@dataclass(slots=True)
class StopRequest:
    """What is known of a stop while it is carried out; times in seconds of `perf_counter`."""

    reason: Reason
    discard: bool
    requested_at: str = field(default_factory=now)
    started: float = field(default_factory=time.perf_counter)

    def ms(self) -> float:
        """Return the milliseconds since the stop was requested."""
        return round((time.perf_counter() - self.started) * 1000, 3)


class ProviderState:
    """What a chat handler has told of its provider.

    :ivar is_: in the receipt's words.
    :ivar closed_ms: how long after the stop the connection was closed, in milliseconds.
    """

    def __init__(self) -> None:
        self.is_: Literal["closed", "unconfirmed", "still_finishing", "not_started"] = (
            "not_started"
        )
        self.closed_ms: float | None = None
        self._left_running = False

    def report(self, what: str, stop: StopRequest | None) -> bool:
        """Note what is told; tell whether a receipt that was written down is to be amended.

        :param what: `started`, `still_finishing`, `closed`; `ended` of a task that was detached.
        """
        if what == "started":
            self.is_ = "unconfirmed"
        elif what == "still_finishing":
            self.is_ = "still_finishing"
        elif what == "closed" and self.is_ != "closed":
            self.is_ = "closed"
            self.closed_ms = stop.ms() if stop else None
            return True
        elif what == "ended" and self._left_running and self.is_ == "still_finishing":
            self.is_ = "unconfirmed"
            return True
        return False

    def leave_running(self) -> None:
        """Note that a task did not unwind: what it asked for may run on."""
        if self.is_ == "unconfirmed":
            self.is_ = "still_finishing"
            self._left_running = True
