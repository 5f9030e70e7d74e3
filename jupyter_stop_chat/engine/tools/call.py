"""A call as its tool is given it: the only way to have an effect, or to write one down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.kernels import Interrupted
from jupyter_stop_chat.ports.tools import Change, Journal, PageError, Proposal, ToolError
from jupyter_stop_chat.threads import Threads, in_thread
from jupyter_stop_chat.wire.tools import KernelStop, ServerAnswer, ServerStop, WaitsFor
from jupyter_stop_chat.wire.utf16 import whole, whole_json

from .bounds import Bounds
from .pages import PageCalls
from .stopped import refuse_stopped

_T = TypeVar("_T")
#: Told of work that goes on although nobody waits for it any more.
Leave = Callable[[asyncio.Future[Any]], None]
#: A cell that is nested more deeply is not kept, and so not changed.
DEEPEST = 100
#: So much of the words for how far a call has come is shown, in characters.
LONGEST_PROGRESS = 200


class GatedCall:
    """One call of a tool, on its way through the gate."""

    def __init__(
        self,
        generation: Generation,
        call_id: str,
        path: str | None,
        journal: Journal,
        pages: PageCalls,
        bounds: Bounds,
        leave: Leave,
        sees: bool | None = None,
    ) -> None:
        self.sees = sees
        self.owner = generation.owner
        self.chat_id = generation.chat_id
        self.message_id = generation.id
        self.call_id = call_id
        self.path = path
        self.proposal = Proposal()
        self._generation = generation
        self._journal = journal
        self._pages = pages
        self._bounds = bounds
        self._leave = leave
        self._noted: dict[int, Change] = {}

    def begin(self) -> None:
        """Raise `asyncio.CancelledError` if the reply was stopped."""
        refuse_stopped(self._generation)

    async def page(self, operation: str, args: Mapping[str, Any], *, effect: bool = False) -> Any:
        """Have the page that has a document open do something, and return what it answers."""
        self.begin()
        try:
            return await self._pages.ask(self._generation, operation, args, effect=effect)
        except PageError as error:
            if effect and error.code == "failed":  # it may have been done
                raise PageError("lost") from error
            raise

    async def in_thread(self, function: Callable[[], _T]) -> _T:
        """Call what has only sync code; what runs on behind a stop is told as such."""
        self.begin()
        threads = Threads(1, "stop-chat-tool")
        work = threads.run(function)  # it begins in this very step
        threads.end()
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            if not work.done():
                self.leave(work)
            raise

    def leave(self, work: asyncio.Future[Any]) -> None:
        """Tell that something goes on behind a stop, until that is done."""
        self._generation.lines.leave(self.call_id, work)
        self._leave(work)

    @property
    def has_page(self) -> bool:
        """Tell whether a page of the person's is there, behind a stop as well."""
        return self._pages.are_there(self.owner)

    def waits_for(self, what: WaitsFor | None) -> None:
        """Show in the call's line what it waits for."""
        self._tell({"waits_for": what})

    def progress(self, words: str) -> None:
        """Show in the call's line how far it has come, in words; they are not kept."""
        self._tell({"progress": whole(words[:LONGEST_PROGRESS])})

    def _tell(self, fields: Mapping[str, Any]) -> None:
        if not self._generation.fenced:
            self._generation.lines.tell(self.call_id, fields)

    @contextmanager
    def own_time(self) -> Iterator[None]:
        """Let the reply's own time stand still: what is done has a limit of its own."""
        self._generation.deadline.pause()
        try:
            yield
        finally:
            self._generation.deadline.resume()

    def kernel_said(self, interrupted: Interrupted, idle_ms: float | None = None) -> None:
        """Have the receipt tell what a kernel said to an interrupt."""
        self._generation.lines.kernel = KernelStop(
            answer=interrupted.answer,
            ms=interrupted.ms,
            exact=interrupted.exact,
            idle_ms=idle_ms,
        )
        self._generation.on_late_news()

    def server_said(self, answer: ServerAnswer, ms: float) -> None:
        """Have the receipt tell what a server of tools said to a cancel."""
        self._generation.lines.server = ServerStop(answer=answer, ms=round(ms, 3))
        self._generation.on_late_news()

    async def note(self, change: Change) -> int:
        """Write down a change that is about to be made; return its number once it is durable."""
        await in_thread(refuse_unkept, (change,))
        if change.action == "insert":
            self._bounds.insert()
        n = await self._journal.note(self.message_id, self.call_id, change)
        self._noted[n] = change
        return n

    async def noted(self, n: int, *, done: bool) -> None:
        """Write down whether a change was made."""
        change = self._noted.get(n)
        if done and change is not None and change.action != "run":
            self._generation.lines.changed.add((change.path, change.cell_id))
        await self._journal.mark(self.message_id, {n: "done" if done else "failed"})


def refuse_unkept(changes: Sequence[Change]) -> None:
    """Refuse changes of cells that could not be brought back as they are. Blocks.

    :raises ToolError: the journal could not keep one, or no page could be told of it.
    """
    for each in changes:
        if not _is_kept(each):
            raise ToolError("This cannot be kept for Undo as it is: nothing was done.")


def _is_kept(change: Change) -> bool:
    texts = (change.path, change.cell_id, change.cell_type, change.before, change.after)
    if any(each is not None and whole(each) != each for each in texts):
        return False
    cell = change.cell
    return cell is None or (_depth(cell, DEEPEST) >= 0 and whole_json(cell) == cell)


def _depth(value: Any, room: int) -> int:
    """Return how much room is left below the deepest part of JSON; less than 0 where none is."""
    inner = value.values() if isinstance(value, Mapping) else value
    if room < 0 or not isinstance(value, Mapping | list | tuple):
        return room
    return min((_depth(each, room - 1) for each in inner), default=room)
