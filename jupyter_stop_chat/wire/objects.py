"""The objects inside the frames, and the limits of the wire contract.

No I/O, no Tornado, no LangChain; `codec` reads and writes the frames.
The TypeScript types are generated from these models (see `labextension/src/wire/protocol/`).
Times are ISO 8601 in UTC; ids are UUIDs; offsets and lengths count UTF-16 code units.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    Field,
)

from .errors import ErrorCode
from .terms import Digest, Id, Offset, Place, Stored, Text
from .tools import CallCounts, Changes, KernelStop, ServerStop, ToolCall

#: Raised when a frame changes its meaning.
PROTOCOL_VERSION = 1
#: The largest frame, and the largest body of a request, that are read, in bytes; a larger frame
#: closes the socket with 1009. Where longer prompts are allowed, so are larger frames.
MAX_FRAME_BYTES = 1024 * 1024
#: What JSON makes of a UTF-16 code unit at most, in bytes: an escape.
_BYTES_OF_UNIT = 6
#: So many attachments may go with a prompt.
MAX_ATTACHMENTS = 20
#: What pictures are kept as: what every provider that takes pictures takes.
PictureType = Literal["image/png", "image/jpeg"]
#: The largest file that is uploaded, in bytes: a picture as a camera makes it, or a document.
MAX_UPLOAD_BYTES = 32 * 1024 * 1024
#: So many offsets may be told at once.
MAX_OFFSETS = 1000
#: So long may the instructions of a person, of a chat or of an administrator be, in characters.
LONGEST_INSTRUCTIONS = 16_000
#: So much of a provider's own words is told, in characters.
MAX_SAID = 600
#: So many texts may be asked for at once.
MAX_WANTED = 100


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


class Usage(Stored):
    """The tokens of one reply; `estimated` when the provider did not say.

    `cache_read_tokens` and `cache_write_tokens` are those of the input that were read from the
    provider's cache, and written to it; `reasoning_tokens` are those of the output that were
    thought. `sent_from` is the first message that was sent to the model, where older ones were
    not: they and the others together are too long for it.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    estimated: bool = False
    sent_from: Id | None = None


class Cost(Stored):
    """What a reply cost by its provider's list of prices, in millionths of a dollar.

    `estimated`: its tokens were, or it was made at another address than the provider's own.
    """

    amount: Offset
    estimated: bool = False


class Spent(Stored):
    """What several replies used together; `cost` is in millionths of a dollar.

    `estimated`: something of it was. `unpriced`: some of these tokens have a price that nobody
    knows, so that they cost more than that.
    """

    input_tokens: Offset = 0
    output_tokens: Offset = 0
    cost: Offset = 0
    estimated: bool = False
    unpriced: bool = False


class Receipt(Stored):
    """What a stop did and when, in milliseconds since it was requested.

    `provider` is `closed` when the code that opened the provider's stream has closed it,
    `unconfirmed` when nobody can tell, `still_finishing` when code of the model runs on although
    nobody listens (in a thread, or past its cancel), `not_started` when no request had been made.
    """

    reason: Literal[
        "user", "server_shutdown", "server_restart", "server_gone", "replaced", "deleted"
    ] = "user"
    requested_at: str
    cancelled_ms: float | None = None
    provider: Literal["closed", "unconfirmed", "still_finishing", "not_started"] = "unconfirmed"
    provider_ms: float | None = None
    settled_ms: float | None = None
    discarded: bool = False
    calls: CallCounts | None = None
    kernel: KernelStop | None = None
    server: ServerStop | None = None


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
    """What goes with a prompt: text of a selection, a cell, a file; or a picture.

    `kind`: a person attached it, or it is the context that the page put together as the prompt
    was sent: where they were, and what the prompt names.

    A picture that was uploaded has a `blob`, the digest of its bytes, and no text. Its type and
    its size in pixels are the server's word, whatever a client says of them.
    """

    name: Annotated[Text, Field(min_length=1, max_length=300)]
    text: Text
    mime_type: Annotated[str, Field(max_length=200)] = "text/plain"
    kind: Literal["attachment", "context"] = "attachment"
    blob: Digest | None = None
    width: Annotated[int, Field(ge=1, le=100_000)] | None = None
    height: Annotated[int, Field(ge=1, le=100_000)] | None = None


#: What a model may do in a reply: answer, or use tools as well.
Mode = Literal["ask", "agent"]


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
    `instructions` are the digests of what it was made with, and `path` is the notebook or file
    that was open at a prompt. `cost` is noted as a reply ends, and stays so; absent where nobody
    knows its price. `made_elsewhere`: another server on the same data makes it, and is
    asked for what only it can do. `mode`: whether a reply is made with tools. `changes` are there
    where it changed anything.
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
    cost: Cost | None = None
    stop: Receipt | None = None
    error: ErrorInfo | None = None
    finish_reason: FinishReason | None = None
    retry: Retry | None = None
    made_elsewhere: bool = False
    attachments: tuple[Attachment, ...] = ()
    tools: tuple[ToolCall, ...] = ()
    instructions: tuple[Digest, ...] | None = None
    path: Place | None = None
    mode: Mode | None = None
    changes: Changes | None = None
    left_out: tuple[LeftOut, ...] | None = None

    @property
    def discarded(self) -> bool:
        """Tell whether it was taken out of the chat when it was stopped."""
        return self.stop is not None and self.stop.discarded


class Chat(Stored):
    """One conversation.

    `spent` is what was used in it: by all versions, by what was stopped, failed or discarded, and
    by its title.
    """

    id: Id
    title: str | None = None
    owner: str
    created_at: str
    updated_at: str
    state: Literal["idle", "generating", "asking", "queued", "paused"] = "idle"
    spent: Spent | None = None


class ModelInfo(Stored):
    """One model that can be chosen; `local`: it runs on the server's own machine.

    `max_input_tokens`: how much it takes at once, where that is known. `image_inputs`: whether it
    takes pictures, and `tool_calling`: whether it can call tools, likewise.
    """

    id: str
    label: str
    provider: str = ""
    local: bool = False
    available: bool
    reason: ErrorCode | None = None
    max_input_tokens: int | None = None
    image_inputs: bool | None = None
    tool_calling: bool | None = None


class Limits(Stored):
    """What tells a client what is refused, so that it can say so before it sends."""

    max_frame_bytes: int = MAX_FRAME_BYTES
    max_attachments: int = MAX_ATTACHMENTS
    max_upload_bytes: int = MAX_UPLOAD_BYTES
    max_prompt_length: int
    max_reply_length: int


class StopResult(Stored):
    """The outcome of a stop for one message."""

    message_id: Id | None = None
    outcome: Outcome
    receipt: Receipt | None = None


#: What becomes of a prompt that is sent while a reply is being made in its chat.
Policy = Literal["queue", "interrupt", "reject"]
