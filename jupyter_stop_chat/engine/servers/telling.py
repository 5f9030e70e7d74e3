"""The bus of an engine that tells other processes as well of what it does."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from jupyter_stop_chat.engine.changes import Bus, Change, Listener, MessageMoved, TextGrew
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.peers import Announced, MoreText, Moved, Peers
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged, Error

if TYPE_CHECKING:
    from jupyter_stop_chat.wire.server_frames import Thought, Tool

#: Of so many chats it is remembered whose they are.
MOST_CHATS = 10_000
#: Text that grew by more at once is not told: others read it in the store.
MOST_TEXT = 128 * 1024


class Telling:
    """A bus that carries changes to listeners here, and tells other processes of them.

    :param bus: what carries them here.
    :param peers: what reaches the others.
    """

    def __init__(self, bus: Bus, peers: Peers) -> None:
        self._bus = bus
        self._peers = peers
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._told: WeakKeyDictionary[Generation, tuple[int, int]] = WeakKeyDictionary()

    # --- listening ---------------------------------------------------------------------------

    def watch(self, listener: Listener) -> None:
        """Tell a listener of what this process does in its chats."""
        self._bus.watch(listener)

    def follow(self, chat_id: str, listener: Listener) -> None:
        """Tell a listener of all that changes in a chat from now on."""
        self._bus.follow(chat_id, listener)

    def unfollow(self, chat_id: str, listener: Listener) -> None:
        """Tell a listener nothing more of a chat."""
        self._bus.unfollow(chat_id, listener)

    def attend(self, owner: str, listener: Listener) -> None:
        """Tell a listener of an owner's chats as such, wherever they change."""
        if not self._bus.is_attended(owner):
            self._peers.attend(owner, True)
        self._bus.attend(owner, listener)

    def leave(self, owner: str, listener: Listener) -> None:
        """Tell a listener nothing more of an owner's chats."""
        self._bus.leave(owner, listener)
        if not self._bus.is_attended(owner):
            self._peers.attend(owner, False)

    def is_followed(self, chat_id: str) -> bool:
        """Tell whether anybody here follows a chat."""
        return self._bus.is_followed(chat_id)

    def followers(self, chat_id: str) -> int:
        """Count who follows a chat here."""
        return self._bus.followers(chat_id)

    def is_attended(self, owner: str) -> bool:
        """Tell whether anybody here listens for an owner."""
        return self._bus.is_attended(owner)

    @property
    def listeners(self) -> int:
        """Count who listens here."""
        return self._bus.listeners

    # --- telling -----------------------------------------------------------------------------

    def publish(self, chat_id: str, change: Change) -> None:
        """Tell the followers of a chat, here and elsewhere."""
        self._bus.publish(chat_id, change)
        owner = self._owner_of(chat_id, change)
        # What an owner's pages are told of a chat as such goes by `announce`.
        if owner is not None and not isinstance(change, Accepted | ChatChanged):
            message_id = change.message.id if isinstance(change, MessageMoved) else None
            self._peers.tell(owner, Moved(chat_id, message_id or _named(change)))

    def tell(self, chat_id: str, change: Change) -> None:
        """Tell the followers of a chat that its text grew, here and elsewhere."""
        self._bus.tell(chat_id, change)
        if isinstance(change, TextGrew):
            self._tell_text(chat_id, change.generation)

    def _tell_text(self, chat_id: str, generation: Generation) -> None:
        text, reasoning = generation.text.length, generation.reasoning.length
        begin, thought = self._told.get(generation, (generation.prefix_length, 0))
        self._told[generation] = (text, reasoning)
        if 0 < text - begin <= MOST_TEXT:
            more = generation.text.read(begin, text - begin)
            news = MoreText(chat_id, generation.id, begin, more)
            self._peers.tell(generation.owner, news)
        if reasoning != thought or text < begin:
            self._peers.tell(generation.owner, Moved(chat_id, generation.id))

    def announce(self, owner: str, change: ChatChanged | Accepted) -> None:
        """Tell an owner's listeners, here and elsewhere."""
        chat_id = change.chat.id if isinstance(change, ChatChanged) else change.chat_id
        self._owners[chat_id] = owner
        self._owners.move_to_end(chat_id)
        if len(self._owners) > MOST_CHATS:
            self._owners.popitem(last=False)
        self._bus.announce(owner, change)
        self._peers.tell(owner, Announced(encode(change)))

    def broadcast(self, notice: Error, *, about: str, lasting: bool) -> None:
        """Tell every owner's listeners here of what concerns this process."""
        self._bus.broadcast(notice, about=about, lasting=lasting)

    @property
    def notices(self) -> tuple[Error, ...]:
        """Return what whoever comes later is told first."""
        return self._bus.notices

    def _owner_of(self, chat_id: str, change: Change) -> str | None:
        if isinstance(change, MessageMoved) and change.owner is not None:
            return change.owner
        generation = change.generation if isinstance(change, MessageMoved | TextGrew) else None
        return generation.owner if generation is not None else self._owners.get(chat_id)


def _named(change: Tool | Thought | Change) -> str | None:
    """Return which message a change is of, where it names one."""
    return getattr(change, "message_id", None)
