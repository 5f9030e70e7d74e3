"""LangChain chat models that follow a script, with every bad habit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

from jupyter_stop_chat.ports.handler import Reasoning, Text, TokensUsed, ToolStarted

from .handler import block, wait_at
from .steps import Block, Call, Endless, Flag, Gate, Raise, RefuseToClose, Script, SlowClean, Step


class Run:
    """What happened to one request.

    :ivar messages: what the model was given.
    :ivar made: how many chunks it made.
    :ivar cancels: how many times `CancelledError` arrived.
    """

    def __init__(self, messages: Sequence[BaseMessage]) -> None:
        self.messages = list(messages)
        self.made = 0
        self.cancels = 0
        #: Set when the model's code was left, whatever the reason.
        self.ended = Flag()
        self.clean_up: SlowClean | None = None
        self.refusal: RefuseToClose | None = None

    def count_cancel(self) -> None:
        """Note that a cancel arrived."""
        self.cancels += 1

    def chunk(self, step: Step) -> ChatGenerationChunk | None:
        """Do what needs no waiting; return the chunk that a step stands for, if it does.

        :raises BaseException: what a `Raise` step holds.
        """
        match step:
            case Block():
                block(step.ms)
            case Raise():
                raise step.error
            case Call():
                step.function(None)
            case SlowClean():
                self.clean_up = step
            case RefuseToClose():
                self.refusal = step
        message = _message(step)
        if message is None:
            return None
        self.made += 1
        return ChatGenerationChunk(message=message)


def _message(step: Step) -> AIMessageChunk | None:
    match step:
        case str():
            return AIMessageChunk(content=step)
        case Text(text) | Endless(text):
            return AIMessageChunk(content=text)
        case Reasoning(text):
            return AIMessageChunk(content="", additional_kwargs={"reasoning_content": text})
        case ToolStarted(call_id, name, args):
            part = tool_call_chunk(name=name, args=args or "{}", id=call_id, index=0)
            # As a provider says that its answer is whole.
            ended = {"finish_reason": "tool_calls"}
            return AIMessageChunk(content="", tool_call_chunks=[part], response_metadata=ended)
        case TokensUsed(sent, got, cached, written, thought):
            usage = UsageMetadata(
                input_tokens=sent or 0,
                output_tokens=got or 0,
                total_tokens=(sent or 0) + (got or 0),
                input_token_details={"cache_read": cached or 0, "cache_creation": written or 0},
                output_token_details={"reasoning": thought or 0},
            )
            return AIMessageChunk(content="", usage_metadata=usage)
    return None


class _Scripted(BaseChatModel):
    """A script and the record of what became of it.

    `script` serves every request for which `scripts` (one for each request) has none.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    script: Any = ("Hello.",)
    scripts: Any = ()
    runs: list[Any] = Field(default_factory=list)
    #: Set at each new request.
    asked: Flag = Field(default_factory=Flag)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Take tools, as an agent asks; the script says which are called."""
        return self

    def _begin(self, messages: Sequence[BaseMessage]) -> tuple[Run, Script]:
        run = Run(messages)
        number = len(self.runs)
        self.runs.append(run)
        self.asked.set()
        return run, self.scripts[number] if number < len(self.scripts) else self.script

    def _in_thread(self, messages: Sequence[BaseMessage]) -> Iterator[ChatGenerationChunk]:
        run, script = self._begin(messages)
        try:
            for step in script:
                if isinstance(step, Gate):
                    step.reached.set()
                    step.opened.wait_in_thread()
                while (chunk := run.chunk(step)) is not None:
                    yield chunk
                    if not isinstance(step, Endless):
                        break
        finally:
            if run.clean_up is not None:
                run.clean_up.gate.reached.set()
                run.clean_up.gate.opened.wait_in_thread()
            run.ended.set()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        chunks = list(self._in_thread(messages))
        if not chunks:
            return ChatResult(generations=[ChatGeneration(message=AIMessage(content=""))])
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole = whole + chunk
        said = whole.message
        assert isinstance(said, AIMessageChunk)
        message = AIMessage(
            content=said.content,
            tool_calls=said.tool_calls,
            usage_metadata=said.usage_metadata,
            additional_kwargs=said.additional_kwargs,
            response_metadata=said.response_metadata,
        )
        return ChatResult(generations=[ChatGeneration(message=message)])


class GenerateOnlyModel(_Scripted):
    """A model that answers all at once, from sync code; nothing can stop it."""


class SyncScriptedModel(_Scripted):
    """A model that streams from sync code only."""

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        yield from self._in_thread(messages)


class ScriptedModel(_Scripted):
    """A model that streams from async code."""

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        run, script = self._begin(messages)
        try:
            for step in script:
                if isinstance(step, Gate):
                    await wait_at(step, run.count_cancel)
                while (chunk := run.chunk(step)) is not None:
                    yield chunk
                    if not isinstance(step, Endless):
                        break
                    if step.polite:
                        await asyncio.sleep(0)
        except GeneratorExit:
            if run.refusal is not None:
                yield ChatGenerationChunk(message=AIMessageChunk(content=run.refusal.text))
            raise
        finally:
            if run.clean_up is not None:
                await wait_at(run.clean_up.gate, run.count_cancel)
            run.ended.set()


def tool_args(**args: Any) -> str:
    """Write the arguments of a tool call for a `ToolStarted` step."""
    return json.dumps(args)
