"""What the command line asks for, and the order in which it is done."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Asked:
    """What is asked for.

    :ivar streams: how many replies are made at once, in turn.
    :ivar seconds: how long one measurement of processor time takes.
    :ivar rounds: how often each is done; in between, the others are.
    :ivar large: grow the database to a gigabyte as well.
    """

    streams: list[int] = field(default_factory=lambda: [1, 8, 64])
    seconds: float = 5.0
    rounds: int = 7
    large: bool = False
