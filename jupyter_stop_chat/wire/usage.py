"""Tokens: how they are added up, and how they are estimated where nobody counted."""

from __future__ import annotations

from .objects import Cost, Spent, Usage

#: Characters a token, where the provider did not count: the rule of thumb that OpenAI gives
#: for English text.
CHARACTERS_PER_TOKEN = 4
#: What is added up number by number.
_NUMBERS = (
    *("input_tokens", "output_tokens"),
    *("cache_read_tokens", "cache_write_tokens", "reasoning_tokens"),
)


def tokens(length: int) -> int:
    """Estimate the tokens of a text by its length, in UTF-16 code units."""
    return max(1, round(length / CHARACTERS_PER_TOKEN))


def total(before: Usage | None, more: Usage | None) -> Usage | None:
    """Add up what two parts of a reply used; what one of them does not tell is not counted."""
    if before is None or more is None:
        return before or more
    return Usage(
        **{name: _sum(getattr(before, name), getattr(more, name)) for name in _NUMBERS},
        estimated=before.estimated or more.estimated,
        sent_from=more.sent_from or before.sent_from,
    )


def total_cost(before: Cost | None, more: Cost | None) -> Cost | None:
    """Add up what two parts of a reply cost; a part whose price is unknown makes it a guess."""
    if before is None and more is None:
        return None
    if before is None or more is None:
        known = before or more
        assert known is not None
        return known.model_copy(update={"estimated": True})
    return Cost(amount=before.amount + more.amount, estimated=before.estimated or more.estimated)


def spent_by(usage: Usage | None, cost: Cost | None) -> Spent | None:
    """Return what a part of a reply adds to what was spent; None where it used nothing."""
    read, made = (usage.input_tokens or 0, usage.output_tokens or 0) if usage else (0, 0)
    if usage is None or not read + made:
        return None
    return Spent(
        input_tokens=read,
        output_tokens=made,
        cost=cost.amount if cost is not None else 0,
        estimated=usage.estimated or (cost is not None and cost.estimated),
        unpriced=cost is None,
    )


def together(before: Spent | None, more: Spent | None) -> Spent | None:
    """Add up what was spent."""
    if before is None or more is None:
        return before or more
    return Spent(
        input_tokens=before.input_tokens + more.input_tokens,
        output_tokens=before.output_tokens + more.output_tokens,
        cost=before.cost + more.cost,
        estimated=before.estimated or more.estimated,
        unpriced=before.unpriced or more.unpriced,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
