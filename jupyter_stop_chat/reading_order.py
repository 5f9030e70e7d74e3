"""The order in which a chat is read: each message behind the one that it follows."""

from __future__ import annotations

from collections.abc import Sequence

from .protocol import Message


def reading_order(messages: Sequence[Message]) -> list[Message]:
    """Put no message before the one that it follows; the others stay as they are.

    A queue may have been put in another order than the one in which its prompts were written.

    :param messages: a chat's, in the order in which they were written.
    """
    known = {message.id for message in messages}
    placed: set[str] = set()
    waiting: dict[str, list[Message]] = {}
    ordered: list[Message] = []
    for each in messages:
        follows = each.reply_to
        if follows is not None and follows in known and follows not in placed:
            waiting.setdefault(follows, []).append(each)
            continue
        free = [each]
        while free:
            message = free.pop()
            ordered.append(message)
            placed.add(message.id)
            free.extend(reversed(waiting.pop(message.id, [])))
    # What follows itself in a ring has no order.
    return list(messages) if waiting else ordered
