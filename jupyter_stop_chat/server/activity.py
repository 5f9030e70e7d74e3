"""A running reply counts as the server's activity, so that nobody culls it (B7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tornado.ioloop import PeriodicCallback
from tornado.web import Application

#: How often it is noted, in milliseconds. Idle culling counts in minutes.
INTERVAL = 10_000


class Activity:
    """A note of the server's last activity that is kept fresh while replies are made.

    :param web_app: Jupyter Server's, which asks for the times of its extensions.
    :param name: the extension's.
    :param current: returns what is being generated; empty when nothing is.
    """

    def __init__(
        self, web_app: Application, name: str, current: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._times: dict[str, datetime] = web_app.settings["last_activity_times"]
        self._name = name
        self._current = current
        self._timer = PeriodicCallback(self.note, INTERVAL)
        self._timer.start()

    def note(self) -> None:
        """Count what runs as activity of now."""
        if self._current():
            self._times[self._name] = datetime.now(UTC)

    def close(self) -> None:
        """Note nothing more."""
        self._timer.stop()
