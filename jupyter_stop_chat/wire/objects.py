"""The objects inside the frames, and the limits of the wire contract.

No I/O, no Tornado, no LangChain; `codec` reads and writes the frames.
The TypeScript types are generated from these models (see `labextension/src/wire/protocol/`).
Times are ISO 8601 in UTC; ids are UUIDs; offsets and lengths count UTF-16 code units.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
)

from .errors import ErrorCode
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
#: So much of a provider's own words is told, in characters.
MAX_SAID = 600
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


class WireModel(BaseModel):
    """A model of what goes over the wire: nothing unknown in it, nothing that changes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Stored(WireModel):
    """A model read back from the store or from JSON, where enums are plain strings."""

    model_config = ConfigDict(extra="forbid", strict=False, frozen=True)


class Usage(Stored):
    """The tokens of one reply; `estimated` when the provider did not say.

    `sent_from` is the first message that was sent to the model, where older ones were not.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    estimated: bool = False
    sent_from: Id | None = None


class Receipt(Stored):
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


class ErrorInfo(Stored):
    """What went wrong: a code of the table, its sentence, and the id it has in the log.

    `said` is what the provider itself said, without keys and paths: plain text, and nothing else.
    `field` names the field of a request that is wrong.
    """

    code: ErrorCode
    message: str
    error_id: str | None = None
    said: Annotated[Text, Field(max_length=MAX_SAID)] | None = None
    field: str | None = None


class Retry(Stored):
    """What tells that a provider did not answer, and is asked again after `wait_ms` milliseconds.

    `attempt` is the number of the request that is made then; the first one was 1.
    """

    code: ErrorCode
    attempt: int
    wait_ms: Offset


class Attachment(Stored):
    """Text that goes with a prompt: a selection, a cell, a file."""

    name: Annotated[Text, Field(min_length=1, max_length=300)]
    text: Text
    mime_type: Annotated[str, Field(max_length=200)] = "text/plain"


class ToolCall(Stored):
    """One tool call of an agent."""

    call_id: str
    name: str
    state: Literal["running", "completed", "failed", "interrupted"]
    args: str | None = None
    result: str | None = None


class LeftOut(Stored):
    """A text that a list leaves out of a message, and its length; `read` brings it.

    `at` tells which attachment or tool call it belongs to, from 0.
    """

    part: Part
    at: Annotated[int, Field(ge=0)] = 0
    length: Offset


class Message(Stored):
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


class Chat(Stored):
    """One conversation."""

    id: Id
    title: str | None = None
    owner: str
    created_at: str
    updated_at: str
    state: Literal["idle", "generating", "queued", "paused"] = "idle"


class ModelInfo(Stored):
    """One model that can be chosen; `local`: it runs on the server's own machine.

    `max_input_tokens`: how much it takes at once, where that is known.
    """

    id: str
    label: str
    provider: str = ""
    local: bool = False
    available: bool
    reason: ErrorCode | None = None
    max_input_tokens: int | None = None


class Limits(Stored):
    """What tells a client what is refused, so that it can say so before it sends."""

    max_frame_bytes: int = MAX_FRAME_BYTES
    max_attachments: int = MAX_ATTACHMENTS
    max_prompt_length: int
    max_reply_length: int


class StopResult(Stored):
    """The outcome of a stop for one message."""

    message_id: Id | None = None
    outcome: Outcome
    receipt: Receipt | None = None


#: What becomes of a prompt that is sent while a reply is being made in its chat.
Policy = Literal["queue", "interrupt", "reject"]
