"""What no page has open: the operations of a page, done on files as they are saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from jupyter_stop_chat.ports.contents import Contents, ContentsError
from jupyter_stop_chat.ports.tools import PageError
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

from .cells import Cells
from .line_ends import like, plain_lines

#: A larger file is not read, in bytes.
LARGEST_FILE = 4 * 1024 * 1024


class Saved:
    """What does on saved documents what a page does on open ones."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        #: By path: two edits at once would each write what it has read.
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def text(self, path: str, chars: int) -> dict[str, Any]:
        """Return the beginning of a file's text, and how long it is.

        :raises ContentsError: the file cannot be read.
        """
        text = plain_lines(await self._contents.text(path, LARGEST_FILE))
        return {"text": utf16_slice(text, 0, chars), "length": utf16_length(text)}

    async def whole_text(self, path: str) -> dict[str, Any] | None:
        """Return all of a file's text; None where there is no such file.

        :returns: what else is there by its `kind` alone.
        :raises ContentsError: the file cannot be read.
        """
        try:
            kind = (await self._contents.look(path)).kind
            if kind != "file":
                return {"kind": kind}
            text = plain_lines((await self._contents.file(path, LARGEST_FILE)).text)
        except ContentsError as error:
            if error.code != "missing":
                raise
            return None
        return {"text": text, "length": utf16_length(text)}

    async def write(
        self, path: str, before: str | None, after: str, begin: Callable[[], None]
    ) -> Any:
        """Write a file as a page does.

        :param before: what it must be; None where there must be none.
        :param begin: called in the very step in which the writing begins; what it raises ends it.
        :raises PageError: `changed`.
        :raises ContentsError: the file cannot be read or written.
        """
        async with self._alone(path):
            try:
                read = await self._contents.file(path, LARGEST_FILE)
            except ContentsError as error:
                if error.code != "missing":
                    raise
                read = None
            if (None if read is None else plain_lines(read.text)) != before:
                raise PageError("changed")
            text = after if read is None else like(read.text, after)
            try:
                folders = await self._contents.write(path, text, read, begin)
            except ContentsError as error:
                if error.code == "changed":
                    raise PageError("changed") from error
                raise
        return {"done": True, "saved": True, "folders": list(folders)}

    def _alone(self, path: str) -> asyncio.Lock:
        return self._writing.setdefault(path, asyncio.Lock())

    async def do(self, operation: str, args: Mapping[str, Any]) -> Any:
        """Do with a notebook what a page does without an effect, and answer as it does.

        :raises PageError: `gone`, `too_large`, `bad_request`.
        :raises ContentsError: the file cannot be read.
        """
        # In a thread: it may be long.
        return await in_thread(_done, await self._contents.cells(args["path"]), operation, args)

    async def edit(self, path: str, edit: Mapping[str, Any], begin: Callable[[], None]) -> Any:
        """Edit a notebook as a page does.

        :param begin: called in the very step in which the writing begins; what it raises ends it.
        :raises PageError: `gone`, `changed`.
        :raises ContentsError: the file cannot be read or written.
        """
        async with self._alone(path):
            looked_at = await self._contents.cells(path)
            read = await self._contents.notebook(path)
            # In a thread: it may be long.
            cells, is_new = await in_thread(_edited, read.content, looked_at, edit)
            if is_new:
                await self._contents.save(path, read, begin)
        cell_id = edit.get("cell_id") or (edit.get("cell") or {}).get("id")
        return {"done": True, **cells.beside(str(cell_id))}


def _edited(
    content: dict[str, Any], looked_at: dict[str, Any], edit: Mapping[str, Any]
) -> tuple[Cells, bool]:
    """Edit a notebook by the ids by which it was looked at."""
    cells = Cells(content, Cells(looked_at))
    return cells, cells.edit(edit)


def _done(content: dict[str, Any], operation: str, args: Mapping[str, Any]) -> Any:
    cells = Cells(content)
    if operation == "cell":
        return cells.cell(args["cell_id"])
    if operation == "read":
        first = args.get("from") or 0
        return cells.read(args["chars"], args.get("cells"), first, args.get("count"))
    raise PageError("bad_request")
