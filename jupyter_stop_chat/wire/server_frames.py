"""The frames that a server sends."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from .client_frames import ClientType
from .errors import SENTENCES, ErrorCode
from .objects import (
    PROTOCOL_VERSION,
    Chat,
    Limits,
    Message,
    Mode,
    ModelInfo,
    Part,
    Policy,
    StopResult,
)
from .terms import AT_FIRST_USE, Id, Offset, WireModel
from .tools import ToldCall


class Welcome(WireModel):
    """The first frame on every socket."""

    type: Literal["welcome"] = "welcome"
    protocol: int = PROTOCOL_VERSION
    epoch: str
    user: str
    limits: Limits
    models: tuple[ModelInfo, ...] = ()
    default_model: str | None = None
    policy: Policy = "queue"
    modes: tuple[Mode, ...] = ("ask",)


class Accepted(WireModel):
    """A frame: say that both messages exist; `message.id` can be stopped from now on."""

    type: Literal["accepted"] = "accepted"
    request_id: Id
    chat_id: Id
    user_message: Message
    message: Message


class ChatChanged(WireModel):
    """A frame: tell of a changed chat, of a deleted one, or answer `open` with its messages.

    Of a long chat they are the newest; `earlier` older ones come behind it, in `messages`.
    """

    type: Literal["chat"] = "chat"
    chat: Chat
    messages: tuple[Message, ...] | None = None
    earlier: Offset | None = None
    deleted: Literal[True] | None = None


class Messages(WireModel):
    """A frame: messages of a chat that come before those listed last; `earlier` still come."""

    type: Literal["messages"] = "messages"
    chat_id: Id
    messages: tuple[Message, ...]
    earlier: Offset


class Piece(WireModel):
    """A part of a text: from `offset` on, of `length` in all."""

    message_id: Id
    part: Part
    at: int
    offset: Offset
    text: str
    length: Offset


class Pieces(WireModel):
    """A frame: answer `read`: as many of the wanted texts, in order, as one frame carries."""

    type: Literal["pieces"] = "pieces"
    request_id: Id
    chat_id: Id
    pieces: tuple[Piece, ...]


class Delta(WireModel):
    """A frame: append text to a message at an offset."""

    type: Literal["delta"] = "delta"
    message_id: Id
    offset: Offset
    text: str
    part: Literal["text", "reasoning"] = "text"


class Thought(WireModel):
    """A frame: a message's text, from there on, was a thought; deltas bring it as reasoning."""

    type: Literal["thought"] = "thought"
    message_id: Id
    text_length: Offset


class MessageChanged(WireModel):
    """A frame: tell that a message changed state."""

    type: Literal["message"] = "message"
    message: Message


class Tool(ToldCall):
    """A frame: tell where a tool call is now."""

    type: Literal["tool"] = "tool"
    message_id: Id


class ToolRequest(WireModel):
    """A frame: ask a page to do a part of a tool's work, in the documents that it has open.

    It answers `tool_taken` soon, and `tool_answer` at its end.
    """

    type: Literal["tool_request"] = "tool_request"
    call: Id
    message_id: Id
    operation: str
    args: dict[str, Any] = {}


class ToolCancel(WireModel):
    """A frame: tell a page that nobody waits for its answer any more, and nothing may begin."""

    type: Literal["tool_cancel"] = "tool_cancel"
    call: Id


class StopResults(WireModel):
    """A frame: answer a stop, once it is true."""

    type: Literal["stop_result"] = "stop_result"
    message_id: Id | None = None
    request_id: Id | None = None
    chat_id: Id | None = None
    all: Literal[True] | None = None
    results: tuple[StopResult, ...]


class Pong(WireModel):
    """A frame: answer `ping`."""

    type: Literal["pong"] = "pong"


class Error(WireModel):
    """A frame: tell of an error in the words of the table.

    `of` is the type of the frame that it answers, and one of `request_id`, `chat_id`, `message_id`
    and `all` is the narrowest that this frame had. What answers nothing is for everyone.
    `field` names the field of that frame that is wrong.
    """

    type: Literal["error"] = "error"
    code: ErrorCode
    message: str
    of: ClientType | None = None
    request_id: Id | None = None
    chat_id: Id | None = None
    message_id: Id | None = None
    all: Literal[True] | None = None
    error_id: str | None = None
    field: str | None = None


ServerFrame = Annotated[
    Welcome
    | Accepted
    | ChatChanged
    | Messages
    | Pieces
    | Delta
    | Thought
    | MessageChanged
    | Tool
    | ToolRequest
    | ToolCancel
    | StopResults
    | Pong
    | Error,
    Field(discriminator="type"),
]

server_frames: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame, config=AT_FIRST_USE)


def error_frame(code: ErrorCode, error_id: str | None = None, **answered: Any) -> Error:
    """Make the frame that tells of an error.

    :param answered: how it names the frame that it answers, if it does.
    """
    return Error(code=code, message=SENTENCES[code][0], error_id=error_id, **answered)
