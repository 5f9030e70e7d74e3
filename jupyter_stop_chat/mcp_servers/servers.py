"""All MCP servers of all owners: which are there, what they offer, and that all of them end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_stop_chat.ports.mcp import McpRules
from jupyter_stop_chat.ports.tools import Call, Tool, ToolError, ToolResult
from jupyter_stop_chat.threads import in_thread

from .config import ConfigError, Entry, entries_of, fingerprint
from .files import Switches, own_file, read_own
from .offered import Offered
from .owned import One, Owned, ServerInfo, ToolInfo

if TYPE_CHECKING:
    from .session import Session

log = logging.getLogger(__name__)

#: Seconds that a reply waits for servers which it is the first one to need.
FIRST_S = 4.0
#: Seconds after which one that could not be started is tried again.
AGAIN_S = 60.0
#: Seconds between two looks for sessions that nobody uses.
IDLE_LOOK_S = 15.0
#: What is missing where the package is.
MISSING = "The package mcp is not installed: pip install 'jupyter-stop-chat[mcp]'."
UNFIT = "The package mcp cannot be used as it is: pip install -U 'jupyter-stop-chat[mcp]'."
#: Of a server's description of a tool: whose words they are.
FROM = "[A tool of the MCP server {server}] "


class McpServers:
    """What starts servers, offers their tools, and ends them.

    :param folder: the extension's own.
    :param rules: returns what the administrator says; asked each time.
    :param taken: returns the names that no tool of a server may have.
    :param clock: tells for how long a session has had no call.
    """

    def __init__(
        self,
        folder: Path,
        rules: Callable[[], McpRules],
        taken: Callable[[], Collection[str]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._rules = rules
        self._taken = taken
        self._clock = clock
        self._switches = Switches(folder / "switched-off-tools.json")
        self._owners: dict[str, Owned] = {}
        #: What is being started or closed, and is held until it is.
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        #: Until the next look for sessions that nobody uses.
        self._timer: asyncio.TimerHandle | None = None
        #: What of which server was said in the log to be left out.
        self._logged: set[tuple[str, str, str]] = set()

    def tools(self, owner: str) -> tuple[Tool, ...]:
        """Return what models may call for somebody, of the servers that have been there."""
        of = self._owners.get(owner)
        return of.tools if of is not None else ()

    async def prepare(self, owner: str) -> None:
        """Start the servers of somebody, and wait a little for those nobody has waited for."""
        of = await self._look(owner)
        first = []
        for one in of.servers.values():
            late = self._clock() - one.tried > AGAIN_S
            begin = one.state == "not_started" or (one.state == "failed" and late)
            if begin or not one.waited:
                task = self._hold(self._reach(owner, one, begin=begin), "start an MCP server")
                first += [] if one.waited else [task]
            one.waited = True
        if first:
            await asyncio.wait(first, timeout=FIRST_S)

    def may_own(self, owner: str) -> bool:
        """Tell whether somebody may have servers of their own."""
        return self._rules().lets(owner)

    async def listing(self, owner: str) -> tuple[list[ServerInfo], str | None]:
        """Return the servers of somebody, and what is wrong with the person's file."""
        of = await self._look(owner)
        return [of.told(each) for each in of.servers.values()], of.fault

    async def tool(self, owner: str, server: str, tool: str) -> ToolInfo | None:
        """Return a tool as its server tells of it now, by the name that models know."""
        of = await self._look(owner)
        one = of.servers.get(server)
        told = of.told(one).tools if one is not None else ()
        return next((each for each in told if each.name == tool), None)

    async def switch(self, owner: str, server: str, tool: str, *, on: bool) -> bool:
        """Switch a tool on or off, by the name that models know; tell whether there is such a one.

        :raises OSError: that cannot be kept.
        """
        of = await self._look(owner)
        for (its_server, own_name), name in of.names.items():
            if (its_server, name) == (server, tool):
                key = (server, own_name)
                await in_thread(partial(self._switches.switch, owner, key, on=on))
                of.off = of.off - {key} if on else of.off | {key}
                self._rebuild(owner, of)
                return True
        return False

    async def retry(self, owner: str, server: str) -> bool:
        """End a server and start it anew; tell whether there is such a one."""
        of = await self._look(owner)
        one = of.servers.get(server)
        if one is None:
            return False
        self._drop(one)
        await self._start(owner, one)
        return True

    async def log(self, owner: str, server: str) -> tuple[str, ...] | None:
        """Return the last lines of a server's, without keys; None where there is no such one."""
        of = await self._look(owner)
        one = of.servers.get(server)
        return None if one is None else await in_thread(one.log.shown, one.entry.secrets)

    def end_idle(self) -> None:
        """End the sessions that have had no call for long; their next call begins them anew."""
        limit = self._rules().idle_s
        for one in (one for of in self._owners.values() for one in of.servers.values()):
            has_none = one.state == "ready" and not one.calls
            if limit and has_none and self._clock() - one.used >= limit:
                one.log.add("It was ended, as it was not used for long.")
                self._drop(one)
                one.is_idle = True

    async def close(self) -> None:
        """Return when nothing of all this is left."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for of in self._owners.values():
            for one in of.servers.values():
                self._drop(one)
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- which there are ---------------------------------------------------------------------

    async def _look(self, owner: str) -> Owned:
        """Return the servers of somebody, as they are said to be now."""
        of = self._owners.setdefault(owner, Owned())
        async with of.looking:
            entries, of.off, of.fault = await in_thread(self._read, owner)
            for name, one in list(of.servers.items()):
                if name not in entries or fingerprint(entries[name]) != one.stamp:
                    self._drop(one)
                    del of.servers[name]
            of.servers = {
                name: of.servers.get(name) or One(entry, fingerprint(entry))
                for name, entry in entries.items()
            }
            self._rebuild(owner, of)
        return of

    def _read(self, owner: str) -> tuple[dict[str, Entry], frozenset[tuple[str, str]], str | None]:
        """Read what is said of somebody's servers. Blocks."""
        rules = self._rules()
        own: Mapping[str, Any] = {}
        fault = None
        if rules.lets(owner):
            try:
                own = read_own(own_file(self._folder, owner, rules.one_owner))
            except ConfigError as error:
                fault = str(error)
        entries = entries_of(rules, owner, own)
        if find_spec("mcp") is None:
            entries = {
                name: Entry(name, each.source, url=each.url, failure=MISSING)
                for name, each in entries.items()
            }
        return entries, self._switches.off(owner), fault

    def _rebuild(self, owner: str, of: Owned) -> None:
        """Offer what is known of the servers that somebody has."""
        of.tools = tuple(
            Tool(
                name=of.names[one.entry.name, each.name],
                description=FROM.format(server=one.entry.name) + each.description,
                parameters=each.parameters,
                touches="runs",
                run=partial(self._run, owner, one.entry.name, each),
                edition=each.edition,
            )
            for one, each in of.choose(self._taken())
        )
        self._tell_left_out(owner, of)

    def _tell_left_out(self, owner: str, of: Owned) -> None:
        """Say once in the log what of a server models are not told."""
        for name, one in of.servers.items():
            tools = sum(server == name for server, _ in of.left_out) + one.unread
            unfit = sum(len(each.unfit) for each in one.known)
            for what, count in (("tools", tools), ("arguments of tools", unfit)):
                if count and (owner, name, what) not in self._logged:
                    self._logged.add((owner, name, what))
                    log.warning("of the MCP server %r %d %s are left out", name, count, what)

    # --- sessions ----------------------------------------------------------------------------

    async def _reach(self, owner: str, one: One, *, begin: bool) -> None:
        """Start a server if it is to begin; return when it is there, or has ended."""
        if begin:
            await self._start(owner, one)
        if (session := one.session) is not None:
            await asyncio.wait(
                {session.opened, session.ended}, return_when=asyncio.FIRST_COMPLETED
            )

    async def _start(self, owner: str, one: One) -> None:
        """Begin a session, unless the server cannot be used; nobody waits for it here."""
        if one.entry.failure is not None or self._closed:
            return
        one.tried = one.used = self._clock()
        one.beginning, one.is_idle = True, False
        try:
            # In a thread: to import it takes a second.
            make = await in_thread(_session)
        except Exception as error:  # noqa: BLE001 - another release of it, or a part of it is missing
            log.warning("MCP servers cannot be used: %s", type(error).__name__)
            one.entry = replace(one.entry, failure=UNFIT)
            return
        finally:
            one.beginning = False
        is_there = self._owners[owner].servers.get(one.entry.name) is one
        runs = one.session is not None and not one.session.ended.done()
        if self._closed or not is_there or runs:
            return
        one.session = make(one.entry, one.log, partial(self._changed, owner, one))
        self._look_later()

    def _changed(self, owner: str, one: One) -> None:
        """Offer what a server tells now; of one that has ended, what it told last."""
        if one.session is not None and one.state == "ready":
            one.known, one.unread = one.session.tools, one.session.unread
            self._rebuild(owner, self._owners[owner])

    def _drop(self, one: One) -> None:
        """Have a session end."""
        session, one.session = one.session, None
        if session is None:
            return
        session.ask_to_close()
        self._hold(session.close(), "close an MCP server")

    def _look_later(self) -> None:
        """Look for sessions that nobody uses, in a while, as long as there are any."""
        if self._timer is None and not self._closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(IDLE_LOOK_S, self._look_for_idle)

    def _look_for_idle(self) -> None:
        self._timer = None
        self.end_idle()
        if any(one.session for of in self._owners.values() for one in of.servers.values()):
            self._look_later()

    def _hold(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(
        self, owner: str, server: str, tool: Offered, call: Call, args: Mapping[str, Any]
    ) -> ToolResult:
        """Carry out a call, and start its server again where that has ended."""
        of = self._owners[owner]
        one = of.servers.get(server)
        if one is None:
            raise ToolError("The server of this tool is not there any more.")
        if (server, tool.name) in of.off:
            raise ToolError("The person has switched this tool off.")
        one.calls += 1
        try:
            return await self._called(owner, one, tool, call, args)
        finally:
            one.calls -= 1
            one.used = self._clock()

    async def _called(
        self, owner: str, one: One, tool: Offered, call: Call, args: Mapping[str, Any]
    ) -> ToolResult:
        if one.state != "ready":
            await self._start(owner, one)
            call.progress("its server is started")
        session = one.session
        if session is None or one.entry.failure is not None:
            raise ToolError(f"The server of this tool cannot be used. {one.entry.failure or ''}")
        from .calling import call_tool
        from .results import result_of
        from .session import GoneError

        try:
            client = await session.ready()
        except GoneError as error:
            raise ToolError(f"The server of this tool cannot be used. {error}") from error
        if (tool.name, tool.edition) not in {(each.name, each.edition) for each in session.tools}:
            raise ToolError("This tool is not what it was: its server tells something else of it.")
        answer = await call_tool(session, client, call, tool.name, args)
        return await in_thread(partial(result_of, answer, sees=call.sees))


@cache
def _session() -> type[Session]:
    """Return the class of sessions. Blocks: it imports the SDK, and what that imports later."""
    from anyio import connect_tcp, open_process, run, sleep  # noqa: F401

    from . import calling, results  # noqa: F401
    from .session import Session

    run(sleep, 0)
    return Session
