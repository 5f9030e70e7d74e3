"""The source of a cell, exactly as it is: what is replaced or run is that, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_stop_chat.ports.tools import Call, PageError, ToolError
from jupyter_stop_chat.wire.utf16 import utf16_length, whole

from .documents import Documents, in_words
from .words import in_line

#: A longer source is neither written nor run, in UTF-16 code units.
LONGEST_SOURCE = 400_000


async def source_of(documents: Documents, call: Call, path: str, cell_id: str) -> tuple[str, str]:
    """Return a cell's whole source, and its type, however large its outputs are.

    :raises ToolError: there is no such cell, or it is too large.
    """
    fields = {"chars": LONGEST_SOURCE, "cells": [cell_id]}
    try:
        found, _ = await documents.ask(call, "cell", path, cell_id=cell_id)
        return exact(found["cell"]), str(found["cell"].get("cell_type", "raw"))
    except PageError as error:
        if error.code != "too_large":
            raise in_words(error) from error
    try:
        read, _ = await documents.ask(call, "read", path, **fields)
    except PageError as error:
        raise in_words(error) from error
    (cell,) = read["cells"] or [None]
    if cell is None or cell["length"] > utf16_length(cell["source"]):
        raise ToolError("This cell is too large to be changed or run: nothing was done.")
    return exact(cell), str(cell["type"])


def exact(cell: Mapping[str, Any]) -> str:
    """Return a cell's source, which is compared with what is there when something is done.

    :raises ToolError: it cannot be kept as it is.
    """
    source = cell.get("source")
    text = "".join(source) if isinstance(source, list) else str(source or "")
    if text != whole(text):
        raise ToolError("This cell has characters that cannot be kept: nothing was done.")
    return text


def known(order: list[str], cell_id: str) -> str:
    """Return a cell's id.

    :raises ToolError: it is none of these.
    """
    if cell_id not in order:
        raise ToolError(
            f"There is no cell with the id {in_line(cell_id, 64)} (any more). "
            "Read the notebook again."
        )
    return cell_id
