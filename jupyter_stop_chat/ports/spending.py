"""The interfaces of what tells prices, and of what remembers what was spent."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import dataclass
from typing import Protocol

from jupyter_stop_chat.wire.objects import Cost, Spent, Usage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bill:
    """What a reply, a part of it or a title adds to what its owner has spent.

    :ivar day: on which it counts, in UTC: `2026-03-09`.
    """

    owner: str
    day: str
    spent: Spent


@dataclass(frozen=True, slots=True)
class Budget:
    """What an owner may use in a day.

    :ivar cost: in millionths of a dollar; 0: any amount.
    :ivar tokens: read and made, together; 0: any number.
    """

    cost: int = 0
    tokens: int = 0

    @classmethod
    def of(cls, dollars: float, tokens: int) -> Budget:
        """Make one of an amount in dollars; less than a millionth of one is not "any"."""
        return cls(math.ceil(dollars * 1_000_000), tokens)

    def __bool__(self) -> bool:
        return bool(self.cost or self.tokens)

    def is_used_up(self, spent: Spent) -> bool:
        """Tell whether as much was spent as is allowed."""
        tokens = spent.input_tokens + spent.output_tokens
        return 0 < self.cost <= spent.cost or 0 < self.tokens <= tokens


class Prices(Protocol):
    """What knows what models cost."""

    def prepare(self, model_id: str) -> None:
        """Begin to load what is needed to tell what a model costs; this returns at once."""
        ...

    async def cost(self, model_id: str, usage: Usage) -> Cost | None:
        """Return what tokens cost now; None where nobody knows their price."""
        ...

    def cost_at_once(self, model_id: str, usage: Usage) -> Cost | None:
        """Return the same.

        :raises LookupError: the model is to be looked up first, which takes longer.
        """
        ...


async def price_of(prices: Prices, model_id: str, usage: Usage, patience: float) -> Cost | None:
    """Return what tokens cost now; None where nobody knows, or not soon: nothing fails for it.

    :param patience: so long it is waited for, in seconds.
    """
    try:
        async with asyncio.timeout(patience):
            return await prices.cost(model_id, usage)
    except TimeoutError:
        log.warning("what a reply of %s cost was not known in time", model_id)
    except Exception:
        log.exception("what a reply of %s cost is not known", model_id)
    return None


class SpendingStore(Protocol):
    """What remembers what was spent."""

    async def on(self, owner: str, day: str) -> Spent:
        """Return what an owner spent on a day, as far as it is known."""
        ...

    async def add(self, chat_id: str, bill: Bill) -> None:
        """Count what was spent for a chat besides its replies."""
        ...


class NoPrices:
    """What knows no price."""

    def prepare(self, model_id: str) -> None:
        """Load nothing."""

    async def cost(self, model_id: str, usage: Usage) -> Cost | None:
        """Return None."""
        return None

    def cost_at_once(self, model_id: str, usage: Usage) -> Cost | None:
        """Return None."""
        return None
