"""The bus inside one server: it tells whoever follows a chat that something in it changed."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_stop_chat.engine.changes import Change, Listener
    from jupyter_stop_chat.wire.server_frames import Accepted, ChatChanged, Error

log = logging.getLogger(__name__)


class LocalBus:
    """What carries changes within one process, to listeners by chat and by owner."""

    def __init__(self) -> None:
        self._chats: defaultdict[str, set[Listener]] = defaultdict(set)
        self._owners: defaultdict[str, set[Listener]] = defaultdict(set)
        self._watchers: set[Listener] = set()
        self._notices: dict[str, Error] = {}

    def watch(self, listener: Listener) -> None:
        """Tell a listener of what is published, for operators."""
        self._watchers.add(listener)

    def follow(self, chat_id: str, listener: Listener) -> None:
        """Tell a listener of all that changes in a chat from now on."""
        self._chats[chat_id].add(listener)

    def unfollow(self, chat_id: str, listener: Listener) -> None:
        """Tell a listener nothing more of a chat."""
        self._discard(self._chats, chat_id, listener)

    def attend(self, owner: str, listener: Listener) -> None:
        """Tell a listener of an owner's chats as such: new, renamed, busy, idle."""
        self._owners[owner].add(listener)

    def leave(self, owner: str, listener: Listener) -> None:
        """Tell a listener nothing more of an owner's chats."""
        self._discard(self._owners, owner, listener)

    def publish(self, chat_id: str, change: Change) -> None:
        """Tell the followers of a chat; a listener that raises does not stop the others."""
        self._tell(self._chats.get(chat_id), change)
        self._tell(self._watchers, change)

    def tell(self, chat_id: str, change: Change) -> None:
        """Tell the followers of a chat, and no watcher."""
        self._tell(self._chats.get(chat_id), change)

    def is_followed(self, chat_id: str) -> bool:
        """Tell whether anybody here follows a chat."""
        return chat_id in self._chats

    def followers(self, chat_id: str) -> int:
        """Count who follows a chat here."""
        return len(self._chats.get(chat_id, ()))

    def is_attended(self, owner: str) -> bool:
        """Tell whether anybody here listens for an owner."""
        return owner in self._owners

    def announce(self, owner: str, change: ChatChanged | Accepted) -> None:
        """Tell an owner's listeners, whichever chats they follow."""
        self._tell(self._owners.get(owner), change)

    @property
    def notices(self) -> tuple[Error, ...]:
        """Return what whoever comes later is told first."""
        return tuple(self._notices.values())

    def broadcast(self, notice: Error, *, about: str, lasting: bool) -> None:
        """Tell every owner's listeners of what concerns them all.

        :param about: what it is about.
        :param lasting: whoever comes later is told as well, until the next one about the same.
        """
        self._notices.pop(about, None)
        if lasting:
            self._notices[about] = notice
        for listeners in list(self._owners.values()):
            self._tell(listeners, notice)

    @property
    def listeners(self) -> int:
        """Count who listens, for tests of leaks and for `health`."""
        return sum(map(len, self._chats.values())) + sum(map(len, self._owners.values()))

    @staticmethod
    def _tell(listeners: set[Listener] | None, change: Change) -> None:
        for listener in tuple(listeners or ()):
            try:
                listener(change)
            except Exception:
                log.exception("a listener failed")

    @staticmethod
    def _discard(topics: defaultdict[str, set[Listener]], topic: str, listener: Listener) -> None:
        topics[topic].discard(listener)
        if not topics[topic]:
            del topics[topic]
