"""The order in which a chat is read: each message behind the one that it follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # a kernel that has a server loads no models of what is on the wire
    from jupyter_stop_chat.wire.objects import Message

_Told = TypeVar("_Told")


def reading_order(messages: Sequence[Message]) -> list[Message]:
    """Put no message before the one that it follows; the others stay as they are."""
    return in_reading_order(messages, lambda message: (message.id, message.reply_to))


def in_reading_order(
    messages: Sequence[_Told], link: Callable[[_Told], tuple[str, str | None]]
) -> list[_Told]:
    """Put no message before the one that it follows; the others stay as they are.

    A queue may have been put in another order than the one in which its prompts were written.

    :param messages: a chat's, in the order in which they were written.
    :param link: returns a message's id, and that of the one it follows.
    """
    known = {link(message)[0] for message in messages}
    placed: set[str] = set()
    waiting: dict[str, list[_Told]] = {}
    ordered: list[_Told] = []
    for each in messages:
        _, follows = link(each)
        if follows is not None and follows in known and follows not in placed:
            waiting.setdefault(follows, []).append(each)
            continue
        free = [each]
        while free:
            message = free.pop()
            ordered.append(message)
            message_id, _ = link(message)
            placed.add(message_id)
            free.extend(reversed(waiting.pop(message_id, [])))
    # What follows itself in a ring has no order.
    return list(messages) if waiting else ordered
