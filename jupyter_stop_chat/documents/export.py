"""A chat as a document that a person keeps: Markdown, a notebook, or JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Literal

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


def export(chat: Chat, messages: Sequence[Message], form: Format) -> str:
    """Write a chat in one of the formats; turns that were taken out are left out. Blocks.

    A notebook is of nbformat 4.5, each turn a Markdown cell.
    """
    gone = _taken_out(messages)
    messages = [message for message in reading_order(messages) if message.id not in gone]
    if form == "json":
        whole = {
            "chat": chat.model_dump(mode="json", exclude={"owner"}),
            "messages": [
                message.model_dump(mode="json", exclude_none=True) for message in messages
            ],
        }
        return json.dumps(whole, ensure_ascii=False, indent=1)
    # Here, since the server's start would wait for the parser.
    from jupyter_stop_chat.markdown.document import title_in_document

    parts = [title_in_document(chat.title or "Chat"), *map(_markdown, messages)]
    if form == "md":
        return "\n\n".join(parts) + "\n"
    return json.dumps(_notebook(parts, messages), ensure_ascii=False, indent=1)


def _taken_out(messages: Sequence[Message]) -> set[str]:
    """Return what was discarded by its stop, and the prompts that have no other reply."""
    gone = {message.id for message in messages if message.discarded}
    asked = {message.reply_to for message in messages if message.id in gone}
    answered = {message.reply_to for message in messages if message.id not in gone}
    alone = asked - answered
    return gone | {
        message.id for message in messages if message.role == "user" and message.id in alone
    }


def _markdown(message: Message) -> str:
    from jupyter_stop_chat.markdown.document import in_document

    who = "You" if message.role == "user" else "Reply"
    parts = [f"**{who}**", *([in_document(message.text)] if message.text.strip() else [])]
    parts.extend(map(_attached, message.attachments))
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

    longest = max(map(len, re.findall(r"`{3,}", attachment.text)), default=2)
    fence = "`" * (longest + 1)
    block = "\n".join((f"{fence}text", attachment.text.rstrip("\n"), fence))
    return f"{in_document(f'Attached: {attachment.name}')}\n\n{in_document(block)}"


def _notebook(parts: Sequence[str], messages: Sequence[Message]) -> dict[str, Any]:
    ids = ["title", *(message.id for message in messages)]
    return {
        "cells": [
            {"cell_type": "markdown", "id": id_, "metadata": {}, "source": part}
            for id_, part in zip(ids, parts, strict=True)
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
