"""Tooling: what a reply that may use tools is given, and what is remembered of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from jupyter_stop_chat.engine.background import Background
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.turn.pictures import takes_pictures
from jupyter_stop_chat.ports.handler import ChatHandler
from jupyter_stop_chat.ports.tools import (
    CallStore,
    Gate,
    Journal,
    NoTools,
    Told,
    Tool,
)
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message

from .approvals import Approvals
from .bounds import ToolLimits
from .gate import ToolGate
from .pages import PageCalls


class Tooling:
    """What makes the gates of replies.

    :param tools: returns what models may use, by owner.
    :param prepare: has servers of tools started for an owner, and waits for them, but not long.
    :param background: holds what goes on behind a stop: with too much of it nothing new begins.
    """

    def __init__(
        self,
        store: CallStore,
        tools: Callable[[str], Sequence[Tool]],
        journal: Journal,
        approvals: Approvals,
        pages: PageCalls,
        background: Background,
        limits: ToolLimits | None = None,
        prepare: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._prepare = prepare
        self._store = store
        self._tools = tools
        self._journal = journal
        self._approvals = approvals
        self._pages = pages
        self._limits = limits or ToolLimits()
        self._background = background

    async def told(self, thread: Sequence[Message]) -> dict[str, list[Told]]:
        """Return the calls of a thread's replies, by their ids."""
        ids = [each.id for each in thread if each.role == "assistant" and each.mode is not None]
        return await self._store.of(ids) if ids else {}

    async def ready(self, generation: Generation) -> None:
        """Return when the tools are there that a reply is waited for with; no failure keeps it."""
        if generation.message.mode == "agent" and self._prepare is not None:
            await self._prepare(generation.owner)

    def gate(
        self,
        generation: Generation,
        handler: ChatHandler,
        before: Sequence[Told],
        path: str | None,
    ) -> Gate:
        """Make the gate of a reply that begins now; nothing goes through in the mode `ask`.

        :param before: the calls of its earlier parts.
        :param path: the notebook or file that the person had open.
        :raises StopChatError: `cannot_use_tools`.
        """
        if generation.message.mode != "agent":
            return NoTools()
        tools = self._tools(generation.owner)
        if not tools:
            return NoTools()
        if uses_tools(handler) is False:
            raise StopChatError(ErrorCode.CANNOT_USE_TOOLS)
        return ToolGate(
            generation,
            tools,
            self._store,
            self._journal,
            self._approvals,
            self._pages,
            self._limits,
            self._leave,
            before=before,
            path=path,
            sees=takes_pictures(handler),
        )

    def _leave(self, work: asyncio.Future[Any]) -> None:
        left = asyncio.create_task(_end_of(work), name="a tool in a thread")
        self._background.fence_off(left)


async def _end_of(work: asyncio.Future[Any]) -> None:
    await asyncio.wait({work})


def uses_tools(handler: ChatHandler) -> bool | None:
    """Tell whether a chat handler offers tools to its model; None: its provider knows.

    One that says nothing of it knows nothing of them.
    """
    uses: bool | None = getattr(handler, "uses_tools", False)
    return uses
