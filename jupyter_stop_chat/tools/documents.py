"""The documents that tools work on: as a page has them open, else as they are saved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, TypeVar

from jupyter_stop_chat.ports.contents import Contents, ContentsError
from jupyter_stop_chat.ports.page_words import words_of
from jupyter_stop_chat.ports.tools import Call, Change, PageError, Proposal, ToolError

from .paths import is_apart
from .saved import Saved
from .words import in_line

log = logging.getLogger(__name__)

_T = TypeVar("_T")

#: The longest text that a page is asked for, in UTF-16 code units.
LONGEST_READ = 400_000
#: Seconds that a stop waits for what is being written.
WRITING_S = 0.5
#: What a page answers where the document is to be taken as it is saved.
_NOT_OPEN = frozenset({"not_open", "no_page"})
#: Of what failed so nobody knows how far it came.
_UNKNOWN = frozenset({"failed", "lost"})
#: What the failures of the server's files mean; for the others the words are those of a page.
_FAILURES = {
    "missing": "There is no such file.",
    "no_text": "This is no file of text in UTF-8.",
    "no_notebook": "This is no notebook, or it is broken.",
    "too_large": (
        "It is open in no tab of JupyterLab, and too large to be worked on as a file. "
        "Ask the person to open it."
    ),
    "hidden": "This server shows no hidden files: nothing was done.",
    "no_folder": "A part of this path is no folder: nothing was done.",
    "not_written": "The file could not be written, and is as it was. Perhaps the disk is full.",
}
_LINK = "This path is a link: nothing was done. Work on the document by its own path:"


class Documents:
    """What reads and edits documents, wherever they are.

    :param contents: the server's files, where there is a server.
    """

    def __init__(self, contents: Contents | None) -> None:
        self.contents = contents
        self._saved = Saved(contents) if contents is not None else None
        self._working: set[asyncio.Task[Any]] = set()

    async def ask(self, call: Call, operation: str, path: str, **args: Any) -> tuple[Any, bool]:
        """Have something without an effect done; tell as well whether a page has the document.

        :raises PageError: a page cannot; the document is open.
        :raises ToolError: it is not open, and cannot be read.
        """
        fields = {"path": path, **args}
        return await self._asked(call, operation, fields, lambda one: one.do(operation, fields))

    async def text(self, call: Call, path: str, chars: int) -> tuple[Any, bool]:
        """Return the beginning of a file's text; tell as well whether a page has it open.

        :param chars: the longest text, in UTF-16 code units.
        :raises PageError: a page cannot; the file is open.
        :raises ToolError: it is not open, and cannot be read.
        """
        fields = {"path": path, "chars": chars}
        return await self._asked(call, "read", fields, lambda one: one.text(path, chars))

    async def whole_text(self, call: Call, path: str) -> tuple[Any, bool]:
        """Return all of a file's text, None where there is none; tell whether a page has it open.

        :raises PageError: a page cannot; the file is open.
        :raises ToolError: it is not open, and cannot be read.
        """
        fields = {"path": path, "chars": LONGEST_READ}
        return await self._asked(call, "read", fields, lambda one: one.whole_text(path))

    async def _asked(
        self,
        call: Call,
        operation: str,
        fields: Mapping[str, Any],
        of_saved: Callable[[Saved], Awaitable[Any]],
    ) -> tuple[Any, bool]:
        """Ask a page, or what is saved where none has the document open; tell whether one has."""
        try:
            return await call.page(operation, fields), True
        except PageError as error:
            if error.code not in _NOT_OPEN or self._saved is None:
                raise
        try:
            return await of_saved(self._saved), False
        except ContentsError as error:
            raise in_words(error) from error

    async def is_apart(self, path: str) -> bool:
        """Tell whether a person is asked about a document each time."""
        if is_apart(path):
            return True
        # The path of a document that is worked on together begins with the name of a drive.
        for each in dict.fromkeys((path, path.partition(":")[2] or path)):
            if await self._leads_apart(each):
                return True
        return False

    async def _leads_apart(self, path: str) -> bool:
        """Tell whether what is at a path stands apart, or nobody can say that it does not."""
        if self.contents is None:
            return False
        try:
            return (await self.contents.look(path)).apart
        except ContentsError as error:
            if error.code != "missing":
                return True
        try:
            place = await self.contents.place(path)
        except ContentsError:
            return False  # nothing can be there
        return place is None or is_apart(place)

    async def proposal(self, path: str, *changes: Change) -> Proposal:
        """Return what a person is asked to allow."""
        return Proposal(changes, await self.is_apart(path))

    async def allowed(self, call: Call, path: str) -> None:
        """Go on if nobody must be asked first, or somebody was.

        :raises ToolError: a document that is read by leave alone was not asked for.
        """
        if not call.proposal.always_asked and await self.is_apart(path):
            raise ToolError(
                "This may hold keys or settings: it is read by the person's leave alone."
            )

    async def change(self, call: Call, change: Change, edit: Mapping[str, Any]) -> Any:
        """Make a change of a notebook that was allowed, written down before and after.

        :raises PageError: it cannot be done; nothing was changed.
        :raises ToolError: likewise.
        """
        path, fields = change.path, {"path": change.path, "edit": edit}
        return await self._make(
            call, change, "edit", fields, lambda saved: saved.edit(path, edit, call.begin)
        )

    async def write(self, call: Call, change: Change) -> Any:
        """Write a file as it was allowed, written down before and after.

        :raises PageError: it cannot be done; nothing was changed.
        :raises ToolError: likewise.
        """
        path, before, after = change.path, change.before, change.after or ""
        fields = {"path": path, "before": before, "text": after}
        return await self._make(
            call,
            change,
            "write",
            fields,
            lambda saved: saved.write(path, before, after, call.begin),
        )

    async def _make(
        self,
        call: Call,
        change: Change,
        operation: str,
        fields: Mapping[str, Any],
        of_saved: Callable[[Saved], Awaitable[Any]],
    ) -> Any:
        """Have a page make a change, or make it in the file where no page has that open.

        What has begun on a file goes on to its end, whatever becomes of the reply.
        """
        noting = self._work(call.note(change))
        try:
            n = await asyncio.shield(noting)
            call.begin()
        except asyncio.CancelledError:
            self._work(_not_made(call, noting))
            raise
        try:
            answer = await call.page(operation, fields, effect=True)
        except PageError as error:
            if error.code not in _NOT_OPEN or self._saved is None:
                if error.code not in _UNKNOWN:
                    await call.noted(n, done=False)
                raise
            try:
                await self.refuse_link(change.path)
            except ToolError:
                await call.noted(n, done=False)
                raise
            return await _to_its_end(call, self._work(_write(call, n, of_saved(self._saved))))
        await call.noted(n, done=True)
        return answer

    async def refuse_link(self, path: str) -> None:
        """Go on if a page would have a document open by this path, and by no other.

        It is not written as it is saved, behind the back of a page that has it open by its name.

        :raises ToolError: a link leads to it, or nothing can be there.
        """
        if self.contents is None:
            return
        try:
            place = (await self.contents.look(path)).place
        except ContentsError as error:
            if error.code != "missing":
                return  # it says why when it is read
            try:
                place = await self.contents.place(path)
            except ContentsError as failure:
                raise in_words(failure) from failure
        if place not in (None, path):
            raise ToolError(f"{_LINK} {in_line(str(place), 1000)}")

    async def close(self) -> None:
        """Return when what had begun has ended."""
        if self._working:
            await asyncio.wait(self._working)

    def _work(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Do something to its end, though nobody may wait for that any more."""
        task = asyncio.create_task(work, name="stop-chat-tool")
        self._working.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("what a tool did failed: %s", type(error).__name__)


async def _not_made(call: Call, noting: asyncio.Task[int]) -> None:
    """Write down that a change was not made, whose note may only come to be."""
    n = await noting
    await call.noted(n, done=False)


async def _to_its_end(call: Call, writing: asyncio.Task[_T]) -> _T:
    """Return what a writing answers; one that a stop finds has a moment for its end.

    What takes longer is told as still running, until it has ended.
    """
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        try:
            await asyncio.wait({writing}, timeout=WRITING_S)
        finally:
            if not writing.done():
                call.leave(writing)
        raise


async def _write(call: Call, n: int, writing: Awaitable[_T]) -> _T:
    """Write a file, and write down what became of that."""
    try:
        answer = await writing
    except asyncio.CancelledError:
        await call.noted(n, done=False)
        raise
    except (PageError, ContentsError) as error:
        if error.code in _UNKNOWN:
            raise in_words(PageError("lost")) from error
        await call.noted(n, done=False)
        raise (error if isinstance(error, PageError) else in_words(error)) from error
    await call.noted(n, done=True)
    return answer


def in_words(error: PageError | ContentsError) -> ToolError:
    """Tell a model why something could not be done."""
    if isinstance(error, ContentsError) and error.code in _FAILURES:
        return ToolError(_FAILURES[error.code])
    return ToolError(words_of(error if isinstance(error, PageError) else PageError(error.code)))
