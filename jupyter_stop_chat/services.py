"""The engine and what it works with: how they are made, and how they end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import uuid
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import closing
from .bus.local import LocalBus
from .closing import close_part
from .engine import Engine, EngineLimits
from .engine.spending import Spending
from .ports.spending import Budget
from .ports.tools import AgentRules
from .threads import in_thread
from .wire import codec
from .wire.errors import StopChatError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jupyter_events import EventLogger

    from .engine.chats.titles import TitleMode
    from .instructions import Instructions
    from .local_model.installing import Installing
    from .mcp_servers import McpServers
    from .models import Models, Rules
    from .ports.contents import Contents
    from .ports.instructions import Surroundings
    from .ports.kernels import Kernels
    from .ports.mcp import McpRules
    from .ports.outputs import OutputStore
    from .ports.peers import Peers
    from .store.sql import SqlStore
    from .tools import BuiltInTools
    from .uploads.documents import Documents
    from .uploads.pictures import Pictures
    from .wire.objects import Message, Policy


log = logging.getLogger(__name__)

#: Where Linux names this life of the kernel.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings want of the services.

    :ivar data_folder: where models, keys and, without a `db_url`, chats lie.
    :ivar db_url: where chats are kept, as SQLAlchemy writes it.
    :ivar bus_url: the Redis by which servers reach each other; empty: through the database.
    :ivar parameters: for `init_chat_model`, by provider or by model id.
    :ivar rules: returns what is said of models; asked each time, since settings may change.
    :ivar local: the limits of the built-in model's process.
    :ivar policy: what becomes of a prompt sent while a reply is being made.
    :ivar event_logger: the server's, where it has one.
    :ivar instructions: returns the administrator's; asked each time, likewise.
    :ivar budget: returns what an owner may use in a day; asked each time, likewise.
    :ivar agent: returns what the administrator says of tools; asked each time, likewise.
    :ivar surroundings: what the server knows of where a person is, where there is a server.
    :ivar contents: the server's files, likewise.
    :ivar kernels: the server's kernels, likewise.
    :ivar mcp: returns what the administrator says of MCP servers; None: there are none.
    """

    data_folder: Path
    db_url: str
    parameters: Mapping[str, Any]
    rules: Callable[[], Rules]
    local: Mapping[str, float]
    limits: EngineLimits
    policy: Policy
    titles: TitleMode
    event_logger: EventLogger | None = None
    bus_url: str = ""
    instructions: Callable[[], str] = lambda: ""
    surroundings: Surroundings | None = None
    contents: Contents | None = None
    kernels: Kernels | None = None
    budget: Callable[[], Budget] = Budget
    agent: Callable[[], AgentRules] = AgentRules
    mcp: Callable[[], McpRules] | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """The engine and what it works with, which the handlers hand on to."""

    engine: Engine
    store: SqlStore
    models: Models
    installing: Installing
    peers: Peers
    instructions: Instructions
    pictures: Pictures
    documents: Documents
    tools: BuiltInTools
    mcp: McpServers
    kernels: Kernels | None = None

    async def close(self) -> None:
        """Stop and save what runs, then let go of everything: the store last, and always."""
        async with AsyncExitStack() as stack:
            for name, close in (
                ("the store", self.store.close),
                ("the models", self.models.close),
                ("the installation", self.installing.close),
                ("what reaches other servers", self.peers.close),
                ("what reads pictures", self.pictures.close),
                ("the kernels", self.kernels.close if self.kernels else None),
                ("what tools had begun", self.tools.close),
                ("the MCP servers", self.mcp.close),
                ("the engine", self.engine.shutdown),
            ):
                if close is not None:
                    stack.push_async_callback(close_part, name, close)


async def make_services(wanted: Wanted) -> Services:
    """Make the engine and what it works with; what they import, they import in a thread."""
    from .chat_handlers.others_tools import OthersTools
    from .instructions import Instructions
    from .local_model.installing import Installing
    from .models import Models
    from .observe import events, metrics
    from .observe.notices import watch_store
    from .store import make_store
    from .uploads.documents import Documents
    from .uploads.pictures import Pictures

    bus = LocalBus()
    process = await asyncio.to_thread(owner_process)
    await in_thread(codec.make_ready)
    models = Models(
        wanted.data_folder,
        parameters=dict(wanted.parameters),
        max_stuck=wanted.limits.max_stuck,
        rules=wanted.rules,
        local=dict(wanted.local),
    )
    prices = models.prices
    store = await make_store(wanted.db_url, owner_process=process, prices=prices)
    watch_store(store, bus)
    left: list[Message] = []
    hear: Callable[[Sequence[Message]], None] = left.extend
    try:
        await store.open(lambda messages: hear(messages))  # noqa: PLW0108 - it is set below
        await models.refresh()
        peers = await _make_peers(wanted.bus_url, process, store, bus)
    except BaseException:  # the server may end meanwhile
        await close_part("the store", store.close)
        raise
    instructions = Instructions(wanted.data_folder, wanted.instructions, wanted.surroundings)
    pictures = Pictures()
    tools = await in_thread(
        _built_in_tools, wanted.contents, wanted.kernels, store.outputs, pictures
    )
    ours = [each.name for each in tools("")]
    others = OthersTools(ours)
    mcp = _mcp_servers(wanted, lambda: [*ours, *(each.name for each in others.found)])
    engine = Engine(
        store,
        bus,
        models.resolve,
        models.choose,
        wanted.limits,
        wanted.policy,
        titles=wanted.titles,
        peers=peers,
        instruct=instructions,
        spending=Spending(store, prices, wanted.budget),
        tools=lambda owner: (*tools(owner), *others.found, *mcp.tools(owner)),
        agent=wanted.agent,
        prepare=mcp.prepare,
    )
    await engine.open()
    engine.background.run(others.find(), "find tools")
    hear = engine.left_behind
    hear(left)
    metrics.watch(engine)
    store.on_commit = metrics.commit_seconds.observe
    if wanted.event_logger is not None:
        engine.bus.watch(events.recorder(wanted.event_logger))
    installing = Installing(wanted.data_folder)
    return Services(
        *(engine, store, models, installing, peers, instructions),
        *(pictures, Documents(), tools, mcp, wanted.kernels),
    )


def _mcp_servers(wanted: Wanted, taken: Callable[[], Sequence[str]]) -> McpServers:
    from .mcp_servers import McpServers
    from .ports.mcp import McpRules

    rules = wanted.mcp or (lambda: McpRules(own=False))
    return McpServers(wanted.data_folder / "stop-chat", rules, taken)


def _built_in_tools(
    contents: Contents | None, kernels: Kernels | None, outputs: OutputStore, pictures: Pictures
) -> BuiltInTools:
    """Make our own tools. Blocks: it imports them."""
    from .tools import BuiltInTools

    return BuiltInTools(contents, kernels, outputs, pictures)


async def _make_peers(url: str, process: str, store: SqlStore, bus: LocalBus) -> Peers:
    """Make what reaches other servers; what it imports, it imports in a thread."""
    if not url:
        return store.peers
    from .observe.notices import watch_peers

    redis = await in_thread(import_module, "jupyter_stop_chat.bus.redis")
    try:
        scope = await store.identity()
    except StopChatError:
        # News reaches nobody then; what they tell is found in the database, once that is there.
        scope = uuid.uuid4().hex
    peers: Peers = redis.RedisPeers(url, process, store.peers, scope)
    watch_peers(peers, bus)
    return peers


async def end_services(made: asyncio.Task[Services]) -> None:
    """Close the services, also while they are being made: that is not waited for for ever.

    :param made: what makes them.
    """
    await asyncio.wait({made}, timeout=closing.PATIENCE_S)
    if not made.done():
        log.error("the chat was still being started at the server's end: not waited for")
        made.cancel()
        await asyncio.wait({made}, timeout=closing.PATIENCE_S)
    if made.done() and not made.cancelled() and made.exception() is None:
        await made.result().close()


def owner_process() -> str:
    """Name this server process, so that what it leaves behind can be told from what runs.

    Its host is a kernel and a name, since a lock that one process holds need not be seen from
    another machine that is called the same. Blocks on the disk.
    """
    host = socket.gethostname()[:100]  # the column has room for 200 characters in all
    with suppress(OSError):
        host += f".{BOOT_ID.read_text().strip()}"
    # Containers have the same process ids in each of their lives, and may start at once.
    return f"{host}:{os.getpid()}:{uuid.uuid4().hex}"
