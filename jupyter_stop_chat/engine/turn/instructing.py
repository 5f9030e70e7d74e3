"""The instructions of a turn: asked for as it begins, and kept as they are sent."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Awaitable, Sequence

from jupyter_stop_chat.engine.background import Background
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.handler import ChatHandler
from jupyter_stop_chat.ports.instructions import Instruct, Occasion, Takes
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.objects import Message
from jupyter_stop_chat.wire.usage import CHARACTERS_PER_TOKEN

#: They take this much of what a model takes at most: the rest is for the chat.
SHARE = 0.5


class Instructing:
    """What asks for the instructions of turns, and has them kept.

    :param instruct: puts them together; None: there are none.
    """

    def __init__(self, store: Store, background: Background, instruct: Instruct | None) -> None:
        self._store = store
        self._background = background
        self._instruct = instruct

    async def of(
        self, generation: Generation, handler: ChatHandler, thread: Sequence[Message]
    ) -> str | None:
        """Return the instructions of a reply that begins now; what is sent is kept."""
        takes: Takes | None = getattr(handler, "takes_instructions", None)
        if self._instruct is None or takes is None:
            return None
        most = _most_for(getattr(handler, "max_input_tokens", None))
        text = await self._instruct(
            Occasion(
                owner=generation.owner,
                takes=takes,
                chat=await self._store.instructions.of_chat(generation.chat_id),
                path=place_of(thread),
                most=most,
            )
        )
        if text is not None and not generation.fenced:  # else it is sent to nobody
            self._keep(generation, text)
        return text

    def _keep(self, generation: Generation, text: str) -> None:
        digest = hashlib.sha256(text.encode()).hexdigest()
        # The store writes in the order of the calls: it is there before any word that comes of it.
        kept = self._store.instructions.keep(generation.id, digest, text)
        self._background.run(_wait_for(kept), "instructions")
        known = generation.message.instructions or ()
        if digest not in known:
            changed = {"instructions": (*known, digest)}
            generation.message = generation.message.model_copy(update=changed)


def _most_for(limit: object) -> int | None:
    """Return how long they may be for what a model takes, in tokens; None where that is unknown.

    :param limit: what a chat handler says, which may be of somebody else's making.
    """
    if not isinstance(limit, int | float) or not 0 < limit < math.inf:
        return None
    return int(limit * SHARE * CHARACTERS_PER_TOKEN)


async def _wait_for(kept: Awaitable[None]) -> None:
    await kept


def place_of(thread: Sequence[Message]) -> str | None:
    """Return what was open at the newest prompt that tells, for those that do not."""
    told = (each.path for each in reversed(thread) if each.path is not None)
    return next(told, None)
