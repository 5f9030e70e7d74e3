"""Follow an agent of LangGraph: its text, its tools, and what it leaves running."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, StructuredTool, Tool

from jupyter_stop_chat.ports.handler import Event, ToolEnded, ToolStarted, Turn

from .messages import Tally
from .runnables import has_async_stream, inner_parts

#: A tool's arguments and result are shown, not used: so many characters are enough.
_SHOWN = 4000


class AgentEvents:
    """The events of what `astream(stream_mode=["messages", "updates"])` yields."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._streamed: set[str] = set()
        self._running: set[str] = set()
        self._told: set[str] = set()

    def take(self, mode: str, payload: Any) -> Iterator[Event]:
        """Yield the events of one item."""
        if mode == "messages":
            yield from self._message(payload[0])
        elif mode == "updates" and isinstance(payload, Mapping):
            for update in payload.values():
                yield from self._update(update)

    def _message(self, message: BaseMessage) -> Iterator[Event]:
        if isinstance(message, AIMessage):
            if not isinstance(message, AIMessageChunk) and message.id in self._streamed:
                return
            if message.id:
                self._streamed.add(message.id)
            yield from self._tally.take(message, of=message.id)
        elif isinstance(message, ToolMessage):
            yield from self._ended(message)

    def _update(self, update: Any) -> Iterator[Event]:
        messages = update.get("messages") if isinstance(update, Mapping) else None
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, AIMessage):
                for call in message.tool_calls:
                    call_id = call["id"] or ""
                    if call_id not in self._told:
                        self._told.add(call_id)
                        self._running.add(call_id)
                        yield ToolStarted(call_id, call["name"], _shown(call["args"]))
            elif isinstance(message, ToolMessage):
                yield from self._ended(message)

    def _ended(self, message: ToolMessage) -> Iterator[Event]:
        if message.tool_call_id in self._running:
            self._running.discard(message.tool_call_id)
            failed = message.status == "error"
            yield ToolEnded(message.tool_call_id, _shown(message.content), failed)


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


class Parts:
    """What a runnable is made of, as far as a stop is concerned.

    :ivar models: its chat models.
    :ivar async_models: the class names of chat models that close with their stream.
    :ivar sync_tools: the names of tools that run in a thread; `in_threads`, these tools.
    :ivar async_tools: the names of tools that are coroutines, and end with their cancel.
    """

    def __init__(self, runnable: object) -> None:
        self.models: list[BaseChatModel] = []
        self.async_models: set[str] = set()
        self.sync_tools: set[str] = set()
        self.in_threads: list[BaseTool] = []
        self.async_tools: set[str] = set()
        sync_models: set[str] = set()
        for part in inner_parts(runnable):
            if isinstance(part, BaseChatModel):
                self.models.append(part)
                names = self.async_models if has_async_stream(part) else sync_models
                names.add(type(part).__name__)
            elif isinstance(part, BaseTool):
                (self.sync_tools if is_sync(part) else self.async_tools).add(part.name)
                if is_sync(part):
                    self.in_threads.append(part)
        self.async_models -= sync_models
        self.async_tools -= self.sync_tools


class Watch(AsyncCallbackHandler):
    """What looks at the stop flag between an agent's steps (S4), and sees what sync code it runs.

    The cancel may be lost in an agent's depths; the flag is not. What is raised here is raised
    where the step would have begun.
    """

    raise_error = True
    #: Inline, what is raised here would leave the other callbacks' coroutines never awaited.
    run_inline = False

    def __init__(self, turn: Turn, parts: Parts) -> None:
        self._turn = turn
        self._parts = parts
        self._tools: dict[UUID, str] = {}
        self._models: set[str] = set()

    @property
    def left_running(self) -> bool:
        """Tell whether sync code of a tool had begun and not ended: it runs on in a thread."""
        return any(name in self._parts.sync_tools for name in self._tools.values())

    @property
    def all_close(self) -> bool:
        """Tell whether all that was asked is known to close with its stream.

        A tool that was cancelled tells of no end: LangChain calls that no error of it. The graph's
        stream is closed once its tools' tasks have ended, so that a coroutine has ended then.
        """
        models_close = bool(self._models) and self._models <= self._parts.async_models
        return models_close and self._parts.async_tools.issuperset(self._tools.values())

    def _look(self) -> None:
        if self._turn.stopped:
            raise asyncio.CancelledError

    async def on_chat_model_start(
        self, serialized: dict[str, Any], messages: list[list[BaseMessage]], **kwargs: Any
    ) -> None:
        """Note which kind of model is asked, unless the reply was stopped."""
        path = (serialized or {}).get("id") or [""]
        self._models.add(str(path[-1]))
        self._look()

    async def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
        """Stop in the middle of a model's answer."""
        self._look()

    async def on_tool_start(
        self, serialized: dict[str, Any], input_str: str, *, run_id: UUID, **kwargs: Any
    ) -> None:
        """Note that a tool runs, unless the reply was stopped."""
        self._look()
        name = (serialized or {}).get("name") or kwargs.get("name") or ""
        self._tools[run_id] = str(name)

    async def on_tool_end(self, output: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Note that a tool ended."""
        self._tools.pop(run_id, None)

    async def on_tool_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Note that a tool failed."""
        self._tools.pop(run_id, None)


@asynccontextmanager
async def reported(turn: Turn, closes: Any, watch: Watch) -> AsyncIterator[None]:
    """Report how the provider stands once the stream inside is closed, however that came.

    :param closes: tells whether a closed stream means that nothing runs at the provider.
    """
    try:
        yield
    finally:
        if watch.left_running:
            turn.still_finishing()
        elif closes():
            turn.provider_closed()


def is_sync(tool: BaseTool) -> bool:
    """Tell whether a tool has only sync code, which is run in a thread."""
    if getattr(tool, "coroutine", None) is not None:
        return False
    return type(tool)._arun in (BaseTool._arun, StructuredTool._arun, Tool._arun)
