"""The interface to the other processes that work on the same chats: servers, and kernels.

A reply is made by one process. What only that process can do, a stop above all, others ask of it.
What it does, it tells others, who read the rest in the store. Nothing that is told has to arrive:
whoever misses it finds it in the store.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class NotReachedError(Exception):
    """What says that nobody answered a question: whether it was heard is not known."""


@dataclass(frozen=True, slots=True)
class Question:
    """What one process asks another that makes a reply.

    :ivar owner: whose chats it is about; None: everyone's, which operators ask.
    :ivar frame: what a page would send for it, as it goes over the wire.
    :ivar id: by which it is known that it came before, by another way.
    """

    owner: str | None
    frame: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()), compare=False)


@dataclass(frozen=True, slots=True)
class MoreText:
    """What tells that more of a text is committed.

    :ivar offset: where it begins in its message, in UTF-16 code units.
    """

    chat_id: str
    message_id: str
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Moved:
    """What tells that a message changed otherwise: the store has it.

    :ivar message_id: which; None: something of the chat, or all of it, did.
    """

    chat_id: str
    message_id: str | None


@dataclass(frozen=True, slots=True)
class Announced:
    """What tells an owner's pages of a chat as such.

    :ivar frame: `accepted` or `chat`, as it goes over the wire.
    """

    frame: str


News = MoreText | Moved | Announced


class Asked(Protocol):
    """What is asked, told and flagged: an engine."""

    async def answer(self, question: Question) -> str:
        """Do what another process asks, and return what a page would be answered.

        That is a frame as it goes over the wire, also for an error; empty where a page gets none.
        """
        ...

    def hear(self, owner: str, news: News) -> None:
        """Hear what another process did to an owner's chat."""
        ...

    def stop_flagged(self, message_id: str) -> None:
        """Stop what makes a message: a flag asks for it."""
        ...

    def may_have_missed(self) -> None:
        """Look in the store: what others told may not have arrived here for a while."""
        ...


class Peers(Protocol):
    """What reaches the other processes that work on the same chats."""

    #: Told when others can only be reached late from now on (False), and when at once again.
    on_reach: Callable[[bool], None]

    @property
    def interval(self) -> float:
        """Return how often to `look` while something is made here, in seconds."""
        ...

    @property
    def tells(self) -> bool:
        """Tell whether news reaches anybody: else none need be made."""
        ...

    async def open(self, asked: Asked) -> None:
        """Begin to hear others; where they cannot be reached now, try again and again."""
        ...

    async def close(self) -> None:
        """Hear no more, and let go of everything."""
        ...

    async def ask(self, process: str, question: Question, patience: float) -> str:
        """Ask another process, and return its answer.

        :param process: its id, as the store knows it.
        :param patience: for how many seconds to wait.
        :raises NotReachedError: there was none.
        """
        ...

    async def look(self, making: Sequence[str]) -> None:
        """Look once for what was asked of this process in ways that nothing tells of.

        :param making: the ids of the messages that are made here.
        """
        ...

    async def flag_stop(self, message_id: str) -> None:
        """Leave a flag that asks for a message's stop, for a process that hears nothing now."""
        ...

    def unflag_stop(self, message_id: str) -> None:
        """Take such a flag away, soon: the message has ended."""
        ...

    def tell(self, owner: str, news: News) -> None:
        """Tell the others of what was done in an owner's chat, soon and without waiting for it."""
        ...

    def attend(self, owner: str, attended: bool) -> None:
        """Hear what is told of an owner's chats from now on, or no more."""
        ...

    def health(self) -> dict[str, Any] | None:
        """Return how others are reached; None where nothing was set up for it."""
        ...
