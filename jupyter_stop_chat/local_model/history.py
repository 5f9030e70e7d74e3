"""Make a history shorter, so that it fits a model's context."""

from __future__ import annotations

Said = dict[str, str]


def shortened(messages: list[Said], share: float) -> list[Said] | None:
    """Drop the oldest turns.

    What is left begins with a message of the user. The prompt stays, and so does the partial
    answer behind it. At least one turn goes, so that asking again and again comes to an end.

    :param messages: roles alternate, the first is the user's.
    :param share: how much of the length may stay, between 0 and 1.
    :returns: the shorter history, or None when there is no turn to drop.
    """
    last = len(messages) - 1
    if messages[last]["role"] == "assistant":
        last -= 1
    most = share * sum(len(message["content"]) for message in messages)
    starts = [at for at in range(1, last + 1) if messages[at]["role"] == "user"]
    for start in starts:
        if sum(len(message["content"]) for message in messages[start:]) <= most:
            return messages[start:]
    return messages[starts[-1] :] if starts else None
