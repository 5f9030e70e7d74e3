"""The newest reply of a chat: the one that a new prompt follows."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_stop_chat.wire.objects import TERMINAL, Message


def newest_reply(messages: Sequence[Message]) -> str | None:
    """Return the newest reply that ends a thread and is neither taken out nor still to come.

    :param messages: a chat's, oldest first.
    """
    parents = {message.id: message.reply_to for message in messages}
    coming: dict[str, bool] = {
        message.id: True for message in messages if message.state not in TERMINAL
    }

    def is_coming(message_id: str | None) -> bool:
        path: list[str] = []
        while message_id is not None and message_id not in coming and message_id in parents:
            coming[message_id] = False
            path.append(message_id)
            message_id = parents[message_id]
        answer = message_id is not None and coming.get(message_id, False)
        coming.update(dict.fromkeys(path, answer))
        return answer

    found = [
        message.id
        for message in messages
        if message.role == "assistant" and not message.discarded and not is_coming(message.id)
    ]
    followed: set[str] = set()
    for message_id in found:
        parent = parents[message_id]
        while parent is not None and parent not in followed:
            followed.add(parent)
            parent = parents.get(parent)
    return next((each for each in reversed(found) if each not in followed), None)
