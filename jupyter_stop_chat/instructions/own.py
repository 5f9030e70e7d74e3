"""The instructions that each person has given for all their chats: kept over a restart.

One small file for all servers and kernels on the same data, so that what is written in the page
holds in its other tabs, in notebooks' cells and for requests over HTTP as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from jupyter_stop_chat.settings.private_file import alone, stamp_of, write_anew
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import LONGEST_INSTRUCTIONS
from jupyter_stop_chat.wire.utf16 import whole

log = logging.getLogger(__name__)

_VERSION = 1
#: A longer file is none of ours, in bytes.
_LONGEST = 64 * 1024 * 1024
#: The stamp of a file that was just written: another process may have, as well.
_UNSEEN = object()


class OwnInstructions:
    """What keeps the instructions of all.

    :param path: of the file; what is damaged in it counts for nothing, and is told in the log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: The file's stamp, and what was in it: put in place together, as several threads look.
        self._held: tuple[object, dict[str, str]] = (None, {})
        self._writing = threading.Lock()

    async def of(self, owner: str) -> str:
        """Return an owner's instructions; empty where there are none."""
        return (await asyncio.to_thread(self._look)).get(owner, "")

    async def set(self, owner: str, text: str) -> None:
        """Keep an owner's instructions, or that there are none.

        :raises StopChatError: `internal`, when they cannot be kept.
        """
        try:
            await asyncio.to_thread(self._set, owner, text)
        except OSError as error:
            detail = f"the instructions cannot be kept: {type(error).__name__}"
            raise StopChatError(ErrorCode.INTERNAL, detail) from error

    def _look(self) -> dict[str, str]:
        """Read what another process may have changed."""
        stamp = stamp_of(self._path)
        if stamp != self._held[0]:
            try:
                self._held = (stamp, self._read())
            except OSError as error:  # what was read before is better than nothing
                log.warning("the file of instructions cannot be read: %s", type(error).__name__)
        return self._held[1]

    def _set(self, owner: str, text: str) -> None:
        with self._writing, alone(self._path):
            known = self._read()
            known.pop(owner, None)
            if text.strip():
                known[owner] = whole(text)
            lines = [{"owner": each, "text": said} for each, said in sorted(known.items())]
            write_anew(self._path, {"version": _VERSION, "instructions": lines})
            self._held = (_UNSEEN, known)

    def _read(self) -> dict[str, str]:
        """Read all of them.

        :raises OSError: the file cannot be read, though it may be whole.
        """
        try:
            with self._path.open("rb") as file:
                held = json.loads(file.read(_LONGEST))
            lines = held["instructions"] if held["version"] == _VERSION else []
            read = [_line(each) for each in lines]
        except FileNotFoundError:
            return {}
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            log.warning("the file of instructions cannot be read: %s", type(error).__name__)
            return {}
        if None in read:
            log.warning("the file of instructions holds what is none")
        return dict(filter(None, read))


def _line(line: object) -> tuple[str, str] | None:
    """Return whose instructions a line holds, and which; None where it is none."""
    if not isinstance(line, Mapping):
        return None
    owner, text = line.get("owner"), line.get("text")
    if not isinstance(owner, str) or not isinstance(text, str):
        return None
    return (owner, text) if len(text) <= LONGEST_INSTRUCTIONS else None
