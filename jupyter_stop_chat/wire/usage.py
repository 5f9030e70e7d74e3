"""Tokens: how they are added up, and how they are estimated where nobody counted."""

from __future__ import annotations

from .objects import Usage

#: Characters a token, where the provider did not count: the rule of thumb that OpenAI gives
#: for English text.
CHARACTERS_PER_TOKEN = 4


def tokens(length: int) -> int:
    """Estimate the tokens of a text by its length, in UTF-16 code units."""
    return max(1, round(length / CHARACTERS_PER_TOKEN))


def total(before: Usage | None, more: Usage | None) -> Usage | None:
    """Add up what two parts of a reply used; what one of them does not tell is not counted."""
    if before is None or more is None:
        return before or more
    return Usage(
        input_tokens=_sum(before.input_tokens, more.input_tokens),
        output_tokens=_sum(before.output_tokens, more.output_tokens),
        estimated=before.estimated or more.estimated,
        sent_from=more.sent_from or before.sent_from,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return one if other is None else other
    return one + other
