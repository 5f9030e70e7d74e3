"""One prompt and its reply: the part that waits, in a thread, so that the cell never does."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable
from typing import Any

from .backends.base import Backend
from .line import Line

#: The thread's last news.
END = object()
#: So long the end of a cell waits for its thread; it is a daemon, and holds nothing else up.
_JOIN_S = 2.0


class Turn:
    """What sends a prompt and passes its events on.

    :param find: finds the backend, given a line that ends the search when it is cut.
    :param prompt: makes what is sent, given the backend; it may look for a chat.
    :param news: told each event, an exception where it went wrong, and `END`.
    """

    def __init__(
        self,
        find: Callable[[Line], Backend],
        prompt: Callable[[Backend, Line], dict[str, Any]],
        news: queue.SimpleQueue[Any],
    ) -> None:
        self.request_id = str(uuid.uuid4())
        self.backend: Backend | None = None
        self._find = find
        self._prompt = prompt
        self._news = news
        self._line = Line()
        self._lock = threading.Lock()
        self._sent = False
        self._given_up = False
        self._thread = threading.Thread(target=self._work, name="stop-chat cell", daemon=True)

    def begin(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def give_up(self) -> bool:
        """Send nothing any more; tell whether nothing was sent."""
        with self._lock:
            if self._sent:
                return False
            self._given_up = True
        self._line.cut()
        return True

    def stop(self, message_id: str | None, shown: int | None) -> list[dict[str, Any]]:
        """Stop what was sent, also before its message is known.

        :param shown: how much of the text the person had seen, in UTF-16 code units.
        :raises OSError: when the backend does not answer.
        """
        assert self.backend is not None
        if message_id is None:
            return self.backend.stop({"request_id": self.request_id})
        return self.backend.stop({"message_id": message_id, "shown": shown})

    def close(self) -> None:
        """Let go of the connection and of the thread; what is generated goes on."""
        self._line.cut()
        self._thread.join(_JOIN_S)

    def _work(self) -> None:
        try:
            self.backend = self._find(self._line)
            prompt = self._prompt(self.backend, self._line) | {"request_id": self.request_id}
            with self._lock:
                if self._given_up:
                    return
                self._sent = True
            for event in self.backend.stream(prompt, self._line):
                self._news.put(event)
        except Exception as error:  # noqa: BLE001 - the cell tells of it
            self._news.put(error)
        finally:
            self._news.put(END)
