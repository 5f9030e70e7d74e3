"""What replies cost, noted as they end, and the budget of a day, which holds prompts back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from jupyter_stop_chat.ports.handler import TokensUsed
from jupyter_stop_chat.ports.spending import Bill, Budget, NoPrices, Prices, price_of
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Chat, Cost, Spent, Usage
from jupyter_stop_chat.wire.times import day_of, written
from jupyter_stop_chat.wire.usage import spent_by

log = logging.getLogger(__name__)

#: A reply's end waits no longer for its price, nor for what was spent, in seconds: with a stop's
#: deadline of 1.5 s and a commit that is within the 2 s in which a stop is settled. The price
#: begins to load with the reply.
PATIENCE = 0.3
#: So many tokens one part of a reply may have used: a hundred times what the largest models take.
#: Past it, or below nothing, a provider or a package has not counted, whatever it says.
MOST_TOKENS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Today:
    """What an owner has spent on the day that it is, and may spend.

    :ivar begins_anew: when the next day begins.
    """

    day: str
    spent: Spent
    budget: Budget
    begins_anew: str

    @property
    def used_up(self) -> bool:
        """Tell whether nothing more may be spent."""
        return self.budget.is_used_up(self.spent)


class Spending:
    """What prices replies, and tells whether an owner's budget of the day is used up.

    A day is one of UTC: servers of one database may stand in different zones. A reply that has
    begun goes on to its end, so that the budget may be passed by what runs at once.

    :param prices: tells what models cost.
    :param budget: returns what an owner may use in a day; asked each time, since it may change.
    :param clock: returns the time.
    """

    def __init__(
        self,
        store: Store,
        prices: Prices | None = None,
        budget: Callable[[], Budget] = Budget,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._prices = prices or NoPrices()
        self._budget = budget
        self._clock = clock

    @property
    def budget(self) -> Budget:
        """Return what an owner may use in a day."""
        return self._budget()

    @property
    def day(self) -> str:
        """Return the day that it is."""
        return day_of(self._clock())

    def prepare(self, model_id: str) -> None:
        """Begin to load what is needed to price a model's reply."""
        self._prices.prepare(model_id)

    async def price(self, model_id: str, usage: Usage | None) -> Cost | None:
        """Return what a part of a reply cost; None where nobody knows, or not soon."""
        if usage is None:
            return None
        return await price_of(self._prices, model_id, usage, PATIENCE)

    def price_at_once(self, model_id: str, usage: Usage | None) -> Cost | None:
        """Return the same, where that is not to be waited for.

        :raises LookupError: it is.
        """
        return None if usage is None else self._prices.cost_at_once(model_id, usage)

    def bill(self, owner: str, usage: Usage | None, cost: Cost | None) -> Bill | None:
        """Return what a part of a reply adds to what its owner spends today."""
        spent = spent_by(usage, cost)
        return Bill(owner, self.day, spent) if spent is not None else None

    async def charge(self, chat: Chat, model_id: str, usage: Usage | None) -> None:
        """Count what was used for a chat besides its replies."""
        bill = self.bill(chat.owner, usage, await self.price(model_id, usage))
        if bill is not None:
            await self._store.spending.add(chat.id, bill)

    async def today(self, owner: str) -> Today:
        """Return what an owner has spent today."""
        # Looked at once: while it is read, the next day may begin.
        now, budget = self._clock().astimezone(UTC), self.budget
        begun = now.replace(hour=0, minute=0, second=0, microsecond=0)
        day = day_of(now)
        spent = await self._store.spending.on(owner, day)
        return Today(day, spent, budget, written(begun + timedelta(days=1)))

    async def is_used_up(self, owner: str, *, soon: bool = False) -> bool:
        """Tell whether an owner's budget of the day is used up; where nobody knows, it is not.

        :param soon: it is not waited for longer than a reply's end may take.
        """
        if not self.budget:
            return False
        try:
            async with asyncio.timeout(PATIENCE if soon else None):
                return (await self.today(owner)).used_up
        except Exception as error:  # noqa: BLE001 - whatever it is, replies end and prompts go
            what = error.code if isinstance(error, StopChatError) else type(error).__name__
            log.warning("what was spent today cannot be read: %s", what)
            return False

    async def check(self, owner: str) -> None:
        """Refuse what would have a model asked once the budget of the day is used up.

        :raises StopChatError: `budget_spent`.
        """
        if await self.is_used_up(owner):
            raise StopChatError(ErrorCode.BUDGET_SPENT)


def usage_of(event: TokensUsed) -> Usage:
    """Return what a chat handler tells was used, without numbers that cannot be true."""
    numbers = asdict(event).items()
    return Usage(**{name: number for name, number in numbers if _can_be_true(number)})


def _can_be_true(number: object) -> bool:
    return not isinstance(number, int | float) or 0 <= number <= MOST_TOKENS
