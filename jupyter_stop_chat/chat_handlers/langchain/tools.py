"""A tool of LangChain's as one of ours: what it may do is asked for, and Stop ends it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial, wraps
from typing import Any

from langchain_core.tools import BaseTool, ToolException
from pydantic import ValidationError

from jupyter_stop_chat.ports.tools import Call, Tool, ToolError, ToolResult
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.codec import first_wrong
from jupyter_stop_chat.wire.tools import Touches

from .agents import is_sync


def as_tool(tool: BaseTool, touches: Touches) -> Tool:
    """Make a tool for chats of one of LangChain's.

    :param touches: what it does: `reads` needs nobody's word; for `edits` and `runs` people are
        asked. What it does besides is neither undone nor written down.
    """
    schema: Any = tool.tool_call_schema
    return Tool(
        name=tool.name,
        description=tool.description,
        parameters=schema if isinstance(schema, dict) else schema.model_json_schema(),
        touches=touches,
        run=partial(_run, tool),
    )


async def _run(tool: BaseTool, call: Call, args: Mapping[str, Any]) -> ToolResult:
    asked = {"type": "tool_call", "id": call.call_id, "name": tool.name, "args": dict(args)}
    ours = _looking(tool, call)
    try:
        if is_sync(tool):
            answer = await call.in_thread(partial(ours.invoke, asked))
        else:
            call.begin()
            answer = await ours.ainvoke(asked)
    except ToolException as error:
        raise ToolError(str(error)) from error
    except ValidationError as error:
        raise ToolError(f"The arguments do not fit the tool: {first_wrong(error)}") from error
    content = getattr(answer, "content", answer)
    failed = getattr(answer, "status", None) == "error"
    if not isinstance(content, str):
        # In a thread: it may be long.
        write = partial(json.dumps, content, ensure_ascii=False, default=str)
        content = await in_thread(write)
    return ToolResult(content, failed)


def _looking(tool: BaseTool, call: Call) -> BaseTool:
    """Return a copy of a tool that looks for a stop as the first thing that it does.

    LangChain does much before it comes to that, and in tasks of its own.
    """
    ours = tool.model_copy()
    run, arun = ours._run, ours._arun

    @wraps(run)
    def look_and_run(*args: Any, **kwargs: Any) -> Any:
        call.begin()
        return run(*args, **kwargs)

    @wraps(arun)
    async def look_and_arun(*args: Any, **kwargs: Any) -> Any:
        call.begin()
        return await arun(*args, **kwargs)

    object.__setattr__(ours, "_run", look_and_run)
    object.__setattr__(ours, "_arun", look_and_arun)
    return ours
