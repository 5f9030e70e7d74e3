"""Bring a whole chat in, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.wire.objects import Chat, Message

from .operations import NOBODY, BeginTurn, CreateChat, DeleteChat, GiveChat, KeepCalls, Operation
from .slices import pages
from .weight import weight_of
from .writer import GROUP_BYTES

#: How many messages of a chat that is brought in are written at once.
PAGE = 200


async def add_chat(
    write: Callable[[Operation], Awaitable[Any]],
    chat: Chat,
    messages: Sequence[Message],
    calls: Mapping[str, Sequence[Told]],
) -> None:
    """Write a chat that is nobody's until all of it is there.

    :param calls: the tool calls of its messages, by their ids.
    """
    await write(CreateChat(chat.model_copy(update={"owner": NOBODY})))
    try:
        for page in pages(messages, PAGE, GROUP_BYTES, lambda each: weight_of([each])):
            await write(BeginTurn(page, None, chat.owner))
        for message_id, its in calls.items():
            await write(KeepCalls(message_id, its))
        await write(GiveChat(chat.id, chat.owner))
    except BaseException:
        await asyncio.shield(asyncio.ensure_future(write(DeleteChat(chat.id))))
        raise
