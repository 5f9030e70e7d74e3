"""A chat as a document that a person keeps: Markdown, a notebook, or JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Literal

from jupyter_stop_chat.ports.fences import fenced
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.objects import Attachment, Chat, Message, MessageState

from .endings import ending, interruption
from .reading_order import reading_order

Format = Literal["md", "ipynb", "json"]

#: The media type of each format.
MEDIA_TYPES: dict[Format, str] = {
    "md": "text/markdown",
    "ipynb": "application/x-ipynb+json",
    "json": "application/json",
}


#: The pictures of a chat, by their digests.
Pictures = Mapping[str, bytes]


def export(
    chat: Chat,
    messages: Sequence[Message],
    form: Format,
    sent: Mapping[str, str] | None = None,
    pictures: Pictures = MappingProxyType({}),
    calls: Mapping[str, Sequence[Told]] = MappingProxyType({}),
) -> str:
    """Write a chat in one of the formats; turns that were taken out are left out. Blocks.

    A notebook is of nbformat 4.5, each turn a Markdown cell, with its pictures as the cell's
    attachments. JSON has them as well, as base64. Markdown names them: one with pictures in it is
    no text that a person reads or an editor opens.

    :param sent: the instructions that were sent, by their digests, where they were asked for:
        else nothing of them, nor of where the person was, is in the document.
    :param pictures: those that are written into the document; of the others it has the names.
    :param calls: the tool calls of messages, whole, by the messages' ids; JSON has them.
    """
    gone = _taken_out(messages)
    messages = [message for message in reading_order(messages) if message.id not in gone]
    if form == "json":
        private = {"instructions", "path"} if sent is None else set[str]()
        whole = {
            "chat": chat.model_dump(mode="json", exclude={"owner"}),
            "messages": [
                message.model_dump(mode="json", exclude_none=True, exclude=private)
                for message in messages
            ],
            **({} if sent is None else {"instructions": dict(sent)}),
        }
        there = {message.id for message in messages}
        if called := {each: [*map(asdict, its)] for each, its in calls.items() if each in there}:
            whole["calls"] = called
        held = {each.blob for message in messages for each in message.attachments if each.blob}
        if written := {each: _base64(pictures[each]) for each in sorted(held & {*pictures})}:
            whole["pictures"] = written
        return json.dumps(whole, ensure_ascii=False, indent=1)
    # Here, since the server's start would wait for the parser.
    from jupyter_stop_chat.markdown.document import title_in_document

    shown = pictures if form == "ipynb" else {}
    parts = [title_in_document(chat.title or "Chat")]
    parts += [_markdown(each, shown) for each in messages]
    told = {each for message in messages for each in message.instructions or ()}
    parts += [_instructed(text) for digest, text in (sent or {}).items() if digest in told]
    if form == "md":
        return "\n\n".join(parts) + "\n"
    return json.dumps(_notebook(parts, messages, pictures), ensure_ascii=False, indent=1)


def _taken_out(messages: Sequence[Message]) -> set[str]:
    """Return what was discarded by its stop, and the prompts that have no other reply."""
    gone = {message.id for message in messages if message.discarded}
    asked = {message.reply_to for message in messages if message.id in gone}
    answered = {message.reply_to for message in messages if message.id not in gone}
    alone = asked - answered
    return gone | {
        message.id for message in messages if message.role == "user" and message.id in alone
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _markdown(message: Message, pictures: Pictures) -> str:
    from jupyter_stop_chat.markdown.document import in_document

    who = "You" if message.role == "user" else "Reply"
    parts = [f"**{who}**", *([in_document(message.text)] if message.text.strip() else [])]
    parts.extend(
        _attached(each) if each.blob is None else _pictured(each, at, pictures)
        for at, each in enumerate(message.attachments)
    )
    if told := ending(message.finish_reason, message.text):
        parts.append(f"*{told}*")
    elif message.state is MessageState.INTERRUPTED:
        parts.append(f"*{interruption(message.stop.reason if message.stop else None)}*")
    if message.error is not None:
        parts.append(in_document(f"*Generation failed: {message.error.message}*"))
    return "\n\n".join(parts)


def _attached(attachment: Attachment) -> str:
    """Write down what went with a prompt, as it was: in a fence that nothing in it ends."""
    from jupyter_stop_chat.markdown.document import in_document

    block = fenced(attachment.text.rstrip("\n"), "text")
    what = "Context" if attachment.kind == "context" else "Attached"
    return f"{in_document(f'{what}: {attachment.name}')}\n\n{in_document(block)}"


def _pictured(attachment: Attachment, at: int, pictures: Pictures) -> str:
    """Name a picture that went with a prompt, and show it where the cell has it."""
    from jupyter_stop_chat.markdown.document import in_document

    size = f"{attachment.width} × {attachment.height}" if attachment.width else "picture"
    named = in_document(f"Attached picture: {attachment.name} ({size})")
    shown = f"![](attachment:{_file_of(attachment, at)})"
    return f"{named}\n\n{shown}" if attachment.blob in pictures else named


def _file_of(attachment: Attachment, at: int) -> str:
    return f"picture-{at}.{attachment.mime_type.removeprefix('image/')}"


def _instructed(text: str) -> str:
    """Write down the instructions that were sent."""
    return _attached(Attachment(name="Instructions", text=text)).replace("Attached: ", "", 1)


def _cell_files(message: Message, pictures: Pictures) -> dict[str, Any]:
    """Return the pictures of a turn, as a notebook's cell has them."""
    files = {
        _file_of(each, at): {each.mime_type: _base64(pictures[each.blob])}
        for at, each in enumerate(message.attachments)
        if each.blob is not None and each.blob in pictures
    }
    return {"attachments": files} if files else {}


def _notebook(
    parts: Sequence[str], messages: Sequence[Message], pictures: Pictures
) -> dict[str, Any]:
    files = {each.id: _cell_files(each, pictures) for each in messages}
    ids = ["title", *(message.id for message in messages)]
    ids += [f"instructions-{at}" for at in range(len(parts) - len(ids))]
    return {
        "cells": [
            {"cell_type": "markdown", "id": id_, "metadata": {}, "source": part}
            | files.get(id_, {})
            for id_, part in zip(ids, parts, strict=True)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
