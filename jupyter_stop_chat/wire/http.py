"""What the HTTP routes are sent and what they answer, besides the objects of the frames."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from .objects import (
    MAX_ATTACHMENTS,
    Attachment,
    Chat,
    ErrorInfo,
    Id,
    Message,
    MessageState,
    ModelId,
    Offset,
    Policy,
    StopResult,
    Text,
    Usage,
)
from .pasted import ADDRESS, LONGEST_ADDRESS, PLAIN_KEY


def _whole_number(value: object) -> object:
    """Take `1.0` for `1`, as JSON and its schemas do."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GenerateRequest(_Body):
    """A prompt; sent twice with one `request_id`, it counts once."""

    #: A blank one is refused with a code of its own.
    body: Annotated[Text, Field(json_schema_extra={"pattern": r"\S"})]
    chat_id: Id | None = None
    request_id: Id | None = None
    model: ModelId | None = None
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] = []
    policy: Policy | None = None


class InterruptRequest(_Body):
    """A request to stop a reply, with how much of it had been shown: the kept text ends there."""

    shown: Annotated[Offset, BeforeValidator(_whole_number)] | None = None
    discard: bool = False


class InterruptAllRequest(_Body):
    """A request to stop all that is yours, or one chat's reply, or one request's, or everyone's.

    A `request_id` stops a request that may not have arrived: its sender chose the id. Of several,
    the narrowest counts.
    """

    everyone: bool = False
    chat_id: Id | None = None
    request_id: Id | None = None
    discard: bool = False


class InterruptResults(_Body):
    """The outcome of a stop for each message."""

    results: tuple[StopResult, ...]


class RunningGeneration(_Body):
    """A reply that is being made or waits."""

    message_id: Id
    chat_id: Id
    request_id: Id
    state: MessageState
    model: str
    created_at: str
    text_length: Offset


class RunningGenerations(_Body):
    """What is being made or waits."""

    generations: tuple[RunningGeneration, ...]


class ChatList(_Body):
    """A page of chats; `hits` are the lines in which a search was found, by the chats' ids."""

    chats: tuple[Chat, ...]
    hits: dict[str, str] | None = None


class WholeChat(_Body):
    """A chat with a page of its messages, and the tokens of all its replies and versions.

    `earlier` messages come before those of the page.
    """

    chat: Chat
    messages: tuple[Message, ...]
    earlier: Offset = 0
    usage: Usage | None = None


class ChatPatch(_Body):
    """A request to change a chat's title; null takes it away."""

    title: Annotated[Text, Field(max_length=200, json_schema_extra={"pattern": r"\S"})] | None


class ChoiceRequest(_Body):
    """The model that a person chooses for prompts that name none."""

    model: Annotated[ModelId, Field(json_schema_extra={"pattern": "^[a-z0-9_]+:[!-~]+$"})]


class KeyRequest(_Body):
    """What gives a provider's key."""

    #: What stands around it is taken off; what is left may be no key.
    key: Annotated[
        str, Field(min_length=1, max_length=4000, json_schema_extra={"pattern": PLAIN_KEY})
    ]


class KeyGiven(_Body):
    """What became of a key that was given: it is kept, and `tried` where its provider took it.

    Else `untried` says why that is not known, if it could be asked at all.
    """

    tried: bool
    untried: ErrorInfo | None = None


class AddressRequest(_Body):
    """The address of an OpenAI-compatible server: what its clients call the base URL."""

    #: Blanks around it, and an endpoint behind it, are taken off.
    base_url: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST_ADDRESS, json_schema_extra={"pattern": ADDRESS}),
    ]


class LocalModel(_Body):
    """The built-in model's weights; `done` and `total` count bytes of their download."""

    state: Literal["missing", "installing", "stopping", "installed"]
    done: int
    total: int
    may_install: bool
    error: ErrorInfo | None = None


class EngineHealth(_Body):
    """The engine's health: what is made, and what did not react to its stop."""

    generations: int
    runaway: int
    epoch: str


class StoreHealth(_Body):
    """The store's health; `reason` says why nothing can be saved."""

    journal_mode: str | None
    search: str
    backlog: int
    degraded: bool
    reason: str | None
    set_aside: int


class BusHealth(_Body):
    """The bus's health."""

    listeners: int


class Health(_Body):
    """The health of the server's chat."""

    status: Literal["ok", "degraded"]
    engine: EngineHealth
    store: StoreHealth
    bus: BusHealth


class StreamStart(_Body):
    """The first event of a stream: what can be stopped from now on."""

    request_id: Id
    chat_id: Id
    message_id: Id
    user_message_id: Id
    model: str | None = None
