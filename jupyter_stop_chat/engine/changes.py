"""What changes in a chat, and the bus that tells whoever follows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Union

if TYPE_CHECKING:
    from jupyter_stop_chat.wire.objects import Message
    from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged, Error, Thought, Tool

    from .generation import Generation


@dataclass(frozen=True, slots=True)
class TextGrew:
    """What tells that more of a generation's text can be read; the reader looks up how much."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class MessageMoved:
    """What tells that a message changed state.

    :ivar generation: what made it, for a reader that has not read all of its text yet.
    :ivar carries_text: the message has its text from where every follower has it end, or before.
    :ivar retold: how it ended was told before; something else of it is new.
    :ivar owner: whose it is, where nothing was made in its chat since the server started.
    """

    message: Message
    generation: Generation | None = None
    carries_text: bool = False
    retold: bool = False
    owner: str | None = None


Change = Union[TextGrew, MessageMoved, "Accepted", "ChatChanged", "Thought", "Tool", "Error"]
Listener = Callable[["Change"], None]


class Bus(Protocol):
    """What carries changes to listeners, by chat and by owner."""

    def watch(self, listener: Listener) -> None:
        """Tell a listener of what this process does in its chats, for operators.

        Of text that grows it hears nothing: that would be for every word.
        """
        ...

    def follow(self, chat_id: str, listener: Listener) -> None:
        """Tell a listener of all that changes in a chat from now on."""
        ...

    def unfollow(self, chat_id: str, listener: Listener) -> None:
        """Tell a listener nothing more of a chat."""
        ...

    def attend(self, owner: str, listener: Listener) -> None:
        """Tell a listener of an owner's chats as such: new, renamed, busy, idle."""
        ...

    def leave(self, owner: str, listener: Listener) -> None:
        """Tell a listener nothing more of an owner's chats."""
        ...

    def publish(self, chat_id: str, change: Change) -> None:
        """Tell the followers of a chat, and the watchers."""
        ...

    def tell(self, chat_id: str, change: Change) -> None:
        """Tell the followers of a chat, and no watcher, that its text grew, or what another
        process did in it.
        """
        ...

    def is_followed(self, chat_id: str) -> bool:
        """Tell whether anybody here follows a chat."""
        ...

    def followers(self, chat_id: str) -> int:
        """Count who follows a chat here."""
        ...

    def is_attended(self, owner: str) -> bool:
        """Tell whether anybody here listens for an owner."""
        ...

    def announce(self, owner: str, change: ChatChanged | Accepted) -> None:
        """Tell an owner's listeners, whichever chats they follow."""
        ...

    @property
    def notices(self) -> tuple[Error, ...]:
        """Return what whoever comes later is told first."""
        ...

    def broadcast(self, notice: Error, *, about: str, lasting: bool) -> None:
        """Tell every owner's listeners of what concerns them all, the last about each for long."""
        ...

    @property
    def listeners(self) -> int:
        """Count who listens."""
        ...
