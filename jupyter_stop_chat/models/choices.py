"""The model that each person has chosen, and those before it: kept over a restart.

One small file for all servers and kernels on the same data, so that what is chosen in the page
holds in a notebook's cells as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .private_file import stamp_of, write_anew

log = logging.getLogger(__name__)

_VERSION = 1
#: So many models that somebody chose are remembered.
MOST_RECENT = 5
#: A longer file is none of ours, in bytes.
_LONGEST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Choice:
    """What one person has chosen.

    :ivar model: None leaves it to the server.
    :ivar recent: the models that were chosen, newest first.
    """

    model: str | None = None
    recent: tuple[str, ...] = ()


class Choices:
    """What keeps the choices of all.

    :param path: of the file; one that cannot be read counts as empty, as a choice is soon made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: object = None
        self._known: dict[str, Choice] = {}
        self._lock = threading.Lock()

    def of(self, owner: str) -> Choice:
        """Return what an owner has chosen, as it was last read."""
        return self._known.get(owner, Choice())

    def look(self) -> None:
        """Read what another process may have changed. Blocks."""
        with self._lock:
            stamp = stamp_of(self._path)
            if stamp != self._stamp:
                self._known = self._read()
                self._stamp = stamp

    async def choose(self, owner: str, model: str | None) -> None:
        """Keep a choice, or that there is none.

        :raises StopChatError: `internal`, when it cannot be kept.
        """
        try:
            await asyncio.to_thread(self._choose, owner, model)
        except OSError as error:
            detail = f"the choice cannot be kept: {type(error).__name__}"
            raise StopChatError(ErrorCode.INTERNAL, detail) from error

    def _choose(self, owner: str, model: str | None) -> None:
        with self._lock:
            known = self._read()
            recent = known.get(owner, Choice()).recent
            if model is not None:
                recent = tuple(dict.fromkeys([model, *recent]))[:MOST_RECENT]
            known[owner] = Choice(model, recent)
            lines = [
                {"owner": each, "model": choice.model, "recent": choice.recent}
                for each, choice in sorted(known.items())
            ]
            write_anew(self._path, {"version": _VERSION, "choices": lines})
            self._known = known
            self._stamp = stamp_of(self._path)

    def _read(self) -> dict[str, Choice]:
        try:
            with self._path.open("rb") as file:
                held = json.loads(file.read(_LONGEST))
            lines = held["choices"] if held["version"] == _VERSION else []
            return {each["owner"]: _choice(each) for each in lines}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
            log.warning("the file of chosen models cannot be read: %s", type(error).__name__)
            return {}


def _choice(line: Mapping[str, Any]) -> Choice:
    model, recent = line["model"], tuple(line["recent"])
    if not all(isinstance(each, str) for each in (*recent, model or "")):
        raise ValueError("no model id")
    return Choice(model, recent)
