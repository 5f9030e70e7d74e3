"""The cells of a notebook as it is saved, read and changed as a page does it with an open one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from jupyter_stop_chat.ports.tools import PageError
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

#: A larger cell is not handed out as it is, in bytes of its JSON: it could not be kept for Undo.
LARGEST_CELL = 1024 * 1024
_COLOURS = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")
_IDS_FROM = 5


class Cells:
    """The cells of a notebook: an nbformat document as JSON, which is changed in place.

    Notebooks of an older format have no ids, others may have one twice. There a cell has one that
    is made of its place and its source, and is written with the first change.

    :param looked_at: the same notebook, as it was looked at by its ids: whoever read this one may
        have given other ids to cells that have none of their own.
    """

    def __init__(self, notebook: dict[str, Any], looked_at: Cells | None = None) -> None:
        self._notebook = notebook
        self._cells: list[dict[str, Any]] = notebook["cells"]
        self._ids = _ids_of(self._cells)
        if looked_at is not None and looked_at.sources == self.sources:
            self._ids = list(looked_at._ids)

    @property
    def sources(self) -> list[str]:
        """Return what stands in the cells."""
        return [source_of(each) for each in self._cells]

    @property
    def language(self) -> str:
        """Return what the notebook's kernel speaks, by its own word."""
        metadata = self._notebook.get("metadata") or {}
        for name, key in (("language_info", "name"), ("kernelspec", "language")):
            if isinstance(told := (metadata.get(name) or {}).get(key), str):
                return told
        return ""

    def read(
        self, chars: int, ids: list[str] | None = None, first: int = 0, count: int | None = None
    ) -> dict[str, Any]:
        """Return cells with their outputs, each text cut.

        :param chars: the longest text, in UTF-16 code units.
        :param first: the place of the first one that is wanted, from 0.
        """
        wanted = range(first, len(self._cells) if count is None else first + count)
        found = [
            self._told(at, chars)
            for at, cell_id in enumerate(self._ids)
            if at in wanted and (ids is None or cell_id in ids)
        ]
        return {"total": len(self._cells), "language": self.language, "cells": found}

    def cell(self, cell_id: str) -> dict[str, Any]:
        """Return a cell as it is, and its neighbours.

        :raises PageError: `gone`, `too_large`.
        """
        at = self._place_of(cell_id)
        cell = {**self._cells[at], "id": cell_id, "source": source_of(self._cells[at])}
        if len(json.dumps(cell)) > LARGEST_CELL:
            raise PageError("too_large")
        return {"cell": cell, "index": at, **self._beside(at)}

    def edit(self, edit: Mapping[str, Any]) -> bool:
        """Make an edit; tell whether it was not there already.

        :raises PageError: `gone`, `changed`.
        """
        action = edit["action"]
        if action == "insert":
            return self._insert(edit)
        if action == "delete" and edit["cell_id"] not in self._ids:
            return False
        at = self._place_of(edit["cell_id"])
        if action == "replace":
            if source_of(self._cells[at]) == edit["source"]:
                return False
            self._expect(at, edit["before"])
            self._cells[at]["source"] = edit["source"]
        elif action == "delete":
            self._expect(at, edit["before"])
            del self._cells[at], self._ids[at]
        else:
            above = self._place_of(edit["after"]) if edit["after"] is not None else -1
            if above in (at, at - 1):
                return False
            cell = self._cells.pop(at)
            self._ids.pop(at)
            place = above + 1 if above < at else above
            self._cells.insert(place, cell)
            self._ids.insert(place, edit["cell_id"])
        self._write_ids()
        return True

    def beside(self, cell_id: str) -> dict[str, str | None]:
        """Return the neighbours of a cell; none of one that is not there."""
        if cell_id not in self._ids:
            return {"above": None, "below": None}
        return self._beside(self._ids.index(cell_id))

    def _insert(self, edit: Mapping[str, Any]) -> bool:
        cell = dict(edit.get("cell") or ())
        cell_id = cell.get("id") or edit["cell_id"]
        if cell_id in self._ids:
            return False
        if not cell:
            kind = edit["cell_type"]
            cell = {"cell_type": kind, "id": cell_id, "metadata": {}, "source": edit["source"]}
            cell |= {"outputs": [], "execution_count": None} if kind == "code" else {}
        place = self._place_of(edit["after"]) + 1 if edit["after"] is not None else 0
        self._cells.insert(place, cell)
        self._ids.insert(place, cell_id)
        self._write_ids()
        return True

    def _expect(self, at: int, before: str) -> None:
        source = source_of(self._cells[at])
        if source != before:
            raise PageError("changed", {"source": source})

    def _place_of(self, cell_id: str) -> int:
        if cell_id not in self._ids:
            raise PageError("gone")
        return self._ids.index(cell_id)

    def _beside(self, at: int) -> dict[str, str | None]:
        below = self._ids[at + 1] if at + 1 < len(self._ids) else None
        return {"above": self._ids[at - 1] if at else None, "below": below}

    def _write_ids(self) -> None:
        for cell, cell_id in zip(self._cells, self._ids, strict=True):
            cell["id"] = cell_id
        minor = self._notebook.get("nbformat_minor")
        self._notebook["nbformat_minor"] = max(minor or 0, _IDS_FROM)

    def _told(self, at: int, chars: int) -> dict[str, Any]:
        cell = self._cells[at]
        source = source_of(cell)
        return {
            "id": self._ids[at],
            "index": at,
            "type": cell.get("cell_type", "raw"),
            "source": utf16_slice(source, 0, chars),
            "length": utf16_length(source),
            "execution_count": cell.get("execution_count"),
            "outputs": [_output(each, chars) for each in cell.get("outputs") or ()],
        }


def source_of(cell: Mapping[str, Any]) -> str:
    """Return a cell's source, in one piece."""
    return whole(_joined(cell.get("source")))


def _joined(text: Any) -> str:
    if isinstance(text, list):
        return "".join(each for each in text if isinstance(each, str))
    return text if isinstance(text, str) else ""


def _output(output: Mapping[str, Any], chars: int) -> dict[str, Any]:
    kind = output.get("output_type")
    mime: list[str] = []
    if kind == "stream":
        text = _joined(output.get("text"))
    elif kind == "error":
        traceback = output.get("traceback")
        lines = traceback if isinstance(traceback, list) else []
        text = _COLOURS.sub("", "\n".join(each for each in lines if isinstance(each, str)))
        text = text or f"{output.get('ename')}: {output.get('evalue')}"
    else:
        data = output.get("data") or {}
        mime = [str(each) for each in data]
        text = _joined(data.get("text/plain"))
    text = whole(text)
    types = {"stream": "stream", "error": "error", "execute_result": "result"}
    return {
        "type": types.get(str(kind), "display"),
        "text": utf16_slice(text, 0, chars),
        "length": utf16_length(text),
        "mime": mime,
    }


def _ids_of(cells: list[dict[str, Any]]) -> list[str]:
    ids: list[str] = []
    taken: set[str] = set()
    for at, cell in enumerate(cells):
        cell_id = cell.get("id")
        if not isinstance(cell_id, str) or not cell_id or cell_id in taken:
            made = f"{at}\0{source_of(cell)}".encode()
            cell_id = hashlib.sha256(made).hexdigest()[:12]
        ids.append(cell_id)
        taken.add(cell_id)
    return ids
