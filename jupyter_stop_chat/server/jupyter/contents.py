"""The files below a server's root, as tools may see them: through its contents manager alone."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import nbformat.v4
from jupyter_server.utils import ApiPath, to_os_path
from tornado.web import HTTPError

from jupyter_stop_chat.ports.contents import (
    ContentsError,
    Entry,
    Fault,
    Kind,
    SavedNotebook,
    SavedText,
)
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.tools.paths import is_apart
from jupyter_stop_chat.wire.utf16 import whole

from .managers import answer_of

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

log = logging.getLogger(__name__)

#: A larger notebook is not read, in bytes: a manager signs and checks all of it on the loop.
LARGEST_NOTEBOOK = 10 * 1024 * 1024
#: So long is waited for a manager that is asked to read, in seconds.
PATIENCE_S = 20.0
_KINDS: dict[str, Kind] = {"notebook": "notebook", "directory": "directory"}
_FAULTS: dict[int, Fault] = {
    HTTPStatus.NOT_FOUND: "missing",
    HTTPStatus.FORBIDDEN: "read_only",
}


class ServerContents:
    """What reads and writes the files of a server."""

    def __init__(self, server: ServerApp) -> None:
        self._server = server

    @property
    def _manager(self) -> Any:
        return self._server.contents_manager

    @property
    def _root(self) -> str:
        return str(getattr(self._manager, "root_dir", ""))

    async def look(self, path: str) -> Entry:
        """Tell what is at a path.

        :raises ContentsError: `missing`, `failed`.
        """
        return (await self._entries([await self._about(path)]))[0]

    async def folder(self, path: str) -> Sequence[Entry]:
        """Tell what is in a folder, in any order.

        :raises ContentsError: `missing`, `failed`.
        """
        await self._look_for(path)
        found = await self._ask(lambda: self._manager.get(path, type="directory"), "missing")
        return await self._entries(found["content"] or ())

    async def text(self, path: str, largest: int) -> str:
        """Return the text of a file, also of a notebook as it is written.

        :raises ContentsError: `missing`, `too_large`, `no_text`, `failed`.
        """
        text = (await self.file(path, largest)).text
        if len(text) > largest:
            raise ContentsError("too_large")
        return whole(text)

    async def cells(self, path: str) -> dict[str, Any]:
        """Read a notebook, or what the server can read as one, to look at it.

        A manager checks a notebook on the loop, which takes long where it has many cells: here it
        is read as a file, where that can be.

        :raises ContentsError: `missing`, `too_large`, `no_notebook`, `failed`.
        """
        if path.endswith(".ipynb"):
            with suppress(ContentsError):
                text = await self.text(path, LARGEST_NOTEBOOK)
                if (content := await in_thread(_parsed, text)) is not None:
                    return content
        return (await self.notebook(path)).content

    async def notebook(self, path: str) -> SavedNotebook:
        """Read a notebook, or what the server can read as one, to change it.

        :raises ContentsError: `missing`, `too_large`, `no_notebook`, `failed`.
        """
        _refuse_larger(await self._about(path), LARGEST_NOTEBOOK)
        read = await self._ask(lambda: self._manager.get(path, type="notebook"), "no_notebook")
        content = read.get("content")
        if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
            raise ContentsError("no_notebook")
        return SavedNotebook(content, _stamp(read))

    async def save(self, path: str, read: SavedNotebook, begin: Callable[[], None]) -> None:
        """Write a notebook that was read and changed since, unless others changed it as well.

        :raises ContentsError: `changed`, `read_only`, `missing`, `failed`.
        """
        await self._expect(path, read.stamp)
        model = {"type": "notebook", "format": "json", "content": read.content}
        begin()
        await self._save(model, path, "failed")

    async def place(self, path: str) -> str | None:
        """Tell by which path a new file would be reached without a link; None: out of the root.

        :raises ContentsError: `hidden`, `no_folder`, `read_only`, `failed`.
        """
        await self._folders_to_make(path)
        return (await in_thread(_places, self._root, [path]))[path]

    async def file(self, path: str, largest: int) -> SavedText:
        """Read a file of text, to change it.

        :raises ContentsError: `missing`, `too_large`, `no_text`, `failed`.
        """
        _refuse_larger(await self._about(path), largest)
        read = await self._ask(
            lambda: self._manager.get(path, type="file", format="text"), "no_text"
        )
        text = read.get("content")
        if not isinstance(text, str):
            raise ContentsError("no_text")
        return SavedText(text, _stamp(read))

    async def write(
        self, path: str, text: str, read: SavedText | None, begin: Callable[[], None]
    ) -> Sequence[str]:
        """Write a file of text that was read, unless others changed it as well; or a new one.

        :raises ContentsError: `changed`, `read_only`, `missing`, `hidden`, `no_folder`,
            `not_written`, `failed`.
        """
        folders: list[str] = []
        if read is None:
            await self._expect_nothing(path)
            folders = await self._folders_to_make(path)
        else:
            await self._expect(path, read.stamp)
        begin()
        for each in folders:
            await self._save({"type": "directory"}, each, "no_folder")
        try:
            await self._save_text(path, text)
        except ContentsError as error:
            if error.code != "failed":
                raise
            await self._after_failure(path, text, read)
        return folders

    async def _save_text(self, path: str, text: str) -> None:
        model = {"type": "file", "format": "text", "content": text}
        await self._save(model, path, "failed")

    async def _save(self, model: Any, path: str, unfit: Fault) -> None:
        await self._ask(lambda: self._manager.save(model, path), unfit, patience=None)

    async def _after_failure(self, path: str, text: str, read: SavedText | None) -> None:
        """Go on if a text was written all the same; give a file its own back that was cut off.

        A manager writes over the file, and puts it back from a copy, but not where the disk is
        found full at the very end.

        :raises ContentsError: `not_written`: the file is as it was. `failed`: nobody knows.
        """
        now: str | None = None
        try:
            now = (await self.file(path, LARGEST_NOTEBOOK)).text
        except ContentsError as error:
            if error.code == "missing" and read is None:
                raise ContentsError("not_written") from error
            if error.code != "no_text":
                raise ContentsError("failed") from error
        if now == text:
            return
        if read is None:
            raise ContentsError("failed")
        if now != read.text:
            # In the middle of a letter it is no text any more.
            if now is not None and not text.startswith(now):
                raise ContentsError("failed")
            await self._save_text(path, read.text)
        raise ContentsError("not_written")

    async def _expect(self, path: str, stamp: tuple[object, ...]) -> None:
        """Look whether a file is what was read, and may be written.

        :raises ContentsError: `changed`, `read_only`, `missing`, `failed`.
        """
        about = await self._about(path)
        if _stamp(about) != stamp:
            raise ContentsError("changed")
        if not about.get("writable", True):
            raise ContentsError("read_only")

    async def _expect_nothing(self, path: str) -> None:
        try:
            await self._about(path)
        except ContentsError as error:
            if error.code != "missing":
                raise
        else:
            raise ContentsError("changed")

    async def _folders_to_make(self, path: str) -> list[str]:
        """Return the folders that a new file needs, those above others before them.

        :raises ContentsError: `hidden`, `no_folder`, `read_only`, `failed`.
        """
        if await self._is_hidden(path):
            raise ContentsError("hidden")
        missing: list[str] = []
        folder = path.rpartition("/")[0]
        while (about := await self._about_folder(folder)) is None:
            missing.insert(0, folder)
            folder = folder.rpartition("/")[0]
        if about["type"] != "directory":
            raise ContentsError("no_folder")
        if not about.get("writable", True):
            raise ContentsError("read_only")
        return missing

    async def _about_folder(self, path: str) -> Any:
        try:
            return await self._about(path)
        except ContentsError as error:
            if error.code != "missing" or not path:
                raise
        return None

    async def _about(self, path: str) -> Any:
        """Return a manager's model of what is at a path, without its content."""
        await self._look_for(path)
        return await self._ask(lambda: self._manager.get(path, content=False), "missing")

    async def _look_for(self, path: str) -> None:
        """Refuse what is hidden, as Jupyter Server's own handlers do."""
        if await self._is_hidden(path):
            raise ContentsError("missing")

    async def _is_hidden(self, path: str) -> bool:
        if self._manager.allow_hidden:
            return False
        try:
            return bool(await self._ask(lambda: self._manager.is_hidden(path), "missing"))
        except ContentsError as error:
            if error.code != "missing":
                raise
        return False

    async def _ask(
        self, ask: Callable[[], Any], unfit: Fault, patience: float | None = PATIENCE_S
    ) -> Any:
        """Return what a manager answers; it is asked in this very step.

        :param unfit: what it means that it calls the request a bad one.
        """
        try:
            async with asyncio.timeout(patience):
                return await answer_of(ask())
        except HTTPError as error:
            fault = unfit if error.status_code == HTTPStatus.BAD_REQUEST else None
            raise ContentsError(fault or _FAULTS.get(error.status_code, "failed")) from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ContentsError("missing") from error
        except Exception as error:
            log.warning("the contents manager failed: %s", type(error).__name__)
            raise ContentsError("failed") from error

    async def _entries(self, models: Sequence[Any]) -> list[Entry]:
        paths = [str(model["path"]) for model in models]
        places = await in_thread(_places, self._root, paths)
        return [
            Entry(
                path,
                _KINDS.get(model["type"], "file"),
                model["size"] if isinstance(model.get("size"), int) else None,
                bool(model.get("writable", True)),
                places[path] is None or is_apart(path) or is_apart(places[path] or ""),
                places[path],
            )
            for path, model in zip(paths, models, strict=True)
        ]


def _refuse_larger(about: Any, largest: int) -> None:
    size = about.get("size")
    if isinstance(size, int) and size > largest:
        raise ContentsError("too_large")


def _parsed(text: str) -> dict[str, Any] | None:
    """Return a notebook of the newest format; None where it is another one, or none. Blocks."""
    try:
        content: Any = nbformat.v4.reads(text)  # type: ignore[no-untyped-call]
        cells = content["cells"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    newest = content.get("nbformat") == nbformat.v4.nbformat
    return content if newest and all(isinstance(each, dict) for each in cells) else None


def _stamp(model: Any) -> tuple[object, ...]:
    """Return what tells whether a file was changed; not every manager knows its size."""
    return (model.get("last_modified"), model.get("size"))


def _places(root: str, paths: Sequence[str]) -> dict[str, str | None]:
    """Return where paths lead, from the root; None for what is outside of it. Blocks.

    A project from elsewhere may bring a link, to a key or to a folder of keys.
    """
    home = Path(os.path.realpath(root))
    found: dict[str, str | None] = {}
    for path in paths:
        place = Path(os.path.realpath(to_os_path(ApiPath(path), root)))
        inside = place.is_relative_to(home)
        parts = place.relative_to(home).parts if inside else None
        found[path] = None if parts is None else "/".join(parts)
    return found
