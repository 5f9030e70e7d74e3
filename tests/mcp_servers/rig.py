"""An engine whose models may use the tools of real MCP servers, and what became of these."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil

from jupyter_stop_chat.engine.tools.approvals import Allowed
from jupyter_stop_chat.mcp_servers import McpServers
from jupyter_stop_chat.ports.handler import Event, Text, Turn
from jupyter_stop_chat.ports.mcp import McpRules
from jupyter_stop_chat.ports.tools import ToolResult, Wanted
from tests.aids.tool_calls import a_tool
from tests.conftest import LEFT_OUT, PATIENCE
from tests.engine.bench import MODEL, OWNER, Bench, bench_in_memory

SERVERS = Path(__file__).parent / "servers"


def awkward(how: str, **env: str) -> dict[str, Any]:
    """Return the entry of a server that does one thing wrong."""
    env = {"SEEN": "${env:SEEN}", **env}
    return {"command": sys.executable, "args": [str(SERVERS / "awkward.py"), how], "env": env}


def talking(**env: str) -> dict[str, Any]:
    """Return the entry of a server of the SDK's; it starts as soon as those of Jupyter do here."""
    env = {"SEEN": "${env:SEEN}", "PYTHONPATH": str(LEFT_OUT), **env}
    return {"command": sys.executable, "args": [str(SERVERS / "talking.py"), "stdio"], "env": env}


async def until(condition: Callable[[], Any], patience: float = PATIENCE) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)


class Yes:
    """What lets everything act."""

    async def ask(self, *args: Any) -> Allowed:
        """Allow it."""
        return Allowed()


class Calling:
    """A chat handler whose replies each make one call, and keep what they are told."""

    uses_tools = True
    takes_pictures = True

    def __init__(self) -> None:
        self.wanted: list[Wanted] = []
        self.told: list[ToolResult] = []

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """Make the call."""
        turn.provider_started()
        if turn.gate.tools:
            self.told += await turn.gate.run(self.wanted)
        yield Text("Done.")
        turn.provider_closed()

    async def close(self) -> None:
        """Have nothing to let go of."""


class Rig:
    """Servers, and an engine that uses them."""

    def __init__(self, bench: Bench, servers: McpServers, seen: Path, **more: Any) -> None:
        self.bench, self.servers, self._seen = bench, servers, seen
        self.handler = Calling()
        bench.handlers[MODEL] = self.handler
        more = {"approvals": Yes(), **more}
        own = a_tool(None, name="look")
        bench.use(
            offer=lambda owner: (own, *servers.tools(owner)), prepare=servers.prepare, **more
        )
        self._ids = iter(range(10**9))

    def seen(self) -> list[str]:
        """Return what the servers did, in order."""
        return [line.rpartition(" ")[0] for line in self._seen.read_text().splitlines()]

    def pids(self, what: str) -> list[int]:
        """Return the processes that a server wrote down."""
        lines = self._seen.read_text().splitlines()
        return [int(each.split()[1]) for each in lines if each.startswith(what)]

    async def ready(self, *names: str, owner: str = OWNER) -> None:
        """Start the servers of somebody, and wait for some."""
        await self.servers.prepare(owner)
        while True:
            found, _ = await self.servers.listing(owner)
            states = {each.name: each.state for each in found}
            if all(states[each] == "ready" for each in names):
                return
            assert not {states[each] for each in names} & {"failed", "gone"}, found
            await asyncio.sleep(0.02)

    async def begin(self, tool: str, *, owner: str = OWNER, **args: Any) -> Any:
        """Send a prompt whose reply calls a tool."""
        call_id = f"call_{next(self._ids)}"
        self.handler.wanted = [Wanted(call_id, tool, json.dumps(args))]
        return await self.bench.send(mode="agent", owner=owner)

    async def call(self, tool: str, *, owner: str = OWNER, **args: Any) -> ToolResult:
        """Have a tool called, and return what the model is told."""
        accepted = await self.begin(tool, owner=owner, **args)
        message = await self.bench.end(accepted)
        assert message.state == "completed", message.error
        return self.handler.told.pop()


async def heard_of(rig: Rig, name: str) -> int:
    """Count what is heard of a server in a second or so."""
    session = rig.servers._owners[OWNER].servers[name].session
    assert session is not None
    assert session.client is not None
    counts = [0]
    handle = session.client._handle_incoming

    async def count(message: Any) -> None:
        counts[0] += 1
        await handle(message)

    session.client._handle_incoming = count  # type: ignore[method-assign]
    await asyncio.sleep(1.5)
    return counts[0]


@asynccontextmanager
async def a_rig(
    folder: Path,
    servers: dict[str, Any],
    monkeypatch: Any,
    *,
    idle_s: float = 0.0,
    taken: Callable[[], Collection[str]] = tuple,
    clock: Callable[[], float] = time.monotonic,
    **more: Any,
) -> AsyncIterator[Rig]:
    """Make a rig; nothing of its servers is left behind it."""
    seen = folder / "seen"
    seen.write_text("")
    monkeypatch.setenv("SEEN", str(seen))
    rules = McpRules(servers, one_owner=OWNER, idle_s=idle_s)
    made = McpServers(folder, lambda: rules, taken, clock)
    async with bench_in_memory() as bench:
        rig = Rig(bench, made, seen, **more)
        try:
            yield rig
        finally:
            await made.close()
            assert left_behind() == [], left_behind()
            assert [pid for pid in rig.pids("child") if psutil.pid_exists(pid)] == []


def left_behind(parent: int | None = None) -> list[str]:
    """Return what is left of servers below a process."""
    found = []
    for each in psutil.Process(parent or os.getpid()).children(recursive=True):
        try:
            command = " ".join(each.cmdline())
        except psutil.NoSuchProcess:
            continue
        if "streamable-http" in command:  # it is reached, and none of ours
            continue
        if "awkward.py" in command or "talking.py" in command or "launcher.py" in command:
            found.append(command)
    return found
