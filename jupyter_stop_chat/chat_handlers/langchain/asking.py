"""What a chat model is asked besides its messages, and what is taken back if it refuses."""

from __future__ import annotations

import re
from typing import Any

from langchain_core.language_models import BaseChatModel

#: Where a model is told to think, by the names of LangChain's classes.
_THINKING = ("reasoning", "reasoning_effort", "thinking", "thinking_budget", "include_thoughts")
_CANNOT_THINK = re.compile(
    r"(does not|doesn't|not) support\w*\W.{0,40}(think|reason)|(think|reason)\S*.{0,60}"
    r"(not supported|unsupported|not available)|"
    r"(unsupported|unknown|invalid).{0,40}(think|reason)",
    re.IGNORECASE | re.DOTALL,
)


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


def think_no_more(model: BaseChatModel, error: BaseException) -> bool:
    """Ask a model no longer to think, if it says that it cannot; tell whether it was asked to."""
    if not _CANNOT_THINK.search(str(error)):
        return False
    asked = [name for name in _THINKING if getattr(model, name, None) not in (None, False)]
    for name in asked:
        setattr(model, name, None)
    return bool(asked)
