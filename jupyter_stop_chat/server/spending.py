"""The HTTP route of what a person used today, and may use."""

from __future__ import annotations

from jupyter_stop_chat.wire.http import SpentToday

from .base import StopChatHandler
from .openapi import Operation


class SpendingHandler(StopChatHandler):
    """The handler of `spending`."""

    @Operation("get_spending", "read", SpentToday)
    async def get(self) -> None:
        """Return the tokens and the money that you used today, and may use."""
        today = await (await self.services()).engine.spending.today(self.owner)
        self.answer(
            SpentToday(
                day=today.day,
                spent=today.spent,
                max_cost=today.budget.cost or None,
                max_tokens=today.budget.tokens or None,
                begins_anew=today.begins_anew,
                used_up=today.used_up,
            )
        )
