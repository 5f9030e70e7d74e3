"""The exchange of one reply with its tools: what the model called, and what it was answered."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolCallChunk,
    ToolMessage,
)
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.messages.utils import count_tokens_approximately

from jupyter_stop_chat.ports.handler import Event, Text
from jupyter_stop_chat.ports.tools import Gate, Tool, Wanted
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.usage import CHARACTERS_PER_TOKEN
from jupyter_stop_chat.wire.utf16 import whole_json

from .calls import answer_of, call_of, corrected, own_ids, read_object, shown_pictures

if TYPE_CHECKING:
    from .messages import Tally

#: So many chunks are kept before they are put together: each time costs as much as there is.
_TOGETHER = 256
#: What is told instead of an answer for which there is no room.
LEFT_OUT = "(Left out, as there is no room for it any more. Call the tool again if you need it.)"
#: The longest arguments of one answer, in characters: what is longer is read by nobody.
_LONGEST = 1024 * 1024
#: So many calls of one answer are read: each is a line of the reply.
_MOST_CALLS = 100
#: Longer ones are read in a thread, in characters.
_LONG = 16 * 1024
#: How a model says that it has no tools.
_NO_TOOLS = re.compile(
    r"(not|n't) support\w*\W.{0,40}(tool|function)|(tool|function)\S*.{0,60}"
    r"(not supported|unsupported|not available|not enabled)|support tool use|"
    r"enable-auto-tool-choice|(unsupported|unknown|unrecognized|invalid).{0,40}['\"`]?tools\b",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(slots=True)
class _Made:
    """A call of an answer that is coming, in pieces."""

    index: object
    call_id: str
    name: str
    args: list[str] = field(default_factory=list)


class Step:
    """One answer of the model, as it comes.

    :ivar length: of the arguments of its calls, in characters.
    """

    def __init__(self) -> None:
        self._chunks: list[AIMessageChunk] = []
        self._made: list[_Made] = []
        self.length = 0

    def begin(self) -> None:
        """Begin anew: what came of a request that failed is none of the answer."""
        self._chunks.clear()
        self._made.clear()
        self.length = 0

    def take(self, chunk: Any) -> None:
        """Take a chunk in, and the pieces of calls out of it.

        LangChain would put those together, and mend what was cut off into what it takes for valid
        arguments: where they are broken otherwise, that takes minutes.

        :raises StopChatError: `reply_too_long`, for arguments that nobody would read;
            `too_many_steps`, for calls that nobody would look at.
        """
        if isinstance(chunk, AIMessage) and not isinstance(chunk, AIMessageChunk):
            chunk = AIMessageChunk(**chunk.model_dump(exclude={"type"}))
        if not isinstance(chunk, AIMessageChunk):
            return
        for piece in chunk.tool_call_chunks:
            self._add(piece)
        chunk.tool_call_chunks, chunk.tool_calls, chunk.invalid_tool_calls = [], [], []
        self._chunks.append(chunk)
        if len(self._chunks) >= _TOGETHER:
            self._chunks = [self._sum()]

    def _add(self, piece: ToolCallChunk) -> None:
        index, call_id, args = piece["index"], piece["id"] or "", piece["args"] or ""
        self.length += len(args)
        if self.length > _LONGEST:
            raise StopChatError(ErrorCode.REPLY_TOO_LONG, "the arguments of a call")
        same = [
            each
            for each in self._made
            if index is not None and each.index == index and call_id in {"", each.call_id}
        ]
        if not same:
            if len(self._made) >= _MOST_CALLS:
                raise StopChatError(ErrorCode.TOO_MANY_STEPS, "calls at once")
            self._made.append(_Made(index, call_id, ""))
        made = (same or self._made)[-1]
        # Some write it in each piece.
        made.name = made.name or piece["name"] or ""
        made.args.append(args)

    def _sum(self) -> AIMessageChunk:
        first, *others = self._chunks
        return add_ai_message_chunks(first, *others)

    @property
    def is_odd(self) -> bool:
        """Tell whether arguments have come that are no JSON object."""
        return any(read_object("".join(each.args)) is None for each in self._made)

    def answer(
        self, *, whole: bool, taken: set[str] | None = None
    ) -> tuple[AIMessage, list[Wanted]] | None:
        """Return the answer as the model is told it, and its calls; None where it makes none.

        :param whole: it came to its own end, as the provider ends calls.
        :param taken: the ids of calls before it: providers take each once. These are added.
        """
        if not self._made:
            return None
        ids = own_ids([each.call_id for each in self._made], taken)
        wanted = [
            Wanted(call_id, each.name, "".join(each.args), whole)
            for call_id, each in zip(ids, self._made, strict=True)
        ]
        message = self._sum()
        calls = [call_of(each.call_id, each.name, each.args) for each in wanted]
        given = [each.call_id for each in self._made]
        told = AIMessage(
            content=corrected(whole_json(message.content), given, calls),
            additional_kwargs={
                name: value
                for name, value in message.additional_kwargs.items()
                if name not in {"tool_calls", "function_call"}
            },
            response_metadata=message.response_metadata,
            id=message.id,
            tool_calls=calls,
        )
        return told, wanted


class Exchange:
    """What one reply has called and was answered up to now, as its model is told it.

    :param gate: where calls are carried out.
    :ivar step: the answer that is coming.
    :ivar messages: what came before it in this reply.
    :ivar tally: what takes in that answer.
    """

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.step = Step()
        self.tally: Tally | None = None
        #: The ids of calls before the answer that is coming.
        self._taken: set[str] = set()
        self.messages: list[BaseMessage] = []
        #: Whether words were said, and whether those that come are to stand apart from them.
        self._said = self._apart = False
        self.definitions = [_definition(each) for each in gate.tools]
        self._size_of_definitions = len(json.dumps(self.definitions)) // CHARACTERS_PER_TOKEN

    @property
    def offers(self) -> bool:
        """Tell whether the model has tools."""
        return bool(self.definitions)

    def follows(self, told: Sequence[BaseMessage]) -> None:
        """Note what the model is told before what came of this reply."""
        self._taken.update(
            str(call["id"])
            for each in told
            if isinstance(each, AIMessage)
            for call in each.tool_calls
        )

    @property
    def size(self) -> int:
        """Estimate the tokens of all of it."""
        if not self.offers:
            return 0
        return self._size_of_definitions + count_tokens_approximately(self.messages)

    def ask(self) -> None:
        """Begin another answer.

        :raises StopChatError: `too_many_steps`.
        """
        self.step = Step()
        self._apart = self._said
        if self.offers:
            self._gate.step()

    def shorten(self) -> bool:
        """Leave out the older half of what tools answered; tell whether anything was left out.

        What was answered last is what the model waits for.
        """
        made = [at for at, each in enumerate(self.messages) if isinstance(each, AIMessage)]
        last = made[-1] if made else 0
        long = [
            at
            for at, each in enumerate(self.messages[:last])
            if isinstance(each, ToolMessage) and len(each.content) > len(LEFT_OUT)
        ]
        for at in long[: (len(long) + 1) // 2]:
            self.messages[at] = self.messages[at].model_copy(update={"content": LEFT_OUT})
        return bool(long)

    async def apart(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Pass an answer on, as a paragraph of its own behind the words of those before it."""
        async for event in events:
            if isinstance(event, Text) and event.text:
                if self._apart:
                    yield Text("\n\n")
                self._apart, self._said = False, True
            yield event

    async def goes_on(self, *, whole: bool) -> bool:
        """Have the calls of the answer carried out; tell whether the model is asked again.

        :param whole: it came to its own end, as the provider ends calls.
        """
        if not self.offers:
            return False
        make = partial(self.step.answer, whole=whole, taken=self._taken)
        # In a thread where it is long: all others would wait for it.
        answer = make() if self.step.length <= _LONG else await in_thread(make)
        if answer is None:
            return False
        message, wanted = answer
        results = await self._gate.run(wanted)
        self.messages.append(message)
        self.messages += [
            answer_of(each.call_id, result) for each, result in zip(wanted, results, strict=True)
        ]
        self.messages += shown_pictures([each for one in results for each in one.pictures])
        return whole


def bound(model: Any, definitions: Sequence[Mapping[str, Any]]) -> Any:
    """Return a model that is offered tools, with what it is called with besides."""
    inner, more = model, dict[str, Any]()
    while hasattr(inner, "bound") and hasattr(inner, "kwargs"):
        inner, more = inner.bound, {**inner.kwargs, **more}
    return inner.bind_tools(list(definitions), **more)


def uses_tools(model: Any) -> bool | None:
    """Tell whether a chat model can call tools, where LangChain's profile of it says so.

    It can be given as a parameter as well: `{"profile": {"tool_calling": true}}`.
    """
    if model is None or type(model).bind_tools is BaseChatModel.bind_tools:
        return False
    uses = (getattr(model, "profile", None) or {}).get("tool_calling")
    return uses if isinstance(uses, bool) else None


def refuses_tools(error: BaseException) -> bool:
    """Tell whether a model says that it has no tools."""
    return _NO_TOOLS.search(str(error)) is not None


def _definition(tool: Tool) -> dict[str, Any]:
    """Describe a tool as OpenAI does, which LangChain's models all read."""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
        },
    }
