"""Make a history shorter, so that it fits a model's context."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

Said = dict[str, str]

#: The room is rounded down to a multiple of so many characters: it is estimated anew each time.
_STEP = 1024


def first_kept(sizes: Sequence[float], turns: Sequence[int], most: float) -> int:
    """Return where the newest turns begin that fit.

    Half of the room is emptied at once, and where that was done before is found again: so the
    history begins with the same message for many turns, and neither a model nor a provider's
    cache need read it anew. The last turn stays, whatever its size.

    :param sizes: of all messages.
    :param turns: where the user's messages are.
    :param most: how much fits.
    """
    upto = (0, *accumulate(sizes))
    begin = 0
    for end in turns:
        through = len(sizes) if end == turns[-1] else end + 1
        if upto[through] - upto[begin] > most:
            later = [at for at in turns if begin < at <= end]
            fitting = [at for at in later if upto[through] - upto[at] <= most / 2]
            begin = (fitting or later[-1:] or [begin])[0]
    return begin


def shortened(messages: list[Said], share: float) -> list[Said] | None:
    """Drop the oldest turns.

    What is left begins with a message of the user, behind the instructions. The prompt stays, and
    so does the partial answer behind it. At least one turn goes, so that asking again and again
    comes to an end.

    :param messages: instructions, if there are any; then roles alternate, from the user's on.
    :param share: how much of the length may stay, between 0 and 1.
    :returns: the shorter history, or None when there is no turn to drop.
    """
    kept = messages[:1] if messages and messages[0]["role"] == "system" else []
    messages = messages[len(kept) :]
    before = sum(len(message["content"]) for message in kept)
    sizes = [len(message["content"]) for message in messages]
    most = share * (before + sum(sizes)) - before
    if most > 2 * _STEP:
        most -= most % _STEP
    turns = [at for at, message in enumerate(messages) if message["role"] == "user"]
    begin = first_kept(sizes, turns, most) or (turns[1] if len(turns) > 1 else 0)
    return [*kept, *messages[begin:]] if begin else None
