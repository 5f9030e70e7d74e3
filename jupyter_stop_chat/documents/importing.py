"""A chat that was exported as JSON, read back as a new chat: nothing in the file is trusted."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from jupyter_stop_chat.ports.pictures import Picture
from jupyter_stop_chat.ports.store import ended
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.codec import first_wrong, loads
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import (
    TERMINAL,
    Attachment,
    Chat,
    Message,
    MessageState,
    Receipt,
)
from jupyter_stop_chat.wire.terms import Digest
from jupyter_stop_chat.wire.times import now, written
from jupyter_stop_chat.wire.utf16 import utf16_length, whole_json

from .reading_order import reading_order

#: The largest file, in bytes, of which pictures are most; the most messages in it, and pictures.
MAX_IMPORT_BYTES = 128 * 1024 * 1024
MAX_MESSAGES = 10_000
MAX_PICTURES = 500
#: The most tool calls of a message.
MAX_CALLS = 1000
#: How a picture is told of that the file names and has not.
LOST = "This picture was not in the file that the chat was imported from."
#: Bytes in base64; that they are, a schema says by a pattern alone.
_Base64 = Annotated[
    Base64Bytes,
    WithJsonSchema(
        {
            "type": "string",
            "format": "base64",
            "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
        }
    ),
]


class _Chat(BaseModel):
    """What is taken over of the chat itself."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    title: Annotated[str, Field(max_length=200)] | None = None
    created_at: datetime | None = None


class ImportRequest(BaseModel):
    """A chat as it is exported: the chat, and its messages, in any order."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    chat: _Chat
    messages: Annotated[list[Message], Field(max_length=MAX_MESSAGES)]
    #: What was sent in the chat that it was: there is none of it in the new one.
    instructions: dict[str, str] = {}
    #: The pictures that the messages name, as base64.
    pictures: Annotated[
        dict[Digest, _Base64],
        Field(max_length=MAX_PICTURES, json_schema_extra={"additionalProperties": False}),
    ] = {}
    #: The tool calls of the messages, by their ids.
    calls: dict[str, Annotated[list[Told], Field(max_length=MAX_CALLS)]] = {}


@dataclass(frozen=True, slots=True)
class Imported:
    """A chat that was read, and the pictures that its messages name, which nobody has checked."""

    chat: Chat
    messages: list[Message]
    pictures: dict[str, bytes]
    calls: dict[str, list[Told]]

    def with_pictures(self, kept: Mapping[str, Picture]) -> list[Message]:
        """Return the messages with pictures as they are kept.

        :param kept: by the digests in the file.
        """
        return [
            message.model_copy(
                update={"attachments": tuple(_kept(each, kept) for each in message.attachments)}
            )
            if message.attachments
            else message
            for message in self.messages
        ]


def _kept(attachment: Attachment, kept: Mapping[str, Picture]) -> Attachment:
    if attachment.blob is None:
        return attachment.model_copy(update={"width": None, "height": None})
    picture = kept.get(attachment.blob)
    if picture is None:
        text = attachment.text or LOST
        return Attachment(name=attachment.name, text=text, kind=attachment.kind)
    return Attachment(
        name=attachment.name,
        text="",
        kind=attachment.kind,
        mime_type=picture.mime_type,
        blob=picture.digest,
        width=picture.width,
        height=picture.height,
    )


def read_chat(raw: bytes, owner: str, max_length: int) -> Imported:
    """Make a chat of an exported one. Blocks: it may be long.

    All ids are new, so that nothing that is there can be written over or pointed at. Where an id
    is there twice, what refers to it means the one nearest before; what follows itself in a ring
    follows nothing. What was still being made when it was exported is interrupted.

    :param raw: the exported JSON.
    :param max_length: the longest text of a message, in UTF-16 code units.
    :raises StopChatError: `bad_frame`, `prompt_too_long` or `invalid_field`.
    """
    if len(raw) > MAX_IMPORT_BYTES:
        raise StopChatError(ErrorCode.PROMPT_TOO_LONG, "the file is too large")
    try:
        fields = loads(raw)
        asked = ImportRequest.model_validate(whole_json(fields))
    except ValidationError as error:
        raise StopChatError(ErrorCode.INVALID_FIELD, first_wrong(error)) from None
    except (ValueError, RecursionError):
        raise StopChatError(ErrorCode.BAD_FRAME) from None
    this_moment = now()
    created_at = written(asked.chat.created_at) if asked.chat.created_at else this_moment
    chat = Chat(
        id=str(uuid.uuid4()),
        title=asked.chat.title or None,
        owner=owner,
        created_at=created_at,
        updated_at=this_moment,
    )
    ids: dict[str, str] = {}
    messages: list[Message] = []
    for message in reading_order(asked.messages):
        if max(utf16_length(message.text), utf16_length(message.reasoning or "")) > max_length:
            raise StopChatError(ErrorCode.PROMPT_TOO_LONG, "a message")
        messages.append(_imported(message, chat, ids))
        ids[message.id] = messages[-1].id
    named = {each.blob for said in messages for each in said.attachments}
    pictures = {each: asked.pictures[each] for each in asked.pictures if each in named}
    calls = {ids[each]: _in_order(its) for each, its in asked.calls.items() if each in ids}
    return Imported(chat, messages, pictures, calls)


def _in_order(calls: Sequence[Told]) -> list[Told]:
    """Number the steps of calls anew, and let none of them be before the one that it follows."""
    ordered: list[Told] = []
    at = step = 0
    before: int | None = None
    for each in calls:
        step += each.step != before
        before, at = each.step, max(at, min(each.at, MAX_IMPORT_BYTES))
        ordered.append(replace(each, step=step, at=at))
    return ordered


def _imported(message: Message, chat: Chat, ids: dict[str, str]) -> Message:
    """Take one message over.

    :param ids: the new ids of those before it; it can refer to no others, so to none in a ring.
    """
    state, stop, tools = message.state, message.stop, message.tools
    if message.role == "user":
        state, stop, tools = MessageState.COMPLETED, None, ()
    elif state not in TERMINAL:
        state = MessageState.INTERRUPTED
        stop = stop or Receipt(reason="server_restart", requested_at=chat.updated_at)
    tools = ended(tools)
    try:
        created_at = written(datetime.fromisoformat(message.created_at))
    except ValueError:
        created_at = chat.updated_at
    return message.model_copy(
        update={
            "id": str(uuid.uuid4()),
            "chat_id": chat.id,
            "text_offset": 0,
            "text_length": utf16_length(message.text),
            "state": state,
            "stop": stop,
            "tools": tools,
            "created_at": created_at,
            "reply_to": ids.get(message.reply_to or ""),
            "version_of": ids.get(message.version_of or ""),
            # Another chat may still hold the request that it was made by.
            "request_id": None,
            # They are kept with the chat that they were sent in.
            "instructions": None,
            "path": None,
            # What it changed is written down where it did.
            "changes": None,
        }
    )
