"""Make a history shorter, so that it fits a model's context."""

from __future__ import annotations

Said = dict[str, str]

#: The room is rounded down to a multiple of so many characters: it is estimated anew each time.
_STEP = 1024


def shortened(messages: list[Said], share: float) -> list[Said] | None:
    """Drop the oldest turns.

    What is left begins with a message of the user. The prompt stays, and so does the partial
    answer behind it. At least one turn goes, so that asking again and again comes to an end.

    Half of the room is emptied at once, and where that was done before is found again: so the
    history begins with the same message for many turns, and the model need not read it anew.

    :param messages: roles alternate, the first is the user's.
    :param share: how much of the length may stay, between 0 and 1.
    :returns: the shorter history, or None when there is no turn to drop.
    """
    last = len(messages) - 1
    if messages[last]["role"] == "assistant":
        last -= 1
    sizes = [len(message["content"]) for message in messages]
    most = share * sum(sizes)
    if most > 2 * _STEP:
        most -= most % _STEP
    starts = [at for at in range(last + 1) if messages[at]["role"] == "user"]
    begin = 0
    for end in starts:
        through = len(messages) if end == last else end + 1
        if sum(sizes[begin:through]) > most:
            later = [at for at in starts if begin < at <= end]
            fitting = [at for at in later if sum(sizes[at:through]) <= most / 2]
            begin = (fitting or later[-1:] or [begin])[0]
    if begin == 0:
        begin = starts[1] if len(starts) > 1 else 0
    return messages[begin:] if begin else None
