"""What stands in for a person's page: a notebook as it does for tools what is asked of it."""

from __future__ import annotations

import asyncio
import copy
import inspect
import uuid
from collections.abc import Mapping
from typing import Any

from jupyter_stop_chat.ports.tools import Asking, Change, PageError, Proposal, Tool, ToolResult

#: A larger cell is not handed out, in characters of its JSON.
LARGEST = 1_000_000


def cell(source: str = "", cell_id: str | None = None, kind: str = "code", **more: Any) -> Any:
    """Make a cell as a notebook has it."""
    made = {"cell_type": kind, "id": cell_id or uuid.uuid4().hex[:8], "metadata": {}}
    made |= {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {**made, "source": source, **more}


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


class Page:
    """A page with documents, which it changes as the page of the package does."""

    def __init__(self, **notebooks: list[Any]) -> None:
        self.notebooks = {f"{name}.ipynb": cells for name, cells in notebooks.items()}
        self.files: dict[str, str] = {}
        #: What is written can be saved.
        self.saves = True
        #: What was asked, and what is answered in the place of an answer.
        self.asked: list[tuple[str, Any]] = []
        self.fails: dict[str, str] = {}

    def ids(self, path: str = "a.ipynb") -> list[str]:
        return [each["id"] for each in self.notebooks[path]]

    def sources(self, path: str = "a.ipynb") -> dict[str, str]:
        return {each["id"]: each["source"] for each in self.notebooks[path]}

    def do(self, operation: str, args: Mapping[str, Any]) -> Any:
        self.asked.append((operation, args))
        if operation in self.fails:
            raise PageError(self.fails[operation])
        if operation == "documents":
            kernel = {"name": "python3", "language": "python", "state": "busy"}
            notebooks = [
                {"path": path, "kind": "notebook", "dirty": True, "active": True, "kernel": kernel}
                for path in self.notebooks
            ]
            files = [
                {"path": path, "kind": "file", "dirty": False, "active": False, "kernel": None}
                for path in self.files
            ]
            return {"documents": notebooks + files}
        path = args["path"]
        if operation == "read" and path in self.files:
            text = self.files[path]
            return {"text": text[: args["chars"]], "length": len(text)}
        if operation == "write" and path in self.files:
            if self.files[path] != args["before"]:
                raise PageError("changed", {"source": self.files[path]})
            self.files[path] = args["text"]
            return {"done": True, "saved": self.saves}
        if path not in self.notebooks:
            raise PageError("not_open")
        return copy.deepcopy(getattr(self, f"_{operation}")(self.notebooks[path], args))

    def _read(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        first = args.get("from") or 0
        count = args.get("count") or len(cells)
        ids = args.get("cells")
        return {
            "total": len(cells),
            "language": "python",
            "cells": [
                {
                    "id": each["id"],
                    "index": at,
                    "type": each["cell_type"],
                    "source": each["source"][: args["chars"]],
                    "length": len(each["source"]),
                    "execution_count": each.get("execution_count"),
                    "outputs": [
                        {
                            "type": "stream",
                            "text": output["text"][: args["chars"]],
                            "length": len(output["text"]),
                            "mime": [],
                        }
                        for output in each.get("outputs", [])
                    ],
                }
                for at, each in enumerate(cells)
                if first <= at < first + count and (ids is None or each["id"] in ids)
            ],
        }

    def _at(self, cells: list[Any], cell_id: str) -> int:
        for at, each in enumerate(cells):
            if each["id"] == cell_id:
                return at
        raise PageError("gone")

    def _beside(self, cells: list[Any], at: int) -> Any:
        ids = [None, *(each["id"] for each in cells), None]
        return {"above": ids[at], "below": ids[at + 2]}

    def _cell(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        at = self._at(cells, args["cell_id"])
        if len(str(cells[at])) > LARGEST:
            raise PageError("too_large")
        return {"cell": cells[at], "index": at, **self._beside(cells, at)}

    def _edit(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        edit = args["edit"]
        cell_id = edit.get("cell_id") or edit["cell"]["id"]
        ids = [each["id"] for each in cells]
        if edit["action"] == "insert":
            if cell_id not in ids:
                new = edit.get("cell") or cell(edit["source"], cell_id, edit["cell_type"])
                above = edit["after"]
                cells.insert(0 if above is None else self._at(cells, above) + 1, new)
        elif edit["action"] == "replace":
            at = self._at(cells, cell_id)
            if cells[at]["source"] not in (edit["before"], edit["source"]):
                raise PageError("changed", {"source": cells[at]["source"]})
            cells[at]["source"] = edit["source"]
        elif edit["action"] == "delete":
            if cell_id not in ids:
                return {"done": True, "above": None, "below": None}
            at = self._at(cells, cell_id)
            if cells[at]["source"] != edit["before"]:
                raise PageError("changed", {"source": cells[at]["source"]})
            beside = self._beside(cells, at)
            del cells[at]
            return {"done": True, **beside}
        else:
            moved = cells.pop(self._at(cells, cell_id))
            above = edit["after"]
            cells.insert(0 if above is None else self._at(cells, above) + 1, moved)
        return {"done": True, **self._beside(cells, self._at(cells, cell_id))}


class StandIn:
    """What stands in for a call on its way through the gate, and for the journal.

    :ivar allows: a person allows what is asked, each time.
    :ivar stopped: the reply was stopped.
    """

    owner, chat_id, message_id, call_id = "me", "chat", "message", "call"

    def __init__(self, page: Page | None, path: str | None = None) -> None:
        self.there = page
        self.path = path
        self.proposal = Proposal()
        self.stopped = False
        self.asked: list[Proposal] = []
        #: Each change, and what became of it.
        self.journal: list[tuple[Change, str]] = []
        self.before_page: Any = None
        #: What went on behind the stop.
        self.left: list[asyncio.Future[Any]] = []

    @property
    def has_page(self) -> bool:
        return self.there is not None

    def begin(self) -> None:
        if self.stopped:
            raise asyncio.CancelledError

    def leave(self, work: asyncio.Future[Any]) -> None:
        self.left.append(work)

    async def page(self, operation: str, args: Mapping[str, Any], *, effect: bool = False) -> Any:
        if effect:
            assert self.journal[-1][1] == "begun", "it is written down before"
        await asyncio.sleep(0)
        if self.before_page is not None:
            happens = self.before_page(operation)
            if inspect.isawaitable(happens):
                await happens
        self.begin()
        if self.there is None:
            raise PageError("no_page")
        return self.there.do(operation, args)

    async def note(self, change: Change) -> int:
        await asyncio.sleep(0)
        self.journal.append((change, "begun"))
        return len(self.journal) - 1

    async def noted(self, n: int, *, done: bool) -> None:
        await asyncio.sleep(0)
        self.journal[n] = (self.journal[n][0], "done" if done else "failed")

    async def run(self, tool: Tool, **args: Any) -> ToolResult:
        """Carry a call out as the gate does, with a person who allows everything."""
        for _ in range(5):
            self.proposal = await tool.propose(self, args)
            if tool.touches != "reads" or self.proposal.always_asked:
                self.asked.append(self.proposal)
            try:
                return await tool.run(self, args)
            except Asking:
                continue
        raise AssertionError("asked without end")
