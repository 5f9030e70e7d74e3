"""The tools that read files: one of them, and all in which something is found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from fnmatch import fnmatchcase
from typing import Any

from jupyter_stop_chat.ports.contents import Contents, ContentsError, Entry
from jupyter_stop_chat.ports.fences import fenced
from jupyter_stop_chat.ports.tools import Call, PageError, Proposal, ToolError, ToolResult
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

from .cells import Cells
from .documents import Documents, in_words
from .paths import path_of, plain
from .seen_files import SeenFiles
from .words import in_line

#: So much of a file is asked for, and so much of it is told at once, in UTF-16 code units.
ASKED, MOST = 400_000, 40_000
#: So many files are searched in so many folders, none larger than that, in bytes.
MOST_FILES, MOST_FOLDERS, LARGEST = 2_000, 500, 2 * 1024 * 1024
#: So long is searched, in seconds; so many places are told, and so much of each line.
LONGEST_S, MOST_HITS, LINE = 15.0, 60, 200
#: Folders of what others made: nobody means them by a search.
_SKIPPED = frozenset({"node_modules", "__pycache__", "site-packages", "venv", "env"})


class Files:
    """What reads files for models.

    :param seen: remembers what they are told.
    """

    def __init__(self, documents: Documents, seen: SeenFiles) -> None:
        self._documents = documents
        self._seen = seen

    async def propose(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Have a person asked where a file may hold keys or settings."""
        return await self._documents.proposal(path_of(call, args))

    async def read_file(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Tell what is in a file, as far as there is room."""
        path = path_of(call, args)
        if path.lower().endswith(".ipynb"):
            raise ToolError("This is a notebook. Read it with read_notebook.")
        await self._documents.allowed(call, path)
        try:
            read, is_open = await self._documents.text(call, path, ASKED)
        except PageError as error:
            raise in_words(error) from error
        if "text" not in read:
            raise ToolError("This is a notebook. Read it with read_notebook.")
        text = read["text"]
        # As an editor counts them: what a model writes must find them so.
        lines = text.removeprefix("\ufeff").split("\n")
        is_ended = lines[-1] == ""
        lines = lines[:-1] if is_ended else lines
        # JSON may write a whole number as 1.0.
        first = min(int(args.get("start_line") or 1) - 1, len(lines))
        wanted = lines[first : first + int(args.get("count") or len(lines))]
        told: list[str] = []
        room = MOST
        for line in wanted:
            room -= utf16_length(line) + 1
            if room < 0 and told:
                break
            told.append(utf16_slice(line, 0, MOST))
        last = first + len(told)
        cut = read["length"] > utf16_length(text)
        changed = False
        if not cut:
            seen = first if room < 0 and len(told) == 1 else last
            changed = self._seen.show(call.chat_id, path, text, first, seen, len(lines))
        if told and room < 0 and len(told) == 1:
            told[0] += " [the rest of this line is cut]"
        saved = "" if is_open else " It is open in no tab: this is as it was saved."
        head = f"{in_line(path)}: lines {first + 1 if told else first} to {last} of "
        head += f"{'more than ' if cut else ''}{len(lines)}.{saved}"
        parts = [head]
        if changed:
            parts.append("Somebody else changed this file since you last read it.")
        parts.append(fenced("\n".join(told)))
        if last < len(lines):
            parts.append(f"[there is more: read it with start_line={last + 1}]")
        elif cut:
            parts.append("[the file is longer than can be read]")
        elif told and not is_ended:
            parts.append("[the last line has no end]")
        return ToolResult("\n".join(parts))

    async def search_files(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Tell where a text is found in files and in the cells of notebooks, as they are saved."""
        if (contents := self._documents.contents) is None:
            raise ToolError("There is no server whose files could be searched.")
        folder = plain(str(args.get("folder") or ""))
        if folder and await self._documents.is_apart(folder):
            raise ToolError("This folder may hold keys or settings: it is not searched.")
        search = _Search(contents, str(args["text"]), str(args.get("files") or "*"))
        try:
            async with asyncio.timeout(LONGEST_S):
                await search.run(folder)
        except TimeoutError:
            search.left_out.append("the rest: it took too long")
        except ContentsError as error:
            raise in_words(error) from error
        return ToolResult(search.told())


class _Search:
    """What looks for a text in the files of a folder and below it.

    :param pattern: what their names, or their paths, are like.
    :ivar left_out: what was not looked into, and why.
    """

    def __init__(self, contents: Contents, text: str, pattern: str) -> None:
        self._contents = contents
        self._text = text.casefold()
        self._pattern = pattern.lower()
        self._files = 0
        self._folders = 0
        self._hits: list[str] = []
        self._apart = 0
        self._larger = 0
        self.left_out: list[str] = []

    async def run(self, folder: str) -> None:
        """Search.

        :raises ContentsError: the folder cannot be read.
        """
        async with aclosing(self._below(folder)) as entries:
            async for entry in entries:
                if len(self._hits) >= MOST_HITS:
                    self.left_out.append(f"the rest: {MOST_HITS} places are enough")
                    return
                self._files += 1
                if self._files > MOST_FILES:
                    self._files = MOST_FILES
                    self.left_out.append(f"the rest: {MOST_FILES:,} files are enough")
                    return
                try:
                    text = await self._contents.text(entry.path, LARGEST)
                except ContentsError as error:
                    self._larger += error.code == "too_large"
                    continue
                # In a thread: it may be long.
                self._hits += await in_thread(_found, entry, text, self._text)

    def told(self) -> str:
        """Return what was found, and what was left out."""
        head = f"Found in {self._files} files, as they are saved:"
        if not self._hits:
            head = f"Not found in {self._files} files, as they are saved."
        left = list(self.left_out)
        if self._larger:
            left.append(f"{self._larger} files larger than {LARGEST // 1024**2} MiB")
        if self._apart:
            left.append(f"{self._apart} files or folders that may hold keys or settings")
        parts = [head]
        if self._hits:
            parts.append(fenced("\n".join(self._hits[:MOST_HITS])))
        return "\n".join([*parts, *(f"[left out: {each}]" for each in left)])

    async def _below(self, folder: str) -> AsyncGenerator[Entry, None]:
        """Yield the files in a folder and below it, those of a folder before those below."""
        folders = [folder]
        while folders:
            self._folders += 1
            if self._folders > MOST_FOLDERS:
                self.left_out.append(f"the rest: {MOST_FOLDERS} folders are enough")
                return
            at = folders.pop(0)
            try:
                found = await self._contents.folder(at)
            except ContentsError:
                if at == folder:
                    raise
                continue
            for entry in sorted(found, key=lambda each: each.path):
                if entry.apart:
                    self._apart += 1
                elif entry.kind == "directory":
                    if entry.path.rsplit("/", 1)[-1] not in _SKIPPED:
                        folders.append(entry.path)
                elif self._fits(entry.path):
                    yield entry

    def _fits(self, path: str) -> bool:
        path = path.lower()
        return any(fnmatchcase(each, self._pattern) for each in (path, path.rsplit("/", 1)[-1]))


def _found(entry: Entry, text: str, wanted: str) -> list[str]:
    """Return the places in a file where a text is found. Blocks: it may be long."""
    # In a notebook's JSON a quote or a letter may be written otherwise.
    if entry.kind != "notebook" and wanted not in text.casefold():
        return []
    places = [("", text)]
    if entry.kind == "notebook":
        try:
            read = Cells(json.loads(text)).read(LARGEST)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return []
        places = [(f", cell {each['id']}", each["source"]) for each in read["cells"]]
    return [
        f"{in_line(entry.path)}{where}, line {number}: {in_line(line.strip(), LINE)}"
        for where, source in places
        for number, line in enumerate(source.splitlines(), 1)
        if wanted in line.casefold()
    ][:MOST_HITS]
