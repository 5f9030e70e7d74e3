"""The server that somebody names: its one model is chosen, as nothing else can be meant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .chatting import only_one
from .choices import Choices
from .listing import Listing, Told
from .places import Place
from .providers import COMPATIBLE
from .rules import Rules

if TYPE_CHECKING:
    from .catalogue import Catalogue


class Naming:
    """What chooses the one model of a server that an owner has named, once that tells which.

    :param catalogue: knows what a model lacks.
    :param rules: returns what is allowed now.
    """

    def __init__(
        self, catalogue: Catalogue, listing: Listing, choices: Choices, rules: Callable[[], Rules]
    ) -> None:
        self._catalogue = catalogue
        self._listing = listing
        self._choices = choices
        self._rules = rules
        #: By owner, the server that was named last, and what was chosen by then.
        self._named: dict[str, tuple[Place, str | None]] = {}

    async def named(self, owner: str) -> None:
        """Choose the one model of the server that an owner has just named.

        Who names it has asked for it; but what they have chosen before, and works, stays.
        """
        place = await asyncio.to_thread(self._place, owner)
        if place is not None:
            self._named[owner] = place, self._choices.of(owner).model
            await self.go_on(owner)

    async def go_on(self, owner: str, patience: float | None = None) -> None:
        """Do so where a server that was named has not answered before.

        :param patience: so long it is waited for, in seconds.
        """
        named = self._named.get(owner)
        if named is None:
            return
        place, before = named
        told = await self._listing.models(place, patience)
        if self._listing.is_asking(place) or self._named.get(owner) is not named:
            return
        del self._named[owner]
        if await asyncio.to_thread(self._place, owner) != place:
            return
        # In a thread: a server may list thousands.
        only = await asyncio.to_thread(self._only, owner, told, before)
        if only is not None:
            await self._choices.settle(owner, only, before)

    async def forgotten(self, owner: str) -> None:
        """Choose no model any more of the server that an owner has removed: it cannot be used."""
        self._named.pop(owner, None)
        left = await asyncio.to_thread(self._left, owner)
        if left is not None:
            await self._choices.settle(owner, None, left)

    def _left(self, owner: str) -> str | None:
        """Return what is chosen, if it is of a server that nobody names any more. Blocks."""
        self._catalogue.look()
        chosen = self._choices.of(owner).model or ""
        provider = chosen.partition(":")[0]
        if provider != COMPATIBLE or self._catalogue.is_ours(provider):
            return None
        return chosen if self._catalogue.key_of(provider, owner) is None else None

    def _place(self, owner: str) -> Place | None:
        """Return where an owner's own server lists its models, if one may be chosen. Blocks."""
        self._catalogue.look()
        if self._rules().locked or self._catalogue.key_of(COMPATIBLE, owner) != "given":
            return None
        return self._catalogue.place_of(COMPATIBLE, owner)

    def _only(self, owner: str, told: Told, before: str | None) -> str | None:
        """Return what to choose; None: what was chosen stays, or several are there."""
        rules = self._rules()
        if before is not None and rules.allows(before, owner):
            provider, _, name = before.partition(":")
            is_there = provider != COMPATIBLE or name in told
            if is_there and self._catalogue.lack_of(before, owner) is None:
                return None
        return only_one(COMPATIBLE, told, partial(rules.allows, owner=owner))
