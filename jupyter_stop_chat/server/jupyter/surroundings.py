"""What Jupyter Server knows of where a person is: rules files, and the language of a kernel.

Files are read by its contents manager alone, by whose rules hidden files and whatever is outside
the server's root are not there.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Sequence
from http import HTTPStatus
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.utils import ApiPath, to_os_path
from tornado.web import HTTPError

from jupyter_stop_chat.ports.instructions import RulesFile
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

from .managers import answer_of

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

log = logging.getLogger(__name__)

NAME = "AGENTS.md"
#: So much of a file is told, in UTF-16 code units; a larger one than that many bytes is not read.
LONGEST, LARGEST = 32 * 1024, 1024 * 1024
#: So many folders are looked into, and so long is waited for them, in seconds.
MOST_FOLDERS, PATIENCE_S = 32, 5.0
#: What may be told as a language: it comes from a file of the kernel's maker.
_LANGUAGE = re.compile(r"[\w+#. -]{1,30}")


class ServerSurroundings:
    """What asks a server of the folders and kernels of a person."""

    def __init__(self, server: ServerApp) -> None:
        self._server = server
        self._languages: dict[str, str] = {}

    async def rules(self, path: str) -> Sequence[RulesFile]:
        """Return the rules files from the server's root to the folder of a file, in that order."""
        found: list[RulesFile] = []
        name = NAME
        try:
            async with asyncio.timeout(PATIENCE_S):
                for name in _names(path):
                    if (rules := await self._read(name)) is not None:
                        found.append(rules)
        except TimeoutError:
            log.warning("rules files were not read in time")
            found.append(RulesFile(name, fault="it was not read in time"))
        return found

    async def _read(self, name: str) -> RulesFile | None:
        """Read a rules file as it is now; None where there is none for a person to see."""
        contents: Any = self._server.contents_manager
        try:
            if not contents.allow_hidden and await answer_of(contents.is_hidden(name)):
                return None
            # Its size first: what is far too large is not read at all.
            about = await answer_of(contents.get(name, content=False, type="file"))
            hidden = contents.allow_hidden
            if await in_thread(_leads_away, contents.root_dir, name, allow_hidden=hidden):
                return None
            size = about.get("size")
            if isinstance(size, int) and size > LARGEST:
                return RulesFile(name, fault=f"it has more than {LARGEST // 1024} KiB")
        except HTTPError:
            return None
        except Exception as error:  # noqa: BLE001 - of whichever contents manager
            log.warning("a rules file cannot be looked for: %s", type(error).__name__)
            return None
        try:
            read = await answer_of(contents.get(name, type="file", format="text"))
            text = whole(read["content"])
        except Exception as error:  # noqa: BLE001 - as above
            if isinstance(error, HTTPError) and error.status_code == HTTPStatus.BAD_REQUEST:
                return RulesFile(name, fault="it is no text")
            log.warning("a rules file cannot be read: %s", type(error).__name__)
            return RulesFile(name, fault="it cannot be read")
        kept = utf16_slice(text, 0, LONGEST)
        return RulesFile(name, kept, left=utf16_length(text) - utf16_length(kept))

    async def language(self, path: str) -> str | None:
        """Return what the kernel of a notebook speaks, where that is known."""
        path = path.strip("/")
        try:
            async with asyncio.timeout(PATIENCE_S):
                for session in await answer_of(self._server.session_manager.list_sessions()):
                    if session["path"] == path and session.get("kernel"):
                        kernel = session["kernel"]["name"]
                        return await self._language_of(kernel)
        except Exception as error:  # noqa: BLE001 - of whichever manager
            log.debug("the language of a kernel is not known: %s", type(error).__name__)
        return None

    async def _language_of(self, kernel: str) -> str | None:
        if kernel not in self._languages:
            specs: Any = self._server.kernel_spec_manager
            # In a thread: it reads folders. That of a gateway answers with a coroutine.
            spec = await answer_of(await in_thread(specs.get_kernel_spec, kernel))
            self._languages[kernel] = spec.language
        language = self._languages[kernel]
        return language if _LANGUAGE.fullmatch(language) else None


def _leads_away(root: str, name: str, *, allow_hidden: bool) -> bool:
    """Tell whether a file is a link to what is hidden, nowhere, or outside of the root. Blocks.

    A project from elsewhere may bring such a link: to a key, say, which would be sent to a
    provider. A folder that is a link is one that the person works in.
    """
    place = Path(to_os_path(ApiPath(name), root))
    folder, target = (Path(os.path.realpath(each)) for each in (place.parent, place))
    if target.parent == folder and target.name == place.name:
        return False
    for base in (folder, Path(os.path.realpath(root))):
        if target.is_relative_to(base) and target.is_file():
            below = target.relative_to(base).parts
            return not allow_hidden and any(part.startswith(".") for part in below)
    return True


def _names(path: str) -> list[str]:
    """Return where rules files of a file may lie, from the root on."""
    parts = path.strip("/").split("/")
    if any(part in {"", ".", ".."} for part in parts):
        return []
    folders = [*accumulate(parts[:-1], "{}/{}".format)]
    return [NAME, *(f"{folder}/{NAME}" for folder in folders)][-MOST_FOLDERS:]
