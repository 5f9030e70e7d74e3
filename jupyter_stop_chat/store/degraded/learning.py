"""Take from the database what an operation is about that memory is to do instead."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.operations import (
    AmendPrompt,
    AmendStop,
    BeginTurn,
    CreateChat,
    DeleteChat,
    GiveChat,
    MakeThought,
    Operation,
    PutTool,
    Reopen,
    SetState,
    SetTitle,
    Settle,
)
from jupyter_stop_chat.store.reading import Reader, unreadable
from jupyter_stop_chat.store.rows import LIVE_MESSAGES
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Chat, Message

from .memory import Memory
from .reason import reason_of

log = logging.getLogger(__name__)

#: Returns those of some live messages whose processes have ended.
Gone = Callable[[Sequence[dict[str, Any]]], Mapping[str, str | None]]


class Learner:
    """What tells memory what the database knows, as far as it can be read."""

    def __init__(self, memory: Memory, database: Database, gone: Gone) -> None:
        self._memory = memory
        self._database = database
        self._gone = gone
        self._reader = Reader(database)

    async def learn_for(self, operation: Operation) -> None:
        """Take in what an operation is about.

        :raises StopChatError: the database would refuse it, or `not_readable`.
        """
        try:
            await self._learn_for(operation)
        except Exception as error:
            if reason_of(error) is None:
                raise
            raise unreadable(error) from error

    async def _learn_for(self, operation: Operation) -> None:
        match operation:
            case SetTitle(chat_id, _) | DeleteChat(chat_id) | GiveChat(chat_id, _):
                await self._learn_chat(chat_id)
            case CreateChat(chat):
                await self._refuse_taken(chat)
            case BeginTurn(turn, chat, owner):
                for chat_id in {message.chat_id for message in turn}:
                    if chat is None or chat.id != chat_id:
                        await self._learn_chat(chat_id)
                await self._refuse_taken(chat, turn, owner)
            case Reopen(message_id, request_id, _):
                await self._learn_message(message_id)
                kept = self._memory.messages.get(message_id)
                if kept is not None and kept.can_go_on:
                    going_on = {"request_id": request_id or kept.message.request_id}
                    changed = kept.message.model_copy(update=going_on)
                    await self._refuse_taken(None, [changed], kept.owner)
            case (
                SetState(message_id, _)
                | MakeThought(message_id, _)
                | PutTool(message_id, _)
                | Settle(message_id, _)
                | AmendStop(message_id, _)
            ):
                await self._learn_message(message_id)
            case AmendPrompt(message_id, _, _, asked):
                await self._learn_message(message_id)
                if asked is not None:
                    await self._learn_message(asked[0])

    async def _learn_message(self, message_id: str) -> None:
        if message_id in self._memory.messages:
            return
        message = await self._reader.get_message(message_id)
        if message is None or message.made_elsewhere:
            return
        await self._learn_chat(message.chat_id)
        if chat := self._memory.chats.get(message.chat_id):
            self._memory.learn(chat, message)

    async def _learn_chat(self, chat_id: str) -> None:
        if chat_id in self._memory.chats or chat_id in self._memory.deleted:
            return
        chat = await self._reader.get_chat(chat_id)
        if chat is not None:
            self._memory.learn(chat)

    async def _refuse_taken(
        self, chat: Chat | None, turn: Sequence[Message] = (), owner: str | None = None
    ) -> None:
        """Refuse what the database would; where it cannot be read, memory alone decides.

        :param owner: whose the messages are, where the chat is not its owner's yet.
        """
        try:
            if await self._is_taken(chat, turn, owner):
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there")
            if await self._is_made_beside({message.chat_id for message in turn}):
                raise StopChatError(ErrorCode.MADE_ELSEWHERE)
        except StopChatError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the chat goes on
            log.debug("What is taken cannot be read: %s", type(error).__name__)

    async def _is_taken(
        self, chat: Chat | None, turn: Sequence[Message], owner: str | None
    ) -> bool:
        memory, reader = self._memory, self._reader
        chats = memory.chats if chat is None else {**memory.chats, chat.id: chat}
        if (
            chat is not None
            and chat.id not in memory.deleted
            and await reader.get_chat(chat.id) is not None
        ):
            return True
        for message in turn:
            if message.chat_id not in chats:
                continue
            found = [await reader.get_message(message.id)]
            if message.role == "assistant" and message.request_id is not None:
                its_owner = owner or chats[message.chat_id].owner
                found.append(await reader.has_answered(its_owner, message.request_id))
            # What memory holds, it looks at itself.
            if any(
                each.id not in memory.messages and each.chat_id not in memory.deleted
                for each in found
                if each is not None
            ):
                return True
        return False

    async def _is_made_beside(self, chat_ids: set[str]) -> bool:
        """Tell whether another process that lives makes a reply in one of some chats."""
        if not chat_ids:
            return False
        beside = [
            row
            for row in await self._database.read(LIVE_MESSAGES)
            if row["chat_id"] in chat_ids and row["process"] != self._database.process
        ]
        return len(await in_thread(self._gone, beside)) < len(beside)
