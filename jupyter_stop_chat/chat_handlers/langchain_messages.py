"""Between our words and LangChain's: the history one way, chunks the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from jupyter_stop_chat.errors import ErrorCode, StopChatError

from .base import Event, Reasoning, Text, TokensUsed, TurnMessage

#: How a partial reply is gone on with: the provider writes on behind a trailing message of the
#: assistant (`prefill`), or is told to in a message of the user (`instruction`).
Continuing = Literal["prefill", "instruction"]

#: By the name of a chat model's class, or of one that it derives from.
CONTINUING: dict[str, Continuing] = {"ChatAnthropic": "prefill", "ChatOllama": "prefill"}

INSTRUCTION = (
    "Your last message was cut off. Go on with it exactly where it ends: begin with the very next "
    "character, repeat nothing of it, and add no remark about going on."
)

_FILTERED = {"content_filter", "refusal", "safety", "prohibited_content", "blocklist"}


def history(
    messages: Sequence[TurnMessage], prefix: str = "", how: Continuing = "instruction"
) -> list[BaseMessage]:
    """Turn a history into LangChain's messages.

    :param prefix: the partial reply to go on from; for `prefill`, without white space at its end,
        which Anthropic refuses.
    """
    told: list[BaseMessage] = [
        HumanMessage(message.text) if message.role == "user" else AIMessage(message.text)
        for message in messages
    ]
    if prefix:
        told.append(AIMessage(prefix))
        if how == "instruction":
            told.append(HumanMessage(INSTRUCTION))
    return told


def continuing(model: object) -> Continuing:
    """Tell how a chat model goes on from a partial reply."""
    for kind in type(model).__mro__:
        if kind.__name__ in CONTINUING:
            return CONTINUING[kind.__name__]
    return "instruction"


def events(message: BaseMessage) -> Iterator[Event]:
    """Yield what a message or a chunk of one adds to the reply: text and reasoning."""
    thought = message.additional_kwargs.get("reasoning_content")
    if isinstance(thought, str) and thought:
        yield Reasoning(thought)
    content: object = message.content
    for block in [content] if isinstance(content, str) else message.content:
        yield from _block_events(block)


def _block_events(block: str | Mapping[str, Any]) -> Iterator[Event]:
    if isinstance(block, str):
        if block:
            yield Text(block)
        return
    match block.get("type"):
        case "text" | "output_text" | "text_delta":
            text = block.get("text")
            if isinstance(text, str) and text:
                yield Text(text)
        case "thinking":
            yield from _thoughts([block.get("thinking")])
        case "reasoning":
            yield from _thoughts([block.get("reasoning"), block.get("text")])
            for part in block.get("summary") or ():
                if isinstance(part, Mapping):
                    yield from _thoughts([part.get("text")])
        case "reasoning_content":
            inner = block.get("reasoning_content")
            yield from _thoughts([inner.get("text") if isinstance(inner, Mapping) else inner])


def _thoughts(candidates: Sequence[object]) -> Iterator[Event]:
    for text in candidates:
        if isinstance(text, str) and text:
            yield Reasoning(text)


class Tally:
    """Add up what the chunks of a reply say besides their text."""

    def __init__(self) -> None:
        self._input: int | None = None
        self._output: int | None = None
        self._filtered = ""

    def add(self, message: BaseMessage) -> None:
        """Take in the usage and the ending of a chunk."""
        usage = getattr(message, "usage_metadata", None)
        if usage:
            self._input = (self._input or 0) + int(usage.get("input_tokens") or 0)
            self._output = (self._output or 0) + int(usage.get("output_tokens") or 0)
        said = message.response_metadata
        details = said.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else None
        for ending in (said.get("finish_reason"), said.get("stop_reason"), reason):
            if isinstance(ending, str) and ending.lower() in _FILTERED:
                self._filtered = ending

    def usage(self) -> TokensUsed | None:
        """Return what the provider counted, if it did."""
        if self._input is None and self._output is None:
            return None
        return TokensUsed(self._input, self._output)

    def check(self) -> None:
        """Tell a reply that the provider's filter ended from one that came to its end.

        :raises StopChatError: `content_filtered`.
        """
        if self._filtered:
            raise StopChatError(ErrorCode.CONTENT_FILTERED, f"ended with {self._filtered}")
