"""What tools know of a server's files, whether a page has them open or not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Kind = Literal["notebook", "file", "directory"]
Fault = Literal[
    "missing",
    "no_text",
    "no_notebook",
    "too_large",
    "changed",
    "read_only",
    "hidden",
    "no_folder",
    "not_written",
    "failed",
]


class ContentsError(Exception):
    """A failure: a file could not be read or written.

    :ivar code: `changed`: it is not what was read any more. `hidden`: the server shows nothing of
        that name. `no_folder`: a part of the path before its last is no folder. `not_written`: it
        failed, and the file is as it was. `failed`: nobody knows why.
    """

    def __init__(self, code: Fault) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Entry:
    """What is at a path.

    :ivar path: from the server's root.
    :ivar size: in bytes, where it is known.
    :ivar apart: it is hidden, may hold keys or settings, or a link leads to such a thing or out of
        the root: a person is asked each time.
    :ivar place: the path by which it is reached without a link, where that is below the root.
    """

    path: str
    kind: Kind
    size: int | None = None
    writable: bool = True
    apart: bool = False
    place: str | None = None


@dataclass(frozen=True, slots=True)
class SavedNotebook:
    """A notebook as it was read.

    :ivar content: nbformat 4 as JSON; whoever reads it may change it.
    :ivar stamp: tells whether it was changed since.
    """

    content: dict[str, Any]
    stamp: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class SavedText:
    """A file of text as it was read, each line with the end that it has there.

    :ivar stamp: tells whether it was changed since.
    """

    text: str
    stamp: tuple[object, ...]


class Contents(Protocol):
    """What reads and writes the files below a server's root, and nothing else.

    What is hidden is not there, unless the server shows it. Each raises a `ContentsError`.
    """

    async def look(self, path: str) -> Entry:
        """Tell what is at a path."""
        ...

    async def folder(self, path: str) -> Sequence[Entry]:
        """Tell what is in a folder, in any order."""
        ...

    async def text(self, path: str, largest: int) -> str:
        """Return the text of a file, also of a notebook as it is written.

        :param largest: a file with more bytes is not read.
        """
        ...

    async def cells(self, path: str) -> dict[str, Any]:
        """Read a notebook, or what the server can read as one, to look at it: nbformat 4."""
        ...

    async def notebook(self, path: str) -> SavedNotebook:
        """Read a notebook, or what the server can read as one, to change it."""
        ...

    async def save(self, path: str, read: SavedNotebook, begin: Callable[[], None]) -> None:
        """Write a notebook that was read and changed since, unless others changed it as well.

        :param begin: called in the very step in which the writing begins; what it raises ends it.
        """
        ...

    async def place(self, path: str) -> str | None:
        """Tell by which path a new file would be reached without a link; None: out of the root."""
        ...

    async def file(self, path: str, largest: int) -> SavedText:
        """Read a file of text, to change it.

        :param largest: a file with more bytes is not read.
        """
        ...

    async def write(
        self, path: str, text: str, read: SavedText | None, begin: Callable[[], None]
    ) -> Sequence[str]:
        """Write a file of text that was read, unless others changed it as well; or a new one.

        :param read: None for a new one; the folders that it needs are made.
        :param begin: called in the very step in which the writing begins; what it raises ends it.
        :returns: the folders that were made.
        """
        ...
