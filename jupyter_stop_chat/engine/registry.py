"""The registry: what is being made, by message id, by request and by chat."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.ports.store import Making, Store
from jupyter_stop_chat.wire.client_frames import Stop
from jupyter_stop_chat.wire.objects import Chat

from .generation import Generation
from .lane import Lane
from .rethought import Rethought


class Registry:
    """Every generation from the moment its prompt is accepted until it is settled.

    It also holds the stops whose request has not arrived yet.

    :param remember_for: how long such a stop waits, in seconds.
    :param max_remembered: how many of them an owner may have.
    """

    def __init__(self, remember_for: float, max_remembered: int) -> None:
        self._generations: dict[str, Generation] = {}
        self._requests: dict[tuple[str, str], Generation] = {}
        #: By message id, the requests that changed its prompt while it waited.
        self._further: dict[str, list[str]] = {}
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._remembered: dict[tuple[str, str], tuple[Stop, asyncio.TimerHandle]] = {}
        self.rethought = Rethought()
        self._remember_for = remember_for
        self._max_remembered = max_remembered
        self._closed = False

    def get(self, message_id: str) -> Generation | None:
        """Return what makes a message now, or None."""
        return self._generations.get(message_id)

    def by_request(self, owner: str, request_id: str) -> Generation | None:
        """Return what an owner's request makes now, or None."""
        return self._requests.get((owner, request_id))

    def running(self, owner: str | None = None) -> list[Generation]:
        """Return what is being made or waits: an owner's, or everyone's."""
        return [
            generation
            for generation in self._generations.values()
            if owner is None or generation.owner == owner
        ]

    def making(self) -> list[Making]:
        """Return the replies that were written down and have not ended."""
        return [
            Making(lane.chat, generation.id, generation.prompt, generation.snapshot)
            for generation in self._generations.values()
            if generation.is_accepted
            and (lane := self.lane(generation.owner, generation.chat_id)) is not None
            and lane.chat is not None
        ]

    def __len__(self) -> int:
        return len(self._generations)

    @property
    def empty(self) -> bool:
        """Tell whether nothing at all is held (V10)."""
        held = (self._generations, self._requests, self._further, self._lanes, self._remembered)
        return not any(held)

    def add(self, generation: Generation) -> None:
        """Register a generation."""
        self._generations[generation.id] = generation
        self._requests[generation.owner, generation.request_id] = generation

    def add_request(self, generation: Generation, request_id: str) -> None:
        """Note that a generation answers one more request: its prompt was changed by it."""
        self._requests[generation.owner, request_id] = generation
        self._further.setdefault(generation.id, []).append(request_id)

    def drop_request(self, generation: Generation, request_id: str) -> None:
        """Forget that a generation answers one more request: it was refused."""
        self._further[generation.id].remove(request_id)
        if not self._further[generation.id]:
            del self._further[generation.id]
        del self._requests[generation.owner, request_id]

    def remove(self, generation: Generation) -> None:
        """Forget a generation that has ended."""
        if self._generations.get(generation.id) is generation:
            del self._generations[generation.id]
        for request_id in (generation.request_id, *self._further.pop(generation.id, ())):
            key = (generation.owner, request_id)
            if self._requests.get(key) is generation:
                del self._requests[key]

    # --- lanes -------------------------------------------------------------------------------

    def lane(self, owner: str, chat_id: str) -> Lane | None:
        """Return a chat's lane, if anything is in it."""
        return self._lanes.get((owner, chat_id))

    def lanes(self, owner: str | None = None) -> list[Lane]:
        """Return an owner's lanes, or everyone's."""
        return [lane for lane in self._lanes.values() if owner is None or lane.owner == owner]

    def make_lane(self, owner: str, chat_id: str) -> Lane:
        """Return a chat's lane, made if there is none."""
        return self._lanes.setdefault((owner, chat_id), Lane(chat_id, owner))

    def drop_if_idle(self, lane: Lane) -> None:
        """Forget a lane with nothing in it, unless a request is just being written down."""
        if not lane.busy and not lane.write_lock.locked():
            self._lanes.pop((lane.owner, lane.chat_id), None)

    def with_state(self, chat: Chat) -> Chat:
        """Return a chat with the state that it is in here."""
        lane = self.lane(chat.owner, chat.id)
        return chat.model_copy(update={"state": lane.state if lane else "idle"})

    async def as_it_is(self, chat: Chat, store: Store) -> Chat:
        """Return a chat with the state that it is in, also where another process works in it.

        :param chat: as the store had it; of what was made here it may know what is no more.
        """
        here = self.lane(chat.owner, chat.id) is not None
        if here or chat.state == "idle" or not await store.made_elsewhere(chat.owner, chat.id):
            return self.with_state(chat)
        return chat

    # --- stops that came first ---------------------------------------------------------------

    def remember(self, owner: str, stop: Stop) -> bool:
        """Keep a stop for a request that has not arrived; beyond the limit the oldest goes.

        :returns: whether it is kept: at the server's end no request is waited for.
        """
        if self._closed:
            return False
        request_id = stop.request_id or ""
        self.recall(owner, request_id)
        mine = [key for key in self._remembered if key[0] == owner]
        if len(mine) >= self._max_remembered:
            self.recall(*mine[0])
        timer = asyncio.get_running_loop().call_later(
            self._remember_for, self.recall, owner, request_id
        )
        self._remembered[owner, request_id] = (stop, timer)
        return True

    def remembers(self, owner: str, request_id: str) -> bool:
        """Tell whether a stop is kept for a request."""
        return (owner, request_id) in self._remembered

    def recall(self, owner: str, request_id: str) -> Stop | None:
        """Return a stop that was kept, and keep it no longer."""
        stop, timer = self._remembered.pop((owner, request_id), (None, None))
        if timer is not None:
            timer.cancel()
        return stop

    def close(self) -> None:
        """Drop all stops that were kept, and keep no more."""
        self._closed = True
        for owner, request_id in list(self._remembered):
            self.recall(owner, request_id)
