"""Leave out the oldest turns of a history that does not fit a model.

In large steps: what is sent begins with the same message for many turns, so that a provider's
cache of the prompt's beginning stays of use. Nothing is remembered for that: the steps are made
anew from the beginning each time, and come out the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, trim_messages
from langchain_core.messages.utils import count_tokens_approximately

from .base import TurnMessage

#: Tokens are estimated, so this much of what a model takes is used.
USED = 0.8
#: What is left after a step, as a share of what is used.
LEFT = 0.5


def limit_of(model: Any) -> int | None:
    """Return how many tokens a chat model takes, where it is known.

    By LangChain's profile of the model, which can be given as a parameter
    (`{"profile": {"max_input_tokens": 8192}}`), or by `num_ctx` of an Ollama model.
    """
    profile = getattr(model, "profile", None) or {}
    limits = [profile.get("max_input_tokens"), getattr(model, "num_ctx", None)]
    known = [each for each in limits if isinstance(each, int) and each > 0]
    return min(known) if known else None


def size_of(messages: Sequence[TurnMessage]) -> int:
    """Estimate the tokens of a history."""
    return count_tokens_approximately(_told(messages))


def fitted(messages: Sequence[TurnMessage], most: float) -> Sequence[TurnMessage]:
    """Return the newest turns that fit.

    The prompt always stays: whether it fits by itself, only the provider knows.

    :param messages: roles alternate, the first and the last are the user's.
    :param most: how many tokens fit.
    """
    told = _told(messages)
    sizes = [count_tokens_approximately([each]) for each in told]
    start, size = 0, 0
    for at, each in enumerate(told):
        size += sizes[at]
        if size > most and isinstance(each, HumanMessage) and at > start:
            kept = trim_messages(
                told[start : at + 1],
                max_tokens=int(most * LEFT),
                token_counter=count_tokens_approximately,
                strategy="last",
                start_on="human",
            )
            start = at + 1 - max(1, len(kept))
            size = sum(sizes[start : at + 1])
    return messages[start:]


def _told(messages: Sequence[TurnMessage]) -> list[BaseMessage]:
    return [
        HumanMessage(message.text) if message.role == "user" else AIMessage(message.text)
        for message in messages
    ]
