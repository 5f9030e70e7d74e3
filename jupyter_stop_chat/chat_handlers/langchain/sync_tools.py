"""Tools of LangChain that have only sync code, each call in a thread of its own."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import copy_context
from functools import partial
from typing import Any

from langchain_core.tools import BaseTool

from jupyter_stop_chat.chat_handlers.sync_bridge import SyncBridge


def call_in_threads(tools: Iterable[BaseTool], bridge: SyncBridge) -> None:
    """Have each call of a sync tool made in a thread that nobody has to wait for.

    LangChain would make it in the event loop's default executor. A few that do not return would
    fill that, and the process could not exit. A tool inside an agent is changed in place, as it
    cannot be replaced.
    """
    for tool in tools:
        object.__setattr__(tool, "ainvoke", partial(_invoke, tool, bridge))


async def _invoke(
    tool: BaseTool, bridge: SyncBridge, call: Any, config: Any = None, **more: Any
) -> Any:
    invoke = partial(tool.invoke, call, config, **more)
    return await bridge.call(partial(copy_context().run, invoke))
