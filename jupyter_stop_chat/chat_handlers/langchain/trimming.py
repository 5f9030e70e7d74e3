"""Leave out the oldest turns of a history that does not fit a model.

In large steps: what is sent begins with the same message for many turns, so that a provider's
cache of the prompt's beginning stays of use. Nothing is remembered for that: the steps are made
anew from the beginning each time, and come out the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.utils import count_tokens_approximately

from jupyter_stop_chat.chat_handlers.provider_errors import limit_in
from jupyter_stop_chat.local_model.history import first_kept
from jupyter_stop_chat.ports.handler import TurnMessage

from .calls import size_of_calls

#: Tokens are estimated, so this much of what a model takes is used.
USED = 0.8
#: So often a history that is too long is tried, shorter each time; the last is the prompt alone.
TRIES = 6


def limit_of(model: Any) -> int | None:
    """Return how many tokens a chat model takes, where it is known.

    By LangChain's profile of the model, which can be given as a parameter
    (`{"profile": {"max_input_tokens": 8192}}`), or by `num_ctx` of an Ollama model.
    """
    profile = getattr(model, "profile", None) or {}
    limits = [profile.get("max_input_tokens"), getattr(model, "num_ctx", None)]
    known = [each for each in limits if isinstance(each, int) and each > 0]
    return min(known) if known else None


def size_of(messages: Sequence[TurnMessage], system: str | None = None) -> int:
    """Estimate the tokens of a history, and of the instructions before it."""
    before = [] if system is None else [SystemMessage(system)]
    return count_tokens_approximately([*before, *_told(messages)]) + sum(map(_beside, messages))


def room_after(error: BaseException, sent: float, whole: float, tries_left: int) -> float:
    """Tell how many tokens to send after a history was refused as too long.

    :param error: the refusal; many say how much is taken, and how much they counted.
    :param sent: how much was sent, as it is estimated.
    :param whole: how much the whole history is.
    :param tries_left: the fewer, the larger the step.
    """
    refused = TRIES - tries_left
    limit, counted = limit_in(error)
    if refused == 1 and limit is not None:
        if counted is not None:
            # It counts otherwise than we do: what counts is its own proportion.
            return sent * limit / counted * USED
        if limit * USED < sent:
            return limit * USED
    # It says nothing, or its words did not help.
    step = whole / (2**refused if refused <= TRIES // 2 else 4**refused)
    return step if step < sent else sent / 2


def fitted(
    messages: Sequence[TurnMessage], most: float, system: str | None = None
) -> Sequence[TurnMessage]:
    """Return the newest turns that fit beside the instructions.

    The prompt always stays: whether it fits by itself, only the provider knows.

    :param messages: roles alternate, the first and the last are the user's.
    :param most: how many tokens fit.
    """
    words = [count_tokens_approximately([each]) for each in _told(messages)]
    sizes = [size + _beside(each) for size, each in zip(words, messages, strict=True)]
    turns = [at for at, each in enumerate(messages) if each.role == "user"]
    most -= size_of((), system)
    return messages[first_kept(sizes, turns, most) :]


def _beside(message: TurnMessage) -> int:
    """Estimate the tokens of a message's pictures, and of its tool calls."""
    seen = sum(each.picture.tokens for each in message.pictures)
    return seen + size_of_calls(message.calls)


def _told(messages: Sequence[TurnMessage]) -> list[BaseMessage]:
    return [
        HumanMessage(message.text) if message.role == "user" else AIMessage(message.text)
        for message in messages
    ]
