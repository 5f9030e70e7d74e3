"""What a chat model is asked besides its messages, and what is taken back if it refuses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

#: Where a model is told to think, by the names of LangChain's classes.
_THINKING = ("reasoning", "reasoning_effort", "thinking", "thinking_budget", "include_thoughts")
_CANNOT_THINK = re.compile(
    r"(does not|doesn't|not) support\w*\W.{0,40}(think|reason)|(think|reason)\S*.{0,60}"
    r"(not supported|unsupported|not available)|"
    r"(unsupported|unknown|invalid).{0,40}(think|reason)",
    re.IGNORECASE | re.DOTALL,
)
#: How models refuse a message whose role they do not have.
_NO_SYSTEM = re.compile(
    r"(developer|system)\W{0,3}\s*(instruction|prompt|message|role)\w*.{0,60}"
    r"(not (supported|enabled|allowed|available)|unsupported)|"
    r"(not support|unsupported|unknown|unexpected|invalid)\w*.{0,60}(\brole\b.{0,20})?"
    r"['\"`]?(developer|system)\b|['\"`](developer|system)['\"`] is not\b.{0,20}\brole|"
    # Of chat templates: roles that alternate are all that we send besides.
    r"only user and assistant roles|roles must alternate",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks that a model may refuse, whatever a reply beside it is refused then.

    :ivar thinking: by what the model is told to think.
    :ivar role: it is told its instructions in a role of their own.
    :ivar limit: it is told how much to write.
    """

    thinking: list[str]
    role: bool
    limit: bool

    @classmethod
    def of(cls, model: object, messages: list[BaseMessage], *, limit: bool) -> Asked:
        """Tell what a request asks now."""
        thinking = [name for name in _THINKING if getattr(model, name, None) not in (None, False)]
        return cls(thinking, isinstance(messages[0], SystemMessage), limit)


def without_role(messages: list[BaseMessage]) -> list[BaseMessage]:
    """Put the instructions in front of the first prompt, for a model without a role for them."""
    if len(messages) < 2 or not isinstance(messages[0], SystemMessage):
        return messages
    system, first, *others = messages
    return [HumanMessage(f"{system.content}\n\n{first.content}"), *others]


def refuses_role(error: BaseException) -> bool:
    """Tell whether a model says that it has no role for instructions."""
    return _NO_SYSTEM.search(str(error)) is not None


def limited(model: BaseChatModel, tokens: int) -> tuple[BaseChatModel, dict[str, Any]]:
    """Limit how much a model writes: return the model to ask, and what to ask it with."""
    names = {kind.__name__ for kind in type(model).__mro__}
    if "ChatOllama" in names:
        return model.model_copy(update={"num_predict": tokens}), {}
    elsewhere = "ChatOpenAI" in names and getattr(model, "openai_api_base", None)
    if elsewhere and not getattr(model, "use_responses_api", None):
        # Servers that speak as OpenAI does know the older name, and not all the newer one.
        body = getattr(model, "extra_body", None) or {}
        return model, {"extra_body": {**body, "max_tokens": tokens}}
    if "ChatGoogleGenerativeAI" in names:
        return model, {"max_output_tokens": tokens}
    return model, {"max_tokens": tokens}


def think_no_more(model: BaseChatModel, error: BaseException, asked: Asked) -> bool:
    """Ask a model no longer to think, if it says that it cannot; tell whether it was asked to."""
    if not _CANNOT_THINK.search(str(error)):
        return False
    for name in asked.thinking:
        setattr(model, name, None)
    return bool(asked.thinking)
