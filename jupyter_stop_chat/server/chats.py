"""The HTTP routes of the history."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast, get_args

from jupyter_stop_chat.documents.export import MEDIA_TYPES, Format, export
from jupyter_stop_chat.documents.importing import (
    MAX_IMPORT_BYTES,
    MAX_PICTURES,
    ImportRequest,
    read_chat,
)
from jupyter_stop_chat.ports.pictures import Picture
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.store.slices import in_slices
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.http import ChatList, ChatPatch, WholeChat
from jupyter_stop_chat.wire.objects import Chat, Message, Usage
from jupyter_stop_chat.wire.server_frames import ChatChanged
from jupyter_stop_chat.wire.usage import total

from .base import StopChatHandler
from .openapi import ANYTHING, ID, Operation

#: How many chats, and how many messages, a page has, and how many it may have.
PAGE, MESSAGES, LARGEST_PAGE = 50, 100, 200
#: With so many characters a page of messages is full; one message is as long as it is.
MOST_CHARACTERS = 1024 * 1024
#: So much of a chat's pictures is in an export, in bytes: with a third more, as base64, it can be
#: imported again.
MOST_EXPORTED = MAX_IMPORT_BYTES * 5 // 8
#: What a query says of a page.
PART = {"limit": {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE}, "before": ID}


class ChatsHandler(StopChatHandler):
    """The handler of `chats`."""

    @Operation(
        "list_chats",
        "read",
        ChatList,
        failures=(400,),
        query={**PART, "query": {"type": "string"}},
    )
    async def get(self) -> None:
        """List chats, newest change first; `query` searches titles and texts."""
        limit = self.number("limit", PAGE, LARGEST_PAGE)
        services = await self.services()
        query = self.get_query_argument("query", "")
        chats = await services.store.list_chats(
            self.owner,
            query=query,
            limit=limit,
            before=self.get_query_argument("before", None),
        )
        hits = await services.store.hits([chat.id for chat in chats], query)
        listed = await services.engine.with_states(self.owner, chats)
        self.answer(ChatList(chats=listed, hits=hits or None))

    @Operation(
        "import_chat", "write", Chat, status=201, body=ImportRequest, failures=(409, 413, 415, 422)
    )
    async def post(self) -> None:
        """Import a chat that was exported as JSON; it becomes a new one, of yours."""
        services = await self.services()
        longest = services.engine.limits.max_reply_length
        async with services.engine.room.for_chat(self.owner):
            # In a thread: it may be long.
            read = await asyncio.to_thread(read_chat, self.request.body, self.owner, longest)
            chat, kept = read.chat, dict[str, Picture]()
            for digest, raw in read.pictures.items():
                # What is in a file is checked as what is uploaded is.
                made = await services.pictures.made(raw, self.owner)
                await services.engine.pictures.keep(self.owner, made.picture, made.data)
                kept[digest] = made.picture
            await services.store.add_chat(chat, read.with_pictures(kept), read.calls)
        services.engine.bus.announce(chat.owner, ChatChanged(chat=chat))
        self.answer(chat, 201)


def _size(message: Message) -> int:
    """Tell about how many characters a message takes."""
    parts = [message.text, message.reasoning, *(each.text for each in message.attachments)]
    parts += [part for each in message.tools for part in (each.args, each.result)]
    return sum(len(part) for part in parts if part)


class ChatHandler(StopChatHandler):
    """The handler of `chats/{chat_id}`."""

    @Operation("get_chat", "read", WholeChat, failures=(400,), query=PART)
    async def get(self, chat_id: str) -> None:
        """Return a chat with its newest messages, oldest first; `before` is the id that a
        page began with.
        """
        limit = self.number("limit", MESSAGES, LARGEST_PAGE)
        before = self.get_query_argument("before", None)
        services = await self.services()
        chat = await services.engine.chat(self.owner, chat_id)
        messages = await services.store.get_messages(chat_id)
        used: Usage | None = None
        ids: list[str] = []
        for message in messages:
            used = total(used, message.usage)
            ids.append(message.id)
        if before is not None and before not in ids:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        end = len(ids) if before is None else ids.index(before)
        page: list[Message] = []
        room = MOST_CHARACTERS
        while end > 0 and len(page) < limit and room > 0:
            end -= 1
            generation = services.engine.generation(ids[end])
            page.append(
                generation.snapshot() if generation and generation.is_accepted else messages[end]
            )
            room -= _size(page[-1])
        if used is not None:
            used = used.model_copy(update={"sent_from": None})  # that is a message's own
        head = WholeChat(chat=chat, messages=(), earlier=end, usage=used).model_dump_json(
            exclude_none=True, exclude={"messages"}
        )
        # One by one: long messages that are written in one go hold everybody up.
        written = await in_slices(lambda each: each.model_dump_json(exclude_none=True), page[::-1])
        self.set_header("Content-Type", "application/json")
        self.finish(f'{head[:-1]},"messages":[{",".join(written)}]}}')

    @Operation("rename_chat", "write", Chat, body=ChatPatch, failures=(413,))
    async def patch(self, chat_id: str) -> None:
        """Give a chat another title, or none."""
        asked = self.body(ChatPatch)
        services = await self.services()
        self.answer(await services.engine.set_title(self.owner, chat_id, asked.title))

    @Operation("delete_chat", "write", status=204)
    async def delete(self, chat_id: str) -> None:
        """Stop what runs in a chat, and delete it."""
        services = await self.services()
        await services.engine.delete_chat(self.owner, chat_id)
        self.set_status(204)
        self.finish()


class ExportHandler(StopChatHandler):
    """The handler of `chats/{chat_id}/export`."""

    @Operation(
        "export_chat",
        "read",
        dict.fromkeys(MEDIA_TYPES.values(), ANYTHING),
        failures=(400,),
        query={
            "format": {"type": "string", "enum": list(MEDIA_TYPES)},
            "instructions": {"type": "boolean"},
        },
    )
    async def get(self, chat_id: str) -> None:
        """Return a chat as Markdown, as a notebook or as JSON; with `instructions`, what models
        were told before it as well.
        """
        form = self.get_query_argument("format", "md")
        services = await self.services()
        chat = await services.engine.chat(self.owner, chat_id)
        if form not in get_args(Format):
            raise StopChatError(ErrorCode.INVALID_FIELD, "format")
        messages = services.engine.as_shown(await services.store.get_messages(chat_id))
        sent = None
        if self.get_query_argument("instructions", "") in {"1", "true"}:
            digests = [digest for each in messages for digest in each.instructions or ()]
            sent = await services.store.instructions.sent(chat_id, list(dict.fromkeys(digests)))
        pictures = await self._pictures(messages) if form != "md" else {}
        calls: dict[str, list[Told]] = {}
        if form == "json":
            calls = await services.store.calls.of([each.id for each in messages if each.tools])
        # In a thread: it may be long.
        written = await asyncio.to_thread(
            export, chat, messages, cast("Format", form), sent, pictures, calls
        )
        media_type = MEDIA_TYPES[cast("Format", form)]
        self.finish(written, set_content_type=f"{media_type}; charset=utf-8")

    async def _pictures(self, messages: Sequence[Message]) -> dict[str, bytes]:
        """Read the pictures of a chat, as many as an import takes; the others are named."""
        store = (await self.services()).store.blobs
        digests = [each.blob for said in messages for each in said.attachments if each.blob]
        read: dict[str, bytes] = {}
        room = MOST_EXPORTED
        for digest in dict.fromkeys(digests):
            data = await store.read(self.owner, digest) or b""
            room -= len(data)
            if room < 0 or len(read) == MAX_PICTURES:
                break
            if data:
                read[digest] = data
        return read
