"""What the engine allows."""

from __future__ import annotations

from dataclasses import dataclass

#: The loop is given back at least this often while a model never waits, in seconds.
TURN_BUDGET = 0.001


@dataclass(frozen=True)
class EngineLimits:
    """The engine's limits: seconds for times, UTF-16 code units for lengths.

    :ivar stop_deadline: after this a stopped task that has not unwound is detached and fenced.
        1.5 s, so that the message is settled within 2 s of the stop with the commit included.
    :ivar remember_stop: how long a stop waits for the request that it is meant for.
    :ivar text_interval: how long after a text of a reply its next one is due to be saved and
        shown: with the next word of any reply, and at its latest half as long after that. Thirty
        steps a second read as flowing; each costs a commit and a frame.
    :ivar shutdown_deadline: how long an orderly shutdown waits for what runs to be saved.
    """

    stop_deadline: float = 1.5
    max_duration: float = 600.0
    remember_stop: float = 60.0
    shutdown_deadline: float = 2.5
    text_interval: float = 1 / 30
    #: How long a model is waited for to make a title.
    title_patience: float = 30.0
    max_prompt_length: int = 50_000
    max_reply_length: int = 2_000_000
    max_generations_per_owner: int = 32
    max_generations: int = 256
    max_stuck: int = 64
    #: 0: any number.
    max_chats_per_owner: int = 10_000
    #: What an owner's pictures may take together, in MiB; 0: any number.
    max_picture_megabytes: int = 1000
    #: Stops that wait for their request, for each owner.
    max_remembered: int = 200
