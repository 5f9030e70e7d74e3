"""What providers call the end of a reply, in our words."""

from __future__ import annotations

from typing import Literal

from jupyter_stop_chat.wire.objects import FinishReason

#: `stop` is the reply's own end, `tool` a call that is to be answered, `error` a failure.
Ending = FinishReason | Literal["stop", "tool", "error"]

#: By a part of the provider's word, in lower case; the first that fits counts.
_BY_PART: tuple[tuple[str, Ending], ...] = (
    ("toxic", "content_filter"),
    ("rate_limit", "error"),
    ("ratelimit", "error"),
    ("quota", "error"),
    ("limit", "length"),
    ("length", "length"),
    ("max_", "length"),
    ("maxtoken", "length"),
    ("maximum", "length"),
    ("maxoutput", "length"),
    ("truncat", "length"),
    ("context_window", "length"),
    ("too_long", "length"),
    ("refus", "refusal"),
    ("filter", "content_filter"),
    ("safety", "content_filter"),
    ("unsafe", "content_filter"),
    ("prohibited", "content_filter"),
    ("blocklist", "content_filter"),
    ("blocked", "content_filter"),
    ("recitation", "content_filter"),
    ("sensitive", "content_filter"),
    ("spii", "content_filter"),
    ("guardrail", "content_filter"),
    ("moderation", "content_filter"),
    ("flagged", "content_filter"),
    ("policy", "content_filter"),
    ("violat", "content_filter"),
    ("error", "error"),
    ("insufficient", "error"),
    ("malformed", "error"),
    ("unavailable", "error"),
    ("timeout", "error"),
    ("failed", "error"),
    ("abort", "cut_off"),
    ("cancel", "cut_off"),
    ("interrupt", "cut_off"),
    ("disconnect", "cut_off"),
    ("incomplete", "cut_off"),
    ("tool", "tool"),
    ("function", "tool"),
)
#: What some servers write where they mean that there is no end yet.
_NONE = {
    "",
    "null",
    "none",
    "nil",
    "undefined",
    "unspecified",
    "finish_reason_unspecified",
    "not_finished",
    "in_progress",
    "generating",
    "streaming",
    "pending",
}


def ending_of(word: object) -> Ending | None:
    """Tell what a provider's word for the end means; None: it is none."""
    if not isinstance(word, str):
        return None
    said = word.strip().lower().replace("-", "_").replace(" ", "_")
    if said in _NONE:
        return None
    return next((ending for part, ending in _BY_PART if part in said), "stop")
