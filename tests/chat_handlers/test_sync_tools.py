"""Tools that have only sync code: each call in a thread of its own, which nobody waits for."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from langchain.agents import create_agent
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, Tool, tool

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.chat_handlers.sync_bridge import SyncBridge
from jupyter_stop_chat.ports.handler import ToolEnded, ToolStarted
from jupyter_stop_chat.testing import ScriptedModel
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from tests.aids.turns import until
from tests.providers.reading import Reading, nothing_left, soon


def calling(name: str, args: str = "{}") -> ScriptedModel:
    return ScriptedModel(scripts=[[ToolStarted("1", name, args)], ["done"]])


async def test_no_tool_is_called_where_the_server_waits_for_its_threads() -> None:
    """V8: one that never ends would keep the process, and the server's other work, waiting."""
    daemons: list[bool] = []

    @tool
    def with_config(config: RunnableConfig) -> str:
        """Tell what it is given."""
        daemons.append(threading.current_thread().daemon)
        return str(config["configurable"]["thread_id"] != "")

    class OfItsOwn(BaseTool):
        name: str = "own"
        description: str = "Tell."

        def _run(self, run_manager: Any = None) -> str:
            daemons.append(threading.current_thread().daemon)
            return str(hasattr(run_manager, "get_child"))

    def simple(text: str) -> str:
        daemons.append(threading.current_thread().daemon)
        return str(text == "x")

    for each, args in (
        (with_config, "{}"),
        (OfItsOwn(), "{}"),
        (Tool(name="simple", func=simple, description="Tell."), '{"__arg1": "x"}'),
    ):
        reading = Reading(LangChainHandler(create_agent(calling(each.name, args), [each])))
        assert await reading.end() is None
        ends = [event for event in reading.events if isinstance(event, ToolEnded)]
        assert [(end.result, end.failed) for end in ends] == [("True", False)]
    assert daemons == [True] * 3


async def test_a_tool_that_raises_what_no_future_can_hold_fails() -> None:
    """V8: it would else never end."""

    @tool
    def ends() -> str:
        """End."""
        raise StopIteration

    error = await Reading(LangChainHandler(create_agent(calling("ends"), [ends]))).end()
    assert isinstance(error, StopChatError)
    assert error.code is ErrorCode.GENERATION_FAILED


async def test_with_too_many_stuck_tools_no_other_is_called() -> None:
    """V8: those that run on behind a stop are counted, until they end."""
    running, release = asyncio.Event(), threading.Event()
    loop, bridge = asyncio.get_running_loop(), SyncBridge(max_stuck=1)

    @tool
    def hold() -> str:
        """Hold."""
        loop.call_soon_threadsafe(running.set)
        release.wait(10)
        return ""

    def make() -> Reading:
        agent = create_agent(calling("hold"), [hold])
        return Reading(LangChainHandler(agent, bridge=bridge))

    reading = make()
    await soon(running)
    assert await reading.stop() == "cancelled"
    assert bridge.stuck == 1
    error = await make().end()
    assert isinstance(error, StopChatError)
    assert error.code is ErrorCode.TOO_MANY_STUCK
    release.set()
    await until(lambda: bridge.stuck == 0)
    assert await make().end() is None
    await nothing_left()
