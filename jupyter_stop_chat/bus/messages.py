"""What processes send each other by Redis, and where: JSON, checked when it arrives."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from jupyter_stop_chat.ports import peers

#: What the names of all channels begin with.
PREFIX = "stop-chat:"
#: A longer message is neither sent nor looked at, in bytes.
MOST_BYTES = 4 * 1024 * 1024


class _Sent(BaseModel):
    #: What a later version says besides is left out.
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Asking(_Sent):
    """A question: `sender` is the process that asks, and hears the answer."""

    sender: str
    kind: Literal["ask"] = "ask"
    id: str
    owner: str | None
    frame: str


class Answering(_Sent):
    """The answer to a question."""

    sender: str
    kind: Literal["answer"] = "answer"
    id: str
    answer: str


class Text(_Sent):
    """More of a text."""

    kind: Literal["text"] = "text"
    chat_id: str
    message_id: str
    offset: Annotated[int, Field(ge=0)]
    text: str


class Move(_Sent):
    """What tells that a message changed otherwise."""

    kind: Literal["moved"] = "moved"
    chat_id: str
    message_id: str | None


class Announcement(_Sent):
    """What an owner's pages are told of a chat as such."""

    kind: Literal["announced"] = "announced"
    frame: str


class Gap(_Sent):
    """What tells that something was left out here: the store has it."""

    kind: Literal["gap"] = "gap"


Item = Annotated[Text | Move | Announcement | Gap, Field(discriminator="kind")]


class Telling(_Sent):
    """What one process did in an owner's chats, in order."""

    sender: str
    kind: Literal["news"] = "news"
    news: tuple[Item, ...]


#: What a process hears on its own channel, and on an owner's.
to_process: TypeAdapter[Asking | Answering] = TypeAdapter(
    Annotated[Asking | Answering, Field(discriminator="kind")]
)
to_owner = TypeAdapter(Telling)


def item_of(news: peers.News) -> Text | Move | Announcement:
    """Return news as they are sent."""
    match news:
        case peers.MoreText(chat_id, message_id, offset, text):
            return Text(chat_id=chat_id, message_id=message_id, offset=offset, text=text)
        case peers.Moved(chat_id, message_id):
            return Move(chat_id=chat_id, message_id=message_id)
        case peers.Announced(frame):
            return Announcement(frame=frame)


def news_of(item: Text | Move | Announcement) -> peers.News:
    """Return news as they are heard."""
    match item:
        case Text():
            return peers.MoreText(item.chat_id, item.message_id, item.offset, item.text)
        case Move():
            return peers.Moved(item.chat_id, item.message_id)
        case Announcement():
            return peers.Announced(item.frame)


def process_channel(process: str) -> bytes:
    """Name the channel on which a process is asked and answered."""
    return f"{PREFIX}process:{process}".encode("utf-8", "surrogatepass")


def owner_channel(scope: str, owner: str) -> bytes:
    """Name the channel on which an owner's news are told.

    :param scope: what those have in common who share the owner's chats, and nobody else.
    """
    # A name can be anything, and need not be read by whoever looks at the channels.
    named = f"{len(scope)}:{scope}{owner}".encode("utf-8", "surrogatepass")
    return f"{PREFIX}owner:{hashlib.sha256(named).hexdigest()[:40]}".encode()
