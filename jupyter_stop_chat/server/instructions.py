"""The HTTP routes of instructions: a person's, a chat's, and those that were sent."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.engine.turn.thread import asked_text
from jupyter_stop_chat.models.instructed import takes_instructions
from jupyter_stop_chat.ports.instructions import Occasion
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.http import Instructions, NextInstructions, SentInstructions

from .base import StopChatHandler
from .openapi import Operation

#: The longest path that is looked at.
LONGEST_PATH = 1000


class OwnInstructionsHandler(StopChatHandler):
    """The handler of `instructions`: a person's own, for all their chats."""

    @Operation("get_instructions", "read", Instructions)
    async def get(self) -> None:
        """Return what models are told before each chat of yours, by you."""
        own = (await self.services()).instructions.own
        self.answer(Instructions(text=await own.of(self.owner)))

    @Operation("set_instructions", "write", status=204, body=Instructions, failures=(413,))
    async def put(self) -> None:
        """Tell models something before each chat of yours, in the page, in notebooks and here."""
        asked = self.body(Instructions)
        await (await self.services()).instructions.own.set(self.owner, asked.text)
        self.set_status(204)
        self.finish()


class ChatInstructionsHandler(StopChatHandler):
    """The handler of `chats/{chat_id}/instructions`."""

    @Operation("get_chat_instructions", "read", Instructions)
    async def get(self, chat_id: str) -> None:
        """Return what models are told before this chat alone."""
        services = await self.services()
        await services.engine.chat(self.owner, chat_id)
        self.answer(Instructions(text=await services.store.instructions.of_chat(chat_id)))

    @Operation("set_chat_instructions", "write", status=204, body=Instructions, failures=(413,))
    async def put(self, chat_id: str) -> None:
        """Tell models something before this chat, from the next reply on."""
        asked = self.body(Instructions)
        services = await self.services()
        await services.engine.set_instructions(self.owner, chat_id, asked.text)
        self.set_status(204)
        self.finish()


class NextInstructionsHandler(StopChatHandler):
    """The handler of `instructions/next`: what a prompt would be sent with now."""

    @Operation(
        "get_next_instructions",
        "read",
        NextInstructions,
        query={
            "chat_id": {"type": "string"},
            "path": {"type": "string", "maxLength": LONGEST_PATH},
            "model": {"type": "string", "maxLength": 500},
        },
        failures=(404,),
    )
    async def get(self) -> None:
        """Return the instructions that the next prompt would be sent with: of a chat, or of a new
        one; `path` is the notebook or file that is open.
        """
        asked = {name: self.get_query_argument(name, "") for name in ("chat_id", "path", "model")}
        if len(asked["path"]) > LONGEST_PATH:
            raise StopChatError(ErrorCode.INVALID_FIELD, "path")
        services, chat = await self.services(), ""
        if asked["chat_id"]:
            await services.engine.chat(self.owner, asked["chat_id"])
            chat = await services.store.instructions.of_chat(asked["chat_id"])
        model = asked["model"] or services.models.default_model(self.owner) or ""
        text = None
        if takes := await takes_instructions(services.models, model, self.owner):
            occasion = Occasion(self.owner, takes, chat, asked["path"] or None)
            text = await services.instructions(occasion)
        self.answer(NextInstructions(text=text or ""))


class SentInstructionsHandler(StopChatHandler):
    """The handler of `messages/{message_id}/instructions`."""

    @Operation("get_sent_instructions", "read", SentInstructions)
    async def get(self, message_id: str) -> None:
        """Return the instructions and the prompt that a reply was made with, as they were sent."""
        services = await self.services()
        message = await services.engine.message(self.owner, message_id, "assistant")
        message = services.engine.as_shown([message])[0]
        digests = message.instructions or ()
        kept = await services.store.instructions.sent(message.chat_id, digests)
        texts = tuple(kept[each] for each in digests if each in kept)
        thread = await services.store.get_thread(message_id)
        prompt = await asyncio.to_thread(asked_text, thread)  # it may be long
        incomplete = len(texts) < len(digests)
        self.answer(SentInstructions(texts=texts, incomplete=incomplete, prompt=prompt))
