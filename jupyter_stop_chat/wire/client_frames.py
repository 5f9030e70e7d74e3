"""The frames that a client sends."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from .objects import MAX_ATTACHMENTS, MAX_OFFSETS, MAX_WANTED, Attachment, Mode, Part, Policy
from .terms import Digest, Id, ModelId, Offset, Place, Text, WireModel


class Send(WireModel):
    """A frame: send a prompt; twice with one `request_id` counts once.

    `path` is the notebook or file that the person has open: rules files are looked for from its
    folder up. `mode`: whether the model may use tools.
    """

    type: Literal["send"]
    request_id: Id
    chat_id: Id | None
    body: Text
    model: ModelId | None = None
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] = []
    policy: Policy | None = None
    path: Place | None = None
    mode: Mode = "ask"


class Stop(WireModel):
    """A frame: stop one message, one request, one chat or all of yours.

    `shown` is how much of the text the person had seen: the kept text ends there. `discard`
    takes the turn out of the chat as well. `press` is the same each time that one press is sent:
    sent again, a stop of a chat or of all must not stop what was asked for since.
    """

    type: Literal["stop"]
    message_id: Id | None = None
    request_id: Id | None = None
    chat_id: Id | None = None
    all: Literal[True] | None = None
    shown: Offset | None = None
    discard: bool = False
    press: Id | None = None

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


class Open(WireModel):
    """A frame: follow a chat, all its messages or only the tails that the client lacks."""

    type: Literal["open"]
    chat_id: Id
    offsets: Annotated[
        dict[Id, Offset], Field(max_length=MAX_OFFSETS), BeforeValidator(_not_too_many)
    ] = {}
    epoch: Annotated[str, Field(max_length=100)] | None = None


class WantedPiece(WireModel):
    """A text of a message that is wanted from an offset on.

    `at` tells which attachment or tool call it is, from 0.
    """

    message_id: Id
    part: Part
    at: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    offset: Offset = 0


class Read(WireModel):
    """A frame: ask for what the list of a chat left out, in the order in which it is wanted."""

    type: Literal["read"]
    request_id: Id
    chat_id: Id
    wanted: Annotated[list[WantedPiece], Field(min_length=1, max_length=MAX_WANTED)]


class Ping(WireModel):
    """A frame: ask whether anybody is there: a connection can be gone without a word."""

    type: Literal["ping"]


class Close(WireModel):
    """A frame: follow a chat no longer."""

    type: Literal["close"]
    chat_id: Id


class Continue(WireModel):
    """A frame: go on from a partial reply, in the mode that it was made in by default."""

    type: Literal["continue"]
    message_id: Id
    request_id: Id
    model: ModelId | None = None
    mode: Mode | None = None


class Regenerate(WireModel):
    """A frame: make a reply anew, in its mode by default, keeping the earlier one as a version."""

    type: Literal["regenerate"]
    message_id: Id
    request_id: Id
    model: ModelId | None = None
    mode: Mode | None = None


class Edit(WireModel):
    """A frame: change a prompt and ask again from there, keeping the earlier one as a version.

    A prompt that is still queued is changed where it is.

    :ivar keeps: the places of the attachments that still go with it, from 0; by default all do.
    :ivar mode: that of its reply before by default.
    """

    type: Literal["edit"]
    message_id: Id
    body: Text
    request_id: Id
    model: ModelId | None = None
    mode: Mode | None = None
    keeps: (
        Annotated[list[Annotated[int, Field(ge=0)]], Field(max_length=MAX_ATTACHMENTS)] | None
    ) = None


class Unqueue(WireModel):
    """A frame: take a queued prompt back."""

    type: Literal["unqueue"]
    message_id: Id


class Reorder(WireModel):
    """A frame: put queued replies in another order; those that are not named come after them."""

    type: Literal["reorder"]
    chat_id: Id
    message_ids: Annotated[list[Id], Field(max_length=1000)]


class Resume(WireModel):
    """A frame: let a queue that a stop has paused go on."""

    type: Literal["resume"]
    chat_id: Id


class Approve(WireModel):
    """A frame: answer what a tool call asks for.

    `digest` names exactly what is allowed; `reason` is told to the model.
    """

    type: Literal["approve"]
    message_id: Id
    call_id: Annotated[Text, Field(min_length=1, max_length=200)]
    digest: Digest
    answer: Literal["once", "chat", "always", "refuse"]
    reason: Annotated[Text, Field(max_length=2000)] | None = None


class Focus(WireModel):
    """A frame: tell that this page does what tools ask, and that the person works in it now.

    :ivar page: the page's own id, the same on each of its connections.
    :ivar here: the person works in it; else it only tells that it is there.
    """

    type: Literal["focus"]
    page: Id | None = None
    here: bool = True


class ToolTaken(WireModel):
    """A frame: tell that what a tool asks of this page is being done."""

    type: Literal["tool_taken"]
    call: Id


class ToolAnswer(WireModel):
    """A frame: answer what a tool asked of this page; what is longer goes by HTTP.

    `result` is JSON. `error` names why there is none, `result` then what goes with it.
    """

    type: Literal["tool_answer"]
    call: Id
    result: Text | None = None
    error: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None


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
    "approve",
    "focus",
    "tool_taken",
    "tool_answer",
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
    | Ping
    | Approve
    | Focus
    | ToolTaken
    | ToolAnswer,
    Field(discriminator="type"),
]
