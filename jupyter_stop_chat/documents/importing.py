"""A chat that was exported as JSON, read back as a new chat: nothing in the file is trusted."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jupyter_stop_chat.ports.store import ended
from jupyter_stop_chat.wire.codec import first_wrong, loads
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message, MessageState, Receipt
from jupyter_stop_chat.wire.times import now, written
from jupyter_stop_chat.wire.utf16 import utf16_length, whole

from .reading_order import reading_order

#: The largest file, in bytes, and the most messages in it.
MAX_IMPORT_BYTES = 32 * 1024 * 1024
MAX_MESSAGES = 10_000


class _Chat(BaseModel):
    """What is taken over of the chat itself."""

    model_config = ConfigDict(extra="ignore")

    title: Annotated[str, Field(max_length=200)] | None = None
    created_at: datetime | None = None


class ImportRequest(BaseModel):
    """A chat as it is exported: the chat, and its messages, in any order."""

    model_config = ConfigDict(extra="forbid")

    chat: _Chat
    messages: Annotated[list[Message], Field(max_length=MAX_MESSAGES)]


def read_chat(raw: bytes, owner: str, max_length: int) -> tuple[Chat, list[Message]]:
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
        asked = ImportRequest.model_validate(_whole(fields))
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
    return chat, messages


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
        }
    )


def _whole(value: Any) -> Any:
    """Make all text such that it can be carried everywhere."""
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {whole(key): _whole(each) for key, each in value.items()}
    return value
