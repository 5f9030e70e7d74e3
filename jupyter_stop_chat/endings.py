"""What a person is told of a reply that did not come to its own end."""

from __future__ import annotations

STOPPED = "Response stopped by the user"

#: By the `FinishReason` of a message.
ENDINGS = {
    "length": "The reply was cut at the model's limit.",
    "content_filter": "The provider's filter ended the reply.",
    "refusal": "The model refused to answer.",
    "cut_off": "The reply broke off before its end.",
}
#: What can be done next.
ADVICE = {
    "length": "Ask it to go on.",
    "content_filter": "Ask in other words.",
    "refusal": "Ask in other words.",
    "cut_off": "Ask it to go on, or ask again.",
}
