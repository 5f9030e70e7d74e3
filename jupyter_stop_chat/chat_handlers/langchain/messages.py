"""Between our words and LangChain's: the history one way, chunks the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from jupyter_stop_chat.chat_handlers.hearing import Hearing, ProviderFault
from jupyter_stop_chat.chat_handlers.hearing.endings import Ending, ending_of
from jupyter_stop_chat.chat_handlers.hearing.hearing import number_of
from jupyter_stop_chat.ports.handler import (
    Event,
    Finished,
    Reasoning,
    Text,
    TokensUsed,
    TurnMessage,
    WasThought,
)
from jupyter_stop_chat.ports.thoughts import Thoughts
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

from .calls import told_reply

#: How a partial reply is gone on with: the provider writes on behind a trailing message of the
#: assistant (`prefill`), or is told to in a message of the user (`instruction`).
Continuing = Literal["prefill", "instruction"]

#: By the name of a chat model's class, or of one that it derives from.
CONTINUING: dict[str, Continuing] = {"ChatAnthropic": "prefill", "ChatOllama": "prefill"}

INSTRUCTION = (
    "Your last message was cut off. Go on with it exactly where it ends: begin with the very next "
    "character, repeat nothing of it, and add no remark about going on."
)


#: The same for one that ended in calls of tools.
STOPPED = "(I was stopped here.)"
GO_ON = "Go on with what you were doing, from where you were stopped."


def history(
    messages: Sequence[TurnMessage],
    prefix: str = "",
    how: Continuing = "instruction",
    *,
    system: str | None = None,
    pictures: Mapping[str, str] = MappingProxyType({}),
    calls: Sequence[Told] = (),
) -> list[BaseMessage]:
    """Turn a history into LangChain's messages.

    :param prefix: the partial reply to go on from; for `prefill`, without white space at its end,
        which Anthropic refuses.
    :param system: the instructions that go before it.
    :param pictures: those of it that are sent, as base64, by their digests.
    :param calls: the tool calls of the partial reply.
    """
    told: list[BaseMessage] = [] if system is None else [SystemMessage(system)]
    taken: set[str] = set()
    for message in messages:
        if message.role == "user":
            told.append(HumanMessage(_content(message, pictures)))
        elif message.calls:
            told += told_reply(message, taken)
        else:
            told.append(AIMessage(message.text))
    if calls:
        told += told_reply(TurnMessage("assistant", prefix, calls=tuple(calls)), taken)
    elif prefix:
        told.append(AIMessage(prefix))
    if told and isinstance(told[-1], ToolMessage):
        # After its answers an assistant has a word, for some providers.
        told += [AIMessage(STOPPED), HumanMessage(GO_ON)]
    elif (prefix or calls) and how == "instruction":
        told.append(HumanMessage(INSTRUCTION))
    return told


def _content(
    message: TurnMessage, pictures: Mapping[str, str]
) -> str | list[str | dict[str, Any]]:
    """Return a prompt's words, and before them its pictures as LangChain's standard blocks."""
    seen: list[str | dict[str, Any]] = [
        {
            "type": "image",
            "base64": pictures[each.picture.digest],
            "mime_type": each.picture.mime_type,
        }
        for each in message.pictures
        if each.picture.digest in pictures
    ]
    return [*seen, {"type": "text", "text": message.text}] if seen else message.text


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
    """What takes in the chunks of one reply: what it says, what it used, and how it ended.

    What was heard on the wire counts; where nothing was, what the chunks say.

    :param hearing: what is heard on the wire.
    :param unopened: what ends the thought with which the model's replies begin, which nothing
        opens; empty where they begin with none.
    :param continued: there is a partial reply before it, which is behind its thought.
    """

    def __init__(self, hearing: Hearing, *, unopened: str = "", continued: bool = False) -> None:
        self._hearing = hearing
        self._unopened = unopened
        self._continued = continued
        self._thoughts: dict[str | None, Thoughts] = {}
        self._used: dict[str | None, tuple[int, ...]] = {}
        self._ending: Ending | None = None
        self._asked_for_tool = False
        self._answered = False
        self._thought = False

    def begin(self) -> None:
        """Begin a request."""
        self._thoughts.clear()

    def take(self, chunk: BaseMessage | str, *, of: str | None = None) -> Iterable[Event]:
        """Tell what a message, a chunk of one, or a piece of text adds to the reply.

        :param of: which message it belongs to, where a reply is made of several.
        """
        text = _only_text(chunk)
        if text and of in self._thoughts and not self._hearing.has_news:
            # As nearly all are: each word costs as little as it can.
            if self._thoughts[of].is_over:
                self._answered = True
                return (Text(text),)
            return self._noted(self._thoughts[of].feed(text))
        return self._take(chunk, of)

    def _take(self, chunk: BaseMessage | str, of: str | None) -> Iterator[Event]:
        yield from self._noted(self._hearing.take())
        if isinstance(chunk, str):
            found: Iterator[Event] = iter([Text(chunk)] if chunk else [])
        else:
            self._add(chunk, of)
            found = events(chunk)
        for event in found:
            if isinstance(event, Text):
                thoughts = self._thoughts_of(of)
                yield from self._noted(thoughts.feed(event.text))
            elif not (isinstance(event, Reasoning) and self._hearing.thought):
                yield from self._noted([event])

    def end(self) -> Iterator[Event]:
        """Yield what is still held back, at the end of a request.

        :raises ProviderFault: when the stream broke off before it said anything.
        """
        yield from self._noted(self._hearing.take())
        last = self._hearing.last
        ending = self._ending if last is None else last.ending
        complete = ending in _OWN_END and not (last is not None and last.broke_off)
        for thoughts in self._thoughts.values():
            yield from self._noted(thoughts.end(complete=complete))
        if last is not None and last.broke_off and not (self._answered or self._thought):
            raise ProviderFault({"code": 502, "message": "the stream ended before its first word"})

    @property
    def unopened(self) -> str:
        """Return what ends a thought of this model that nothing opens; empty where none is."""
        if self._continued:
            return self._unopened
        return next((each.unopened for each in self._thoughts.values() if each.unopened), "")

    @property
    def came_whole(self) -> bool:
        """Tell whether the answer came to its own end, as its provider ends calls of tools (N16).

        Where nothing says so, it did not: what was cut off may look whole.
        """
        last = self._hearing.last
        if last is None:
            return self._ending in _CALLS_END
        return last.ending in _CALLS_END and last.sure and not last.broke_off

    def _thoughts_of(self, of: str | None) -> Thoughts:
        if of not in self._thoughts:
            # Where thoughts come apart, what comes as text is none.
            none = self._continued or self._hearing.thought
            self._thoughts[of] = Thoughts(unopened="" if none else self._unopened)
        return self._thoughts[of]

    def _noted(self, found: Iterable[Event]) -> Iterator[Event]:
        for event in found:
            self._answered = self._answered or isinstance(event, Text)
            self._thought = self._thought or isinstance(event, Reasoning | WasThought)
            if isinstance(event, WasThought) and len(self._thoughts) == 1:
                self._answered = False
            yield event

    def _add(self, message: BaseMessage, of: str | None) -> None:
        usage = getattr(message, "usage_metadata", None)
        if usage:
            # A running total, or each number once: the most of it is what one request used.
            before, now = self._used.get(of, NOT_COUNTED), _counted(usage)
            self._used[of] = tuple(map(max, before, now))
        if getattr(message, "tool_call_chunks", None) or getattr(message, "tool_calls", None):
            self._asked_for_tool = True
        if message.additional_kwargs.get("function_call"):
            self._asked_for_tool = True
        said = message.response_metadata
        details = said.get("incomplete_details")
        words = [
            said.get(name)
            for name in ("finish_reason", "stop_reason", "done_reason", "stopReason")
        ]
        words.append(details.get("reason") if isinstance(details, Mapping) else None)
        for word in words:
            self._ending = ending_of(word) or self._ending

    def usage(self) -> TokensUsed | None:
        """Return what the provider counted, if it did."""
        heard = self._hearing.usage()
        if heard is not None or not self._used:
            return heard
        used = [sum(each) for each in zip(*self._used.values(), strict=True)]
        return TokensUsed(*(each or None for each in used)) if any(used[:2]) else None

    def broke(self) -> Finished | None:
        """Tell whether the connection broke in the middle of the reply."""
        answers = self._hearing.answers
        broke = bool(answers) and answers[-1].broke
        return Finished("cut_off") if broke and (self._answered or self._thought) else None

    def endings(self, *, agent: bool) -> Iterator[Event]:
        """Yield what the reply used, and how it ended, where that was not its own end.

        :param agent: who asks also answers calls of tools.
        :raises StopChatError: `content_filtered`, `unoffered_tool` or `provider_failed`, when that
            is why there is no reply.
        """
        if (usage := self.usage()) is not None:
            yield usage
        last = self._hearing.last
        ending = self._ending
        if last is not None:
            ending = "cut_off" if last.broke_off else last.ending
        said = self._answered or self._continued
        if ending in {"content_filter", "refusal"} and not said:
            raise StopChatError(ErrorCode.CONTENT_FILTERED, f"ended with {ending}")
        if ending == "error":
            raise StopChatError(ErrorCode.PROVIDER_FAILED, "ended with an error")
        if self._asked_for_tool and not agent and not said and ending in _OWN_END:
            raise StopChatError(ErrorCode.UNOFFERED_TOOL)
        if ending in {"length", "content_filter", "refusal", "cut_off"}:
            yield Finished(ending)


#: What was used of each kind, in the order of `TokensUsed`, where nothing was counted.
NOT_COUNTED = (0, 0, 0, 0, 0)


def _counted(usage: Mapping[str, Any]) -> tuple[int, ...]:
    """Take what a provider counted out of what LangChain made of it."""
    details = (usage.get("input_token_details"), usage.get("output_token_details"))
    read, made = (each if isinstance(each, Mapping) else {} for each in details)
    # Where those are told that are kept for a while, the plain number is none.
    written = ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    return (
        number_of(usage.get("input_tokens")),
        number_of(usage.get("output_tokens")),
        number_of(read.get("cache_read")),
        sum(max(0, number_of(read.get(name))) for name in written),
        number_of(made.get("reasoning")),
    )


def _only_text(chunk: BaseMessage | str) -> str:
    """Return the text of a chunk that has nothing else; empty where it has, or may have."""
    if type(chunk) is not AIMessageChunk or not isinstance(chunk.content, str):
        return ""
    if chunk.usage_metadata or chunk.tool_call_chunks or chunk.tool_calls:
        return ""
    if chunk.additional_kwargs or chunk.response_metadata.keys() - _WHOSE:
        return ""
    return chunk.content


#: What each chunk says of itself, and which says nothing.
_WHOSE = {"model_provider"}
_OWN_END = {None, "stop", "tool"}
#: How providers end an answer that calls tools: some have a word for that, others for any end.
_CALLS_END = {"stop", "tool"}
