"""The tools that change notebooks: a cell at a time, by its id, and only as it is expected."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from jupyter_stop_chat.ports.fences import fenced
from jupyter_stop_chat.ports.tools import (
    Asking,
    Call,
    Change,
    PageError,
    Proposal,
    ToolError,
    ToolResult,
)
from jupyter_stop_chat.wire.utf16 import utf16_length, whole

from .documents import Documents, in_words
from .paths import path_of
from .reading import NAMED_SOURCE, Reading
from .seen import Seen, Sight, digest_of
from .sources import LONGEST_SOURCE, exact, known, source_of
from .words import cut, in_line

#: The anchor of what goes above all cells.
TOP = "top"


class Editing:
    """What changes notebooks for models.

    :param seen: what they have seen of them.
    """

    def __init__(self, documents: Documents, reading: Reading, seen: Seen) -> None:
        self._documents = documents
        self._reading = reading
        self._seen = seen

    # --- what is about to be done ------------------------------------------------------------

    async def propose_insert(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Look where a new cell is to go."""
        path, order = await self._order(call, args)
        above, below = _place(order, args["after"])
        change = Change(
            path,
            "insert",
            cell_id=uuid.uuid4().hex[:12],
            cell_type=args["cell_type"],
            after=_checked(args["source"]),
            beside={"new_above": above, "new_below": below},
        )
        return await self._documents.proposal(path, change)

    async def propose_replace(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Look what a cell is, and what becomes of it; it must be as the model expects it."""
        path, order = await self._order(call, args)
        cell_id = known(order, args["cell_id"])
        source, kind = await source_of(self._documents, call, path, cell_id)
        after = _checked(self._replaced(call, path, cell_id, source, args))
        if after == source:
            raise ToolError("The cell has that source already.")
        change = Change(path, "replace", cell_id, kind, before=source, after=after)
        return await self._documents.proposal(path, change)

    async def propose_delete(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Look what a cell is, so that it can be brought back; the model must have seen it."""
        path, order = await self._order(call, args)
        cell_id = known(order, args["cell_id"])
        found = await self._found(call, path, cell_id)
        cell = found["cell"]
        source = exact(cell)
        self._expect_seen(call, path, cell_id, source)
        beside = {"above": found["above"], "below": found["below"]}
        kind = str(cell.get("cell_type", "raw"))
        change = Change(path, "delete", cell_id, kind, source, cell=cell, beside=beside)
        return await self._documents.proposal(path, change)

    async def propose_move(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Look where a cell is, and where it is to go."""
        path, order = await self._order(call, args)
        cell_id = known(order, args["cell_id"])
        at = order.index(cell_id)
        others = [each for each in order if each != cell_id]
        if args["after"] == cell_id:
            raise ToolError("A cell cannot go below itself.")
        above, below = _place(others, args["after"])
        old = {
            "above": order[at - 1] if at else None,
            "below": order[at + 1] if at + 1 < len(order) else None,
        }
        if old["above"] == above:
            raise ToolError("The cell is there already.")
        beside = {**old, "new_above": above, "new_below": below}
        return await self._documents.proposal(path, Change(path, "move", cell_id, beside=beside))

    # --- doing it ----------------------------------------------------------------------------

    async def run(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Do what was allowed.

        :raises Asking: the cell is not as it was when that was allowed.
        """
        changes = call.proposal.changes
        if len(changes) != 1 or changes[0].path != path_of(call, args):
            raise Asking
        change = changes[0]
        try:
            answer = await self._documents.change(call, change, _edit_of(change))
        except PageError as error:
            if error.code == "changed":
                raise Asking from error
            raise in_words(error) from error
        self._seen.changed(call.chat_id, change)
        news = self._seen.news(call.chat_id, change.path)
        return ToolResult("\n".join(filter(None, [_told(change, answer), news])))

    # --- as it is now ------------------------------------------------------------------------

    async def _order(self, call: Call, args: Mapping[str, Any]) -> tuple[str, list[str]]:
        """Return a notebook's path and the ids of its cells."""
        path = path_of(call, args)
        try:
            return path, [cell["id"] for cell in await self._reading.look(call, path)]
        except PageError as error:
            raise in_words(error) from error

    async def _found(self, call: Call, path: str, cell_id: str) -> dict[str, Any]:
        try:
            found, _ = await self._documents.ask(call, "cell", path, cell_id=cell_id)
        except PageError as error:
            raise in_words(error) from error
        return dict(found)

    def _replaced(
        self, call: Call, path: str, cell_id: str, source: str, args: Mapping[str, Any]
    ) -> str:
        """Return what becomes of a source that must be as the model expects it."""
        new, old = args["new_source"], args.get("old_source")
        if old is None:
            self._expect_seen(call, path, cell_id, source)
            return str(new)
        if old == source:
            return str(new)
        times = source.count(old) if old else 0
        if times == 1:
            return source.replace(old, new)
        if times:
            raise ToolError(f"old_source is in this cell {times} times. Quote more of it.")
        raise self._differs(call, path, cell_id, source, "This cell does not contain old_source")

    def _expect_seen(self, call: Call, path: str, cell_id: str, source: str) -> None:
        sight = self._seen.sight(call.chat_id, path, cell_id)
        if sight is not None and sight.shown and sight.digest == digest_of(source):
            return
        why = "You have not read all of this cell as it is now"
        raise self._differs(call, path, cell_id, source, why)

    def _differs(self, call: Call, path: str, cell_id: str, source: str, why: str) -> ToolError:
        """Tell a model what a cell is, which it takes for something else."""
        shown = utf16_length(source) <= NAMED_SOURCE
        self._seen.show(call.chat_id, path, [Sight.of(cell_id, source, shown=shown)])
        news = self._seen.news(call.chat_id, path)
        said = [f"{why}: nothing was done. It is:", fenced(cut(source, NAMED_SOURCE)), news]
        return ToolError("\n".join(filter(None, said)))


def _checked(source: Any) -> str:
    text = whole(str(source))
    if utf16_length(text) > LONGEST_SOURCE:
        raise ToolError(f"A cell may have {LONGEST_SOURCE:,} characters: nothing was done.")
    return text


def _place(order: list[str], after: str) -> tuple[str | None, str | None]:
    """Return the neighbours of a cell that is put below another one, or at the top."""
    if after == TOP and after not in order:
        return None, order[0] if order else None
    at = order.index(known(order, after))
    return after, order[at + 1] if at + 1 < len(order) else None


def _edit_of(change: Change) -> dict[str, Any]:
    """Return a change as a page is asked for it."""
    edit: dict[str, Any] = {"action": change.action, "cell_id": change.cell_id}
    beside = change.beside or {}
    if change.action == "insert":
        return edit | {
            "cell_type": change.cell_type,
            "source": change.after,
            "after": beside.get("new_above"),
        }
    if change.action == "replace":
        return edit | {"before": change.before, "source": change.after}
    if change.action == "delete":
        return edit | {"before": change.before}
    return edit | {"after": beside.get("new_above")}


def _told(change: Change, answer: Mapping[str, Any]) -> str:
    if change.action == "delete":
        return f"The cell {change.cell_id} is deleted."
    above, below = (
        None if answer.get(each) is None else in_line(str(answer[each]), 64)
        for each in ("above", "below")
    )
    where = f"below {above}" if above else "at the top"
    where += f", above {below}" if below else ", at the end"
    done = {"insert": "is new", "replace": "has its new source", "move": "is moved"}
    return f"The cell {change.cell_id} {done[change.action]}. It stands {where}."
