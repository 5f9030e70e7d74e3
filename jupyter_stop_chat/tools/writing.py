"""The tool that writes a file of text: a new one, all of one that was read, or a part of it."""

from __future__ import annotations

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
from .line_ends import plain_lines
from .paths import path_of
from .reading import NAMED_SOURCE
from .seen_files import SeenFiles
from .words import cut, in_line, named

#: A longer text is not written, in UTF-16 code units.
LONGEST_TEXT = 400_000
#: Longer names are none on most disks, in bytes.
LONGEST_NAME = 255
_BOM = "\ufeff"
_NOTEBOOK = (
    "This is a notebook: nothing was done. Work on its cells, with insert_cell, replace_cell, "
    "move_cell and delete_cell."
)


class Writing:
    """What writes files for models.

    :param seen: what they have seen of them.
    """

    def __init__(self, documents: Documents, seen: SeenFiles) -> None:
        self._documents = documents
        self._seen = seen

    async def propose(self, call: Call, args: Mapping[str, Any]) -> Proposal:
        """Look what a file is, and what becomes of it; it must be as the model expects it."""
        path = _file_path(call, args)
        try:
            read, is_open = await self._documents.whole_text(call, path)
        except PageError as error:
            raise in_words(error) from error
        if not is_open:
            await self._documents.refuse_link(path)
        if read is None:
            before, after = None, _checked(_new(args))
        else:
            before = _text_of(read)
            after = _checked(self._replaced(call, path, before, args))
        if after == before:
            raise ToolError("The file has that text already.")
        return await self._documents.proposal(
            path, Change(path, "write", before=before, after=after)
        )

    async def run(self, call: Call, args: Mapping[str, Any]) -> ToolResult:
        """Do what was allowed.

        :raises Asking: the file is not as it was when that was allowed.
        """
        changes = call.proposal.changes
        if len(changes) != 1 or changes[0].path != path_of(call, args):
            raise Asking
        change = changes[0]
        if not call.proposal.always_asked and await self._documents.is_apart(change.path):
            raise Asking  # a link has come to be there
        try:
            answer = await self._documents.write(call, change)
        except PageError as error:
            if error.code == "changed":
                raise Asking from error
            raise in_words(error) from error
        before, after = change.before, plain_lines(change.after or "")
        all_of = args.get("text") is not None
        self._seen.wrote(call.chat_id, change.path, before, after, all_of=all_of)
        return ToolResult(_told(change, answer))

    def _replaced(self, call: Call, path: str, text: str, args: Mapping[str, Any]) -> str:
        """Return what becomes of a text that must be as the model expects it."""
        old, new = _pair(args)
        if old is None:
            if text and not self._seen.knows(call.chat_id, path, text):
                why = "You have not read all of this file as it is now"
                raise self._differs(call, path, text, why)
            mark = _BOM if text.startswith(_BOM) and not new.startswith(_BOM) else ""
            return mark + new
        times = text.count(old) if old else 0
        if times == 1:
            return text.replace(old, new)
        if times:
            raise ToolError(f"old_text is in this file {times} times. Quote more of it.")
        raise self._differs(call, path, text, "This file does not contain old_text")

    def _differs(self, call: Call, path: str, text: str, why: str) -> ToolError:
        """Tell a model what a file is, which it takes for something else."""
        if utf16_length(text) > NAMED_SOURCE:
            return ToolError(f"{why}: nothing was done. Read it with read_file.")
        self._seen.show(call.chat_id, path, text, 0, 1, 1)
        return ToolError(f"{why}: nothing was done. It is:\n{fenced(cut(text, NAMED_SOURCE))}")


def _file_path(call: Call, args: Mapping[str, Any]) -> str:
    path = path_of(call, args)
    if path.rstrip(". ").lower().endswith(".ipynb"):
        raise ToolError(_NOTEBOOK)
    if any(len(part.encode("utf-8", "replace")) > LONGEST_NAME for part in path.split("/")):
        raise ToolError("This name is too long for a file.")
    return path


def _pair(args: Mapping[str, Any]) -> tuple[str | None, str]:
    """Return the text that is replaced, None for all of it, and what comes in its place.

    A file's lines end as they do in it: here they all end alike.
    """
    text, old, new = (args.get(name) for name in ("text", "old_text", "new_text"))
    if (text is None) == (old is None) or (old is None) != (new is None):
        raise ToolError("Give either text, for all of the file, or old_text and new_text.")
    if old is None:
        return None, str(text).replace("\r\n", "\n")
    return str(old).replace("\r\n", "\n"), str(new).replace("\r\n", "\n")


def _new(args: Mapping[str, Any]) -> str:
    """Return the text of a file that is not there yet, as the model writes it."""
    if _pair(args)[0] is not None:
        raise ToolError("There is no such file. Give text, which is all of it, for a new one.")
    return str(args["text"])


def _checked(text: str) -> str:
    text = whole(text)
    if utf16_length(text) > LONGEST_TEXT:
        raise ToolError(f"A file may have {LONGEST_TEXT:,} characters: nothing was done.")
    return text


def _text_of(read: Mapping[str, Any]) -> str:
    """Return a file's whole text, which is compared with what is there when it is written."""
    text = read.get("text")
    if not isinstance(text, str):
        is_folder = read.get("kind") == "directory"
        raise ToolError("This is a folder: name a file in it." if is_folder else _NOTEBOOK)
    if read["length"] > LONGEST_TEXT:
        raise ToolError(
            f"This file has more than {LONGEST_TEXT:,} characters: it is too large to be written."
        )
    if text != whole(text):
        raise ToolError("This file has characters that cannot be kept: nothing was done.")
    return text


def _told(change: Change, answer: Mapping[str, Any]) -> str:
    name = in_line(change.path, 1000)
    told = f"The new file {name} is written." if change.before is None else f"{name} is written."
    if folders := answer.get("folders"):
        told += f" There was no such folder: {named(folders)} is new, too."
    if not answer.get("saved", True):
        told += (
            " It is changed where the person has it open, but it could not be saved (yet): "
            "they see why in JupyterLab."
        )
    return told
