"""What the HTTP routes are sent and what they answer, besides the objects of the frames."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from .objects import (
    LONGEST_INSTRUCTIONS,
    MAX_ATTACHMENTS,
    Attachment,
    Chat,
    ErrorInfo,
    Message,
    MessageState,
    Mode,
    PictureType,
    Policy,
    Spent,
    StopResult,
    Usage,
)
from .pasted import ADDRESS, LONGEST_ADDRESS, PLAIN_KEY
from .terms import SEEN, Digest, Id, ModelId, Offset, Place, Text, WireModel

#: So many changes may be told of at once.
MOST_OUTCOMES = 10_000


def _whole_number(value: object) -> object:
    """Take `1.0` for `1`, as JSON and its schemas do."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class GenerateRequest(WireModel):
    """A prompt; sent twice with one `request_id`, it counts once.

    `path` is a notebook or file: rules files are looked for from its folder up. `mode`: whether
    the model may use tools; the stream then tells what they ask, and `…/approval` answers it.
    """

    #: A blank one is refused with a code of its own.
    body: Annotated[Text, Field(json_schema_extra={"pattern": r"\S"})]
    chat_id: Id | None = None
    request_id: Id | None = None
    model: ModelId | None = None
    # pydantic copies a default before it is used.
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] = []  # noqa: RUF012
    policy: Policy | None = None
    path: Place | None = None
    mode: Mode = "ask"


class InterruptRequest(WireModel):
    """A request to stop a reply, with how much of it had been shown: the kept text ends there."""

    shown: Annotated[Offset, BeforeValidator(_whole_number)] | None = None
    discard: bool = False


#: What asks to discard the prompts of everyone: of nobody's chat, and of no request.
_EVERYONES_PROMPTS: JsonDict = {
    "properties": {
        "everyone": {"const": True},
        "discard": {"const": True},
        "chat_id": {"type": "null"},
        "request_id": {"type": "null"},
    },
    "required": ["everyone", "discard"],
}


class InterruptAllRequest(WireModel):
    """A request to stop all that is yours, or one chat's reply, or one request's, or everyone's.

    A `request_id` stops a request that may not have arrived: its sender chose the id. Of several,
    the narrowest counts. Everyone's prompts are not discarded: they are their owners'.
    """

    model_config = ConfigDict(json_schema_extra={"not": _EVERYONES_PROMPTS})

    everyone: bool = False
    chat_id: Id | None = None
    request_id: Id | None = None
    discard: bool = False


class InterruptResults(WireModel):
    """The outcome of a stop for each message.

    Of a stop of everyone's, `unreached` is how many other servers on the same chats did not
    answer: what they make may go on.
    """

    results: tuple[StopResult, ...]
    unreached: int | None = None


class RunningGeneration(WireModel):
    """A reply that is being made or waits."""

    message_id: Id
    chat_id: Id
    request_id: Id
    state: MessageState
    model: str
    created_at: str
    text_length: Offset


class RunningGenerations(WireModel):
    """What is being made or waits."""

    generations: tuple[RunningGeneration, ...]


class ChatList(WireModel):
    """A page of chats; `hits` are the lines in which a search was found, by the chats' ids."""

    chats: tuple[Chat, ...]
    hits: dict[str, str] | None = None


class WholeChat(WireModel):
    """A chat with a page of its messages, and the tokens of all its replies and versions.

    `earlier` messages come before those of the page.
    """

    chat: Chat
    messages: tuple[Message, ...]
    earlier: Offset = 0
    usage: Usage | None = None


class ChatPatch(WireModel):
    """A request to change a chat's title; null takes it away."""

    title: Annotated[Text, Field(max_length=200, json_schema_extra={"pattern": SEEN})] | None


class SpentToday(WireModel):
    """What you used today (`day`, in UTC) in all chats, deleted ones too, and what you may use.

    The next day begins at `begins_anew`. A limit that is null is none; `used_up`: prompts are
    refused until then.
    """

    day: str
    spent: Spent
    max_cost: Offset | None = None
    max_tokens: Offset | None = None
    begins_anew: str
    used_up: bool = False


class Instructions(WireModel):
    """Instructions in a person's own words; empty: none."""

    text: Annotated[Text, Field(max_length=LONGEST_INSTRUCTIONS)]


class NextInstructions(WireModel):
    """The instructions that the next prompt of a chat would be sent with; empty: none.

    They are put together anew as it is sent, and cut where its model takes little.
    """

    text: str


class SentInstructions(WireModel):
    """The instructions that a reply was made with, and its prompt, as they were sent.

    There are several instructions where it was gone on with under others. `incomplete`: not all
    of them could be kept. `prompt`: its words with all that went with it, as one text.
    """

    texts: tuple[str, ...]
    incomplete: bool = False
    prompt: str | None = None


class DocumentChange(WireModel):
    """One change that a reply made in a document, or was about to make.

    `n` is its number within the reply. `before` and `after` are the cell's sources; `cell` is one
    that was deleted, as the notebook had it. `beside` has the ids of its neighbours: `above` and
    `below`, where it was; `new_above` and `new_below`, where it was put; null is the notebook's
    end. `begun`: whether it was made is not known. Of a `run`, `before` is the code that ran.
    """

    n: Offset
    call_id: str
    path: str
    action: Literal["insert", "replace", "move", "delete", "run", "write"]
    state: Literal["begun", "done", "failed", "undone"]
    cell_id: str | None = None
    cell_type: str | None = None
    before: str | None = None
    after: str | None = None
    cell: dict[str, Any] | None = None
    beside: dict[str, str | None] | None = None


class DocumentChanges(WireModel):
    """What a reply changed in documents, in the order in which it did."""

    changes: tuple[DocumentChange, ...]


class ChangeOutcome(WireModel):
    """What became of one change that was to be taken back, or done again.

    `put_back`: the document is as it was. `merged`: what others changed since is kept in it.
    `left`: it was left alone.
    """

    n: Annotated[Offset, BeforeValidator(_whole_number)]
    outcome: Literal["put_back", "merged", "left"]


class UndoRequest(WireModel):
    """What a page took back of what a reply had changed, or did again where it is not `undone`."""

    undone: bool
    outcomes: Annotated[list[ChangeOutcome], Field(max_length=MOST_OUTCOMES)]


class Picture(WireModel):
    """A picture as it is kept: what an attachment of a prompt names as its `blob`."""

    blob: Digest
    mime_type: PictureType
    width: int
    height: int
    size: int


class DocumentText(WireModel):
    """The words of a document; `left_out` is how many characters behind them are not told."""

    text: str
    left_out: Offset = 0


class ChoiceRequest(WireModel):
    """The model that a person chooses for prompts that name none."""

    model: Annotated[ModelId, Field(json_schema_extra={"pattern": "^[a-z0-9_]+:[!-~]+$"})]


class KeyRequest(WireModel):
    """What gives a provider's key."""

    #: What stands around it is taken off; what is left may be no key.
    key: Annotated[
        str, Field(min_length=1, max_length=4000, json_schema_extra={"pattern": PLAIN_KEY})
    ]


class KeyGiven(WireModel):
    """What became of a key that was given: it is kept, and `tried` where its provider took it.

    Else `untried` says why that is not known, if it could be asked at all.
    """

    tried: bool
    untried: ErrorInfo | None = None


class AddressRequest(WireModel):
    """The address of an OpenAI-compatible server: what its clients call the base URL."""

    #: Blanks around it, and an endpoint behind it, are taken off.
    base_url: Annotated[
        str,
        Field(min_length=1, max_length=LONGEST_ADDRESS, json_schema_extra={"pattern": ADDRESS}),
    ]


class LocalModel(WireModel):
    """The built-in model's weights; `done` and `total` count bytes of their download."""

    state: Literal["missing", "installing", "stopping", "installed"]
    done: int
    total: int
    may_install: bool
    error: ErrorInfo | None = None


class EngineHealth(WireModel):
    """The engine's health: what is made, and what did not react to its stop."""

    generations: int
    runaway: int
    epoch: str


class StoreHealth(WireModel):
    """The store's health; `reason` says why nothing can be saved."""

    journal_mode: str | None
    search: str
    backlog: int
    degraded: bool
    reason: str | None
    set_aside: int


class BusHealth(WireModel):
    """The bus's health; `kind` says by what other servers are reached, null: nothing is set up.

    Where they are only reached late at the moment, `away_since` says since when.
    """

    listeners: int
    kind: Literal["redis", "unix", "sentinel", "cluster"] | None = None
    reachable: bool | None = None
    away_since: str | None = None


class Health(WireModel):
    """The health of the server's chat."""

    status: Literal["ok", "degraded"]
    engine: EngineHealth
    store: StoreHealth
    bus: BusHealth


class StreamStart(WireModel):
    """The first event of a stream: what can be stopped from now on."""

    request_id: Id
    chat_id: Id
    message_id: Id
    user_message_id: Id
    model: str | None = None
