"""The frames of the wire contract, both ways, and the objects inside them.

No I/O, no Tornado, no LangChain; `codec` reads and writes them.
The TypeScript types are generated from these models (see `labextension/src/wire/protocol/`).
Times are ISO 8601 in UTC; ids are UUIDs; offsets and lengths count UTF-16 code units.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)

from .errors import SENTENCES, ErrorCode
from .utf16 import whole

#: Raised when a frame changes its meaning.
PROTOCOL_VERSION = 1
#: The largest frame, and the largest body of a request, that are read, in bytes; a larger frame
#: closes the socket with 1009. Where longer prompts are allowed, so are larger frames.
MAX_FRAME_BYTES = 1024 * 1024
#: What JSON makes of a UTF-16 code unit at most, in bytes: an escape.
_BYTES_OF_UNIT = 6
#: So many attachments may go with a prompt.
MAX_ATTACHMENTS = 20
#: So many offsets may be told at once.
MAX_OFFSETS = 1000
#: So many texts may be asked for at once.
MAX_WANTED = 100

Id = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
]


#: Free text from outside.
Text = Annotated[str, AfterValidator(whole)]
Offset = Annotated[int, Field(ge=0, le=2**53 - 1)]
ModelId = Annotated[Text, Field(min_length=1, max_length=500)]


def largest_frame(max_prompt_length: int) -> int:
    """Return how many bytes a frame or a body may have, by the longest prompt that is allowed.

    A prompt of twice that length still fits, however it is written: it is refused in words.
    """
    return max(MAX_FRAME_BYTES, 2 * _BYTES_OF_UNIT * max_prompt_length + MAX_FRAME_BYTES // 4)


class MessageState(StrEnum):
    """Where a message is in its life; the last three are terminal."""

    QUEUED = "queued"
    GENERATING = "generating"
    STOPPING = "stopping"
    COMPLETED = "completed"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


#: Why a reply ended where it did, where that is not by its own end (OpenAI's word for it): at the
#: model's limit, by a filter, by a refusal, or because its stream broke off before its end.
FinishReason = Literal["length", "content_filter", "refusal", "cut_off"]

#: The texts of a message, each of which can be read by itself.
Part = Literal["text", "reasoning", "attachment", "tool_args", "tool_result"]

TERMINAL = frozenset({MessageState.COMPLETED, MessageState.INTERRUPTED, MessageState.FAILED})


class Outcome(StrEnum):
    """What a stop found and did."""

    INTERRUPTED = "interrupted"
    ALREADY_COMPLETED = "already_completed"
    ALREADY_INTERRUPTED = "already_interrupted"
    ALREADY_FAILED = "already_failed"
    MADE_ELSEWHERE = "made_elsewhere"
    REMEMBERED = "remembered"
    NOT_FOUND = "not_found"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Open(_Model):
    """A model read back from the store or from JSON, where enums are plain strings."""

    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)


# --- objects -------------------------------------------------------------------------------


class Usage(_Open):
    """The tokens of one reply; `estimated` when the provider did not say.

    `sent_from` is the first message that was sent to the model, where older ones were not.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    estimated: bool = False
    sent_from: Id | None = None


class Receipt(_Open):
    """What a stop did and when, in milliseconds since it was requested.

    `provider` is `closed` when the code that opened the provider's stream has closed it,
    `unconfirmed` when nobody can tell, `still_finishing` when code of the model runs on although
    nobody listens (in a thread, or past its cancel), `not_started` when no request had been made.
    """

    reason: Literal["user", "server_shutdown", "server_restart", "replaced", "deleted"] = "user"
    requested_at: str
    cancelled_ms: float | None = None
    provider: Literal["closed", "unconfirmed", "still_finishing", "not_started"] = "unconfirmed"
    provider_ms: float | None = None
    settled_ms: float | None = None
    discarded: bool = False


class ErrorInfo(_Open):
    """What went wrong: a code of the table, its sentence, and the id it has in the log."""

    code: ErrorCode
    message: str
    error_id: str | None = None


class Retry(_Open):
    """What tells that a provider did not answer, and is asked again after `wait_ms` milliseconds.

    `attempt` is the number of the request that is made then; the first one was 1.
    """

    code: ErrorCode
    attempt: int
    wait_ms: Offset


class Attachment(_Open):
    """Text that goes with a prompt: a selection, a cell, a file."""

    name: Annotated[Text, Field(min_length=1, max_length=300)]
    text: Text
    mime_type: Annotated[str, Field(max_length=200)] = "text/plain"


class ToolCall(_Open):
    """One tool call of an agent."""

    call_id: str
    name: str
    state: Literal["running", "completed", "failed", "interrupted"]
    args: str | None = None
    result: str | None = None


class LeftOut(_Open):
    """A text that a list leaves out of a message, and its length; `read` brings it.

    `at` tells which attachment or tool call it belongs to, from 0.
    """

    part: Part
    at: Annotated[int, Field(ge=0)] = 0
    length: Offset


class Message(_Open):
    """One turn of a chat.

    `text` begins at `text_offset`, which is 0 except in an answer to an `open` that said how
    much of it the client has. `reply_to` is the message before this one: the tree of a chat is
    made of it. `reasoning` that is absent is as it was; where it is empty, deltas bring it from
    its beginning. `left_out` names what a list does not carry of it. `version_of` names the
    message that this one was made anew from. `retry` is there while a provider that did not
    answer is waited for. `finish_reason` is there where a reply did not come to its own end.
    `made_elsewhere`: another server on the same data makes it, so that this one can neither
    follow nor stop it.
    """

    id: Id
    chat_id: Id
    role: Literal["user", "assistant"]
    text: str
    text_offset: Offset = 0
    text_length: Offset
    reasoning: str | None = None
    state: MessageState
    created_at: str
    reply_to: Id | None = None
    version_of: Id | None = None
    request_id: Id | None = None
    model: str | None = None
    usage: Usage | None = None
    stop: Receipt | None = None
    error: ErrorInfo | None = None
    finish_reason: FinishReason | None = None
    retry: Retry | None = None
    made_elsewhere: bool = False
    attachments: tuple[Attachment, ...] = ()
    tools: tuple[ToolCall, ...] = ()
    left_out: tuple[LeftOut, ...] | None = None

    @property
    def discarded(self) -> bool:
        """Tell whether it was taken out of the chat when it was stopped."""
        return self.stop is not None and self.stop.discarded


class Chat(_Open):
    """One conversation."""

    id: Id
    title: str | None = None
    owner: str
    created_at: str
    updated_at: str
    state: Literal["idle", "generating", "queued", "paused"] = "idle"


class ModelInfo(_Open):
    """One model that can be chosen; `local`: it runs on the server's own machine."""

    id: str
    label: str
    provider: str = ""
    local: bool = False
    available: bool
    reason: ErrorCode | None = None


class Limits(_Open):
    """What tells a client what is refused, so that it can say so before it sends."""

    max_frame_bytes: int = MAX_FRAME_BYTES
    max_attachments: int = MAX_ATTACHMENTS
    max_prompt_length: int
    max_reply_length: int


class StopResult(_Open):
    """The outcome of a stop for one message."""

    message_id: Id | None = None
    outcome: Outcome
    receipt: Receipt | None = None


# --- client to server ----------------------------------------------------------------------

Policy = Literal["queue", "interrupt", "reject"]


class Send(_Model):
    """A frame: send a prompt; twice with one `request_id` counts once."""

    type: Literal["send"]
    request_id: Id
    chat_id: Id | None
    body: Text
    model: ModelId | None = None
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] = []
    policy: Policy | None = None


class Stop(_Model):
    """A frame: stop one message, one request, one chat or all of yours.

    `shown` is how much of the text the person had seen: the kept text ends there. `discard`
    takes the turn out of the chat as well.
    """

    type: Literal["stop"]
    message_id: Id | None = None
    request_id: Id | None = None
    chat_id: Id | None = None
    all: Literal[True] | None = None
    shown: Offset | None = None
    discard: bool = False

    @model_validator(mode="after")
    def _one_target(self) -> Stop:
        targets = (self.message_id, self.request_id, self.chat_id, self.all)
        if sum(target is not None for target in targets) != 1:
            raise ValueError("exactly one of message_id, request_id, chat_id, all")
        return self


def _not_too_many(offsets: object) -> object:
    """Refuse before each of them is looked at."""
    if isinstance(offsets, dict) and len(offsets) > MAX_OFFSETS:
        raise ValueError("too many offsets")
    return offsets


class Open(_Model):
    """A frame: follow a chat, all its messages or only the tails that the client lacks."""

    type: Literal["open"]
    chat_id: Id
    offsets: Annotated[
        dict[Id, Offset], Field(max_length=MAX_OFFSETS), BeforeValidator(_not_too_many)
    ] = {}
    epoch: Annotated[str, Field(max_length=100)] | None = None


class WantedPiece(_Model):
    """A text of a message that is wanted from an offset on.

    `at` tells which attachment or tool call it is, from 0.
    """

    message_id: Id
    part: Part
    at: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    offset: Offset = 0


class Read(_Model):
    """A frame: ask for what the list of a chat left out, in the order in which it is wanted."""

    type: Literal["read"]
    request_id: Id
    chat_id: Id
    wanted: Annotated[list[WantedPiece], Field(min_length=1, max_length=MAX_WANTED)]


class Ping(_Model):
    """A frame: ask whether anybody is there: a connection can be gone without a word."""

    type: Literal["ping"]


class Close(_Model):
    """A frame: follow a chat no longer."""

    type: Literal["close"]
    chat_id: Id


class Continue(_Model):
    """A frame: go on from a partial reply."""

    type: Literal["continue"]
    message_id: Id
    request_id: Id
    model: ModelId | None = None


class Regenerate(_Model):
    """A frame: make a reply anew, keeping the earlier one as a version."""

    type: Literal["regenerate"]
    message_id: Id
    request_id: Id
    model: ModelId | None = None


class Edit(_Model):
    """A frame: change a prompt and ask again from there, keeping the earlier one as a version.

    A prompt that is still queued is changed where it is.
    """

    type: Literal["edit"]
    message_id: Id
    body: Text
    request_id: Id
    model: ModelId | None = None


class Unqueue(_Model):
    """A frame: take a queued prompt back."""

    type: Literal["unqueue"]
    message_id: Id


class Reorder(_Model):
    """A frame: put queued replies in another order; those that are not named come after them."""

    type: Literal["reorder"]
    chat_id: Id
    message_ids: Annotated[list[Id], Field(max_length=1000)]


class Resume(_Model):
    """A frame: let a queue that a stop has paused go on."""

    type: Literal["resume"]
    chat_id: Id


#: The types of the frames that a client sends.
ClientType = Literal[
    "send",
    "stop",
    "open",
    "read",
    "close",
    "continue",
    "regenerate",
    "edit",
    "unqueue",
    "reorder",
    "resume",
    "ping",
]
CLIENT_TYPES = frozenset[str](get_args(ClientType))

ClientFrame = Annotated[
    Send
    | Stop
    | Open
    | Read
    | Close
    | Continue
    | Regenerate
    | Edit
    | Unqueue
    | Reorder
    | Resume
    | Ping,
    Field(discriminator="type"),
]


# --- server to client ----------------------------------------------------------------------


class Welcome(_Model):
    """The first frame on every socket."""

    type: Literal["welcome"] = "welcome"
    protocol: int = PROTOCOL_VERSION
    epoch: str
    user: str
    limits: Limits
    models: tuple[ModelInfo, ...] = ()
    default_model: str | None = None


class Accepted(_Model):
    """A frame: say that both messages exist; `message.id` can be stopped from now on."""

    type: Literal["accepted"] = "accepted"
    request_id: Id
    chat_id: Id
    user_message: Message
    message: Message


class ChatChanged(_Model):
    """A frame: tell of a changed chat, of a deleted one, or answer `open` with its messages.

    Of a long chat they are the newest; `earlier` older ones come behind it, in `messages`.
    """

    type: Literal["chat"] = "chat"
    chat: Chat
    messages: tuple[Message, ...] | None = None
    earlier: Offset | None = None
    deleted: Literal[True] | None = None


class Messages(_Model):
    """A frame: messages of a chat that come before those listed last; `earlier` still come."""

    type: Literal["messages"] = "messages"
    chat_id: Id
    messages: tuple[Message, ...]
    earlier: Offset


class Piece(_Model):
    """A part of a text: from `offset` on, of `length` in all."""

    message_id: Id
    part: Part
    at: int
    offset: Offset
    text: str
    length: Offset


class Pieces(_Model):
    """A frame: answer `read`: as many of the wanted texts, in order, as one frame carries."""

    type: Literal["pieces"] = "pieces"
    request_id: Id
    chat_id: Id
    pieces: tuple[Piece, ...]


class Delta(_Model):
    """A frame: append text to a message at an offset."""

    type: Literal["delta"] = "delta"
    message_id: Id
    offset: Offset
    text: str
    part: Literal["text", "reasoning"] = "text"


class Thought(_Model):
    """A frame: a message's text, from there on, was a thought; deltas bring it as reasoning."""

    type: Literal["thought"] = "thought"
    message_id: Id
    text_length: Offset


class MessageChanged(_Model):
    """A frame: tell that a message changed state."""

    type: Literal["message"] = "message"
    message: Message


class Tool(_Model):
    """A frame: tell that a tool call started, ended or was stopped."""

    type: Literal["tool"] = "tool"
    message_id: Id
    call_id: str
    name: str
    state: Literal["running", "completed", "failed", "interrupted"]
    args: str | None = None
    result: str | None = None


class StopResults(_Model):
    """A frame: answer a stop, once it is true."""

    type: Literal["stop_result"] = "stop_result"
    message_id: Id | None = None
    request_id: Id | None = None
    chat_id: Id | None = None
    all: Literal[True] | None = None
    results: tuple[StopResult, ...]


class Pong(_Model):
    """A frame: answer `ping`."""

    type: Literal["pong"] = "pong"


class Error(_Model):
    """A frame: tell of an error in the words of the table.

    `of` is the type of the frame that it answers, and one of `request_id`, `chat_id`, `message_id`
    and `all` is the narrowest that this frame had. What answers nothing is for everyone.
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
    | StopResults
    | Pong
    | Error,
    Field(discriminator="type"),
]

server_frames: TypeAdapter[ServerFrame] = TypeAdapter(ServerFrame)


def error_frame(code: ErrorCode, error_id: str | None = None, **answered: Any) -> Error:
    """Make the frame that tells of an error.

    :param answered: how it names the frame that it answers, if it does.
    """
    return Error(code=code, message=SENTENCES[code][0], error_id=error_id, **answered)
