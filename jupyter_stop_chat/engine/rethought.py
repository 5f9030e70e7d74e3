"""Which messages' texts may begin otherwise than a page had them."""

from __future__ import annotations

from collections import OrderedDict

from jupyter_stop_chat.wire.objects import Message

#: Of so many messages it is remembered how often.
MOST_MESSAGES = 10_000


class Rethought:
    """How often some of a message's text became reasoning since this server began, or may have.

    It may have where another process made it while nobody here looked. What was cut before it went
    on counts as well: how much of such a text a client had before says nothing.
    """

    def __init__(self) -> None:
        self._times: OrderedDict[str, tuple[int, str]] = OrderedDict()
        #: Of some message that was made up to then it is forgotten.
        self._forgotten = ""

    def __len__(self) -> int:
        return len(self._times)

    def add(self, message: Message) -> None:
        """Note that it happened to a message once more."""
        times, _ = self._times.pop(message.id, (0, ""))
        self._times[message.id] = (times + 1, message.created_at)
        if len(self._times) > MOST_MESSAGES:
            _, (_, created_at) = self._times.popitem(last=False)
            self._forgotten = max(self._forgotten, created_at)

    def times(self, message_id: str) -> int:
        """Tell how often it happened to a message, as far as is known."""
        return self._times.get(message_id, (0, ""))[0]

    def is_forgotten(self, message: Message) -> bool:
        """Tell whether it may have happened to a message and be forgotten."""
        return message.created_at <= self._forgotten and message.id not in self._times
