"""Read how much a model takes, and how much it was sent, out of the words that refuse it."""
# ruff: noqa: E501 - a turn of a sentence is read in one line

from __future__ import annotations

import re

from .answers import answer_of, causes

_N = r"(\d[\d,]*)"
_LIMITS = [
    re.compile(turn, re.IGNORECASE | re.DOTALL)
    for turn in (
        rf"> {_N}(?: tokens?)? max",
        r"\[\d+, (\d+)\]",
        rf"\bn_ctx:? {_N}",
        rf"with {_N} maximum context",
        rf"maximum (?:context |prompt |model )?(?:length|window)(?: is| of|:)? {_N}",
        rf"context (?:length|window|size|limit)(?: is| of|:)?(?: only)? \(?{_N}",
        rf"window limit \({_N}\)",
        rf"(?:must be <=|cannot exceed|must have less than|limit is) (?:the total tokens limit )?{_N}",
        rf"maximum number of tokens allowed \({_N}\)",
        rf"(?:token )?limit(?: of|:)? {_N}",
        rf"max(?:imum)? (?:input tokens|size|length|_?seq_?len)(?: is| of|:)? {_N}",
        rf"max_(?:seq|model)_len (?:of |= ?)?{_N}",
    )
]
_SENT = [
    re.compile(turn, re.IGNORECASE | re.DOTALL)
    for turn in (
        rf"{_N}(?: tokens?)? > [\d,]+(?: tokens?)? max",
        rf"n_prompt_tokens:? {_N}",
        rf"(?:contains|resulted in|passed|requested(?: about)?|received|given:|requested:) {_N}",
        rf"\((?:length )?{_N}(?: tokens)?\)(?: is longer| exceeds)",
        rf"token count(?: of|:)? \(?{_N}",
        rf"prompt length {_N}|keep the first {_N}|number of input tokens {_N}",
    )
]


def limit_in(error: BaseException) -> tuple[int | None, int | None]:
    """Return how many tokens a model takes, and how many it counted, as far as it says so."""
    text = "\n".join(answer_of(each).text for each in causes(error))
    limit, sent = _first(_LIMITS, text), _first(_SENT, text)
    return limit, sent if limit is not None and sent is not None and sent > limit else None


def _first(turns: list[re.Pattern[str]], text: str) -> int | None:
    for turn in turns:
        found = turn.search(text)
        if found is not None:
            number = next((each for each in found.groups() if each), "")
            tokens = int(number.replace(",", "") or 0)
            if 16 <= tokens <= 100_000_000:
                return tokens
    return None
