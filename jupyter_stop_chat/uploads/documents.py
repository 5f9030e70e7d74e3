"""The words of a document that was uploaded, read by a process of its own.

A document comes from anywhere, and what reads it is many libraries: one that hangs, eats memory or
crashes takes nothing of the server with it, and sees none of the server's keys.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.http import DocumentText
from jupyter_stop_chat.wire.utf16 import whole

from .converting import FAILED, MISSING, READERS
from .room import Room

log = logging.getLogger(__name__)

#: So much of a document's words is told, in characters: some hundred pages.
MOST_CHARACTERS = 300_000
#: How long reading one may take, in seconds: the libraries alone take a few to load.
LONGEST_S = 90.0
#: How much memory reading one may take, in bytes.
MOST_MEMORY = 4 * 1024**3
#: So many are read at once, and so many of one owner; the others wait.
_AT_ONCE, _SHARE = 3, 2
#: What the process may know of the server's surroundings: no keys.
_SURROUNDINGS = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT"}
_SURROUNDINGS |= {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "USERPROFILE"}

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("converting.py")))


class Documents:
    """What reads documents.

    :param command: what reads one: from its standard input, with the end of the file's name, the
        most characters and the most bytes of memory as arguments; it writes `{text, left_out}`.
    :param limit: how long that may take, in seconds.
    """

    def __init__(self, command: Sequence[str] = COMMAND, limit: float = LONGEST_S) -> None:
        self._command = command
        self._limit = limit
        self._room = Room(_AT_ONCE, _SHARE)

    async def text(self, raw: bytes, name: str, owner: str) -> DocumentText:
        """Return the words of a document.

        :param name: the file's name; its end says of which kind it is.
        :param owner: who waits for it.
        :raises StopChatError: `bad_document`, `no_documents` or `file_too_slow`.
        """
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in READERS:
            raise StopChatError(ErrorCode.BAD_DOCUMENT, "of another kind")
        async with self._room.place(owner):
            code, written = await in_thread(self._run, raw, suffix)
        if code == MISSING:
            raise StopChatError(ErrorCode.NO_DOCUMENTS)
        if code != 0:
            detail = "it cannot be read" if code == FAILED else f"its reader ended with {code}"
            raise StopChatError(ErrorCode.BAD_DOCUMENT, detail)
        try:
            fields = await asyncio.to_thread(json.loads, written)
            told = DocumentText(
                text=whole(fields["text"])[:MOST_CHARACTERS], left_out=fields["left_out"]
            )
        except (ValueError, KeyError, TypeError) as error:
            raise StopChatError(ErrorCode.BAD_DOCUMENT, "its reader said nothing") from error
        if not told.text.strip():
            raise StopChatError(ErrorCode.BAD_DOCUMENT, "no words")
        return told

    def _run(self, raw: bytes, suffix: str) -> tuple[int, bytes]:
        """Run what reads a document. Blocks.

        In a thread, since not every event loop can wait for a process.
        """
        try:
            ran = subprocess.run(
                [*self._command, suffix, str(MOST_CHARACTERS), str(MOST_MEMORY)],
                input=raw,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _SURROUNDINGS if name in os.environ},
                timeout=self._limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StopChatError(ErrorCode.FILE_TOO_SLOW) from None
        return ran.returncode, ran.stdout
