"""The tools that read: what is open, and a notebook with its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_stop_chat.ports.contents import ContentsError
from jupyter_stop_chat.ports.fences import fenced
from jupyter_stop_chat.ports.tools import Call, PageError, Proposal, ToolError, ToolResult
from jupyter_stop_chat.wire.utf16 import utf16_length

from .documents import Documents, in_words
from .paths import path_of, plain
from .seen import Seen, Sight
from .words import cut, in_line, named

#: So much of a notebook is told at once, in UTF-16 code units, and so many cells.
MOST, MOST_CELLS = 40_000, 100
#: So much of a cell's source is told where all are asked for, and where it is asked for by name.
SOURCE, NAMED_SOURCE = 6_000, 30_000
#: So much of one output is told, and so many of a cell.
OUTPUT, MOST_OUTPUTS = 2_000, 10
#: So many files of a folder are told.
MOST_FILES = 200


class Reading:
    """What tells models of documents.

    :param seen: remembers what they are told.
    """

    def __init__(self, documents: Documents, seen: Seen) -> None:
        self._documents = documents
        self._seen = seen

    async def propose_list(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Have a person asked where a folder may hold keys, or is not below the root."""
        folder = plain(args.get("folder") or "")
        return await self._documents.proposal(folder) if folder else Proposal()

    async def list_documents(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Tell which documents are open, and what is in a folder."""
        lines = [await self._open(call)]
        if (folder := args.get("folder")) is not None:
            if at := plain(folder):
                await self._documents.allowed(call, at)
            lines.append(await self._folder(at))
        return ToolResult("\n\n".join(lines))

    async def propose(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Have a person asked where what is read may hold keys or settings."""
        return await self._documents.proposal(path_of(call, args))

    async def read_notebook(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Tell what is in a notebook, as far as there is room."""
        path = path_of(call, args)
        await self._documents.allowed(call, path)
        try:
            read, is_open = await self._read(call, path, args)
        except PageError as error:
            raise in_words(error) from error
        head = f"{in_line(path)}: {read['total']} cells"
        head += f", {in_line(read['language'])}" if read.get("language") else ""
        head += "." if is_open else ". It is open in no tab: this is the file as it was saved."
        parts = [head]
        news = self._seen.news(call.chat_id, path)
        room = MOST
        shown: list[Sight] = []
        told: list[str] = []
        by_name = bool(args.get("cell_ids"))
        for cell in read["cells"]:
            text, whole = _cell_told(cell, NAMED_SOURCE if by_name else SOURCE)
            room -= utf16_length(text)
            if told and room < 0:
                break
            told.append(text)
            shown.append(Sight.of(cell["id"], cell["source"], cell["length"], shown=whole))
        self._seen.show(call.chat_id, path, shown)
        if by_name:
            missing = set(args["cell_ids"]) - {cell["id"] for cell in read["cells"]}
            parts += [f"There is no cell with the id {in_line(each)}." for each in sorted(missing)]
        parts += [news] if news else []
        parts += told
        parts += _rest(read, len(told), by_name=by_name)
        return ToolResult("\n\n".join(parts))

    async def look(self, call: Call, path: str) -> list[dict[str, Any]]:
        """Look at a whole notebook, so that what others changed is known; return its cells.

        :raises PageError: it cannot be looked at.
        :raises ToolError: likewise.
        """
        read, _ = await self._documents.ask(call, "read", path, chars=1)
        cells: list[dict[str, Any]] = _cells_of(read)["cells"]
        self._look(call, path, cells)
        return cells

    def _look(self, call: Call, path: str, cells: Sequence[Mapping[str, Any]]) -> None:
        now = [Sight.of(each["id"], each["source"], each["length"], shown=False) for each in cells]
        self._seen.look(call.chat_id, path, now)

    async def _read(
        self, call: Call, path: str, args: Mapping[str, Any]
    ) -> tuple[dict[str, Any], bool]:
        """Read the cells that are asked for, and look at the others."""
        if ids := args.get("cell_ids"):
            await self.look(call, path)
            fields: dict[str, Any] = {"chars": NAMED_SOURCE, "cells": list(ids)[:MOST_CELLS]}
        else:
            # JSON may write a whole number as 1.0.
            count = min(int(args.get("count") or MOST_CELLS), MOST_CELLS)
            fields = {"chars": SOURCE, "from": int(args.get("start") or 1) - 1, "count": count}
        read, is_open = await self._documents.ask(call, "read", path, **fields)
        _cells_of(read)
        if not ids and len(read["cells"]) == read["total"]:
            self._look(call, path, read["cells"])
        elif not ids:
            await self.look(call, path)
        return read, is_open

    async def _open(self, call: Call) -> str:
        try:
            documents = (await call.page("documents", {}))["documents"]
        except PageError as error:
            if error.code != "no_page":
                raise in_words(error) from error
            return "No page of JupyterLab is there: nothing is open."
        if not documents:
            return "Nothing is open in JupyterLab."
        lines = ["Open in JupyterLab:"]
        for each in documents[:MOST_FILES]:
            kernel = each.get("kernel")
            about = [each["kind"]]
            about += ["in front"] if each.get("active") else []
            about += ["with unsaved changes"] if each.get("dirty") else []
            if kernel:
                about.append(f"kernel: {kernel.get('language')}, {kernel.get('state')}")
            lines.append(f"- {in_line(each['path'])} ({in_line(', '.join(map(str, about)))})")
        return "\n".join([*lines, *_more(len(documents))])

    async def _folder(self, folder: str) -> str:
        if self._documents.contents is None:
            raise ToolError("There is no server whose files could be listed.")
        try:
            found = await self._documents.contents.folder(folder)
        except ContentsError as error:
            raise in_words(error) from error
        lines = [f"In the folder {in_line(folder) or '/'}:" if found else "The folder is empty."]
        for each in sorted(found, key=lambda entry: entry.path)[:MOST_FILES]:
            size = f", {each.size:,} bytes" if each.size is not None else ""
            lines.append(f"- {in_line(each.path)} ({each.kind}{size})")
        return "\n".join([*lines, *_more(len(found))])


def _cells_of(read: dict[str, Any]) -> dict[str, Any]:
    if "cells" not in read:
        raise ToolError("This is no notebook. Read it with read_file.")
    return read


def _more(number: int) -> list[str]:
    return [f"[{number - MOST_FILES} more are not told]"] if number > MOST_FILES else []


def _rest(read: Mapping[str, Any], told: int, *, by_name: bool) -> list[str]:
    """Say which cells there was no room for."""
    cells = read["cells"]
    if by_name:
        left = [cell["id"] for cell in cells[told:]]
        return [f"[no room for: {named(left)}; read them by themselves]"] if left else []
    if not cells:
        return ["[no cells there]"] if read["total"] else []
    after = cells[told - 1]["index"] + 2  # counted from 1
    if after > read["total"]:
        return []
    return [f"[cells {after} to {read['total']} are not shown: read them with start={after}]"]


def _cell_told(cell: Mapping[str, Any], most: int) -> tuple[str, bool]:
    """Return how a cell is told, and whether all of its source is."""
    head = f"Cell {cell['index'] + 1}, id={in_line(cell['id'], 64)}, {in_line(cell['type'], 20)}"
    if cell["type"] == "code":
        run = cell.get("execution_count")
        head += f", run as [{run}]" if isinstance(run, int) else ", not run"
    source = cut(cell["source"], most, cell["length"])
    parts = [head, fenced(source)]
    outputs = cell.get("outputs") or []
    for each in outputs[:MOST_OUTPUTS]:
        kinds = [kind for kind in each.get("mime") or () if kind != "text/plain"]
        shown = f" ({in_line(', '.join(kinds))})" if kinds else ""
        text = cut(each["text"], OUTPUT, each["length"])
        parts.append(f"Output, {each['type']}{shown}:" + (f"\n{fenced(text)}" if text else ""))
    if len(outputs) > MOST_OUTPUTS:
        parts.append(f"[{len(outputs) - MOST_OUTPUTS} more outputs are not told]")
    whole = cell["length"] <= min(most, utf16_length(cell["source"]))
    return "\n".join(parts), whole
