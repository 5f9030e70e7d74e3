"""What a person is told of a reply that did not come to its own end, in the sidebar's words."""

from __future__ import annotations

STOPPED = "Response stopped by the user"

#: By the reason of a stop's receipt.
_INTERRUPTED = {
    "user": STOPPED,
    "server_restart": "The server restarted",
    "server_gone": "The server went away",
    "server_shutdown": "The server shut down",
    "replaced": "Replaced by a newer prompt",
    "deleted": "The chat was deleted",
}
#: By the `FinishReason` of a message.
_ENDINGS = {
    "length": "Response cut at the model’s limit",
    "content_filter": "Response cut by the provider’s content filter",
    "refusal": "The model refused to answer",
    "cut_off": "The connection broke off before the response ended",
}
_ALL_THOUGHT = "The model’s limit was used up by thinking"
#: What can be done next.
_ADVICE = {
    "length": "Ask it to go on.",
    "content_filter": "Ask in other words.",
    "refusal": "Ask in other words.",
    "cut_off": "Ask it to go on, or ask again.",
}


def interruption(reason: str | None) -> str:
    """Say why a reply was interrupted; without a receipt nobody stopped it."""
    return _INTERRUPTED.get(reason or "", "Response interrupted")


def ending(reason: str | None, text: str) -> str:
    """Say why a reply with this text ended where it did, or nothing when that was its own end."""
    if reason == "length" and not text.strip():
        return _ALL_THOUGHT
    return _ENDINGS.get(reason or "", "")


def advice(reason: str | None, text: str) -> str:
    """Say that too, and what can be done about it."""
    said = ending(reason, text)
    if said == _ALL_THOUGHT:
        return f"{said}. Raise it, or ask for something shorter."
    return said and f"{said}. {_ADVICE[reason or '']}"
