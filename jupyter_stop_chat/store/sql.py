"""The store on a SQL database; imports SQLAlchemy, so `open_store` imports this in a thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from jupyter_stop_chat.ports.spending import NoPrices, Prices
from jupyter_stop_chat.ports.store import Making, Part, Settlement
from jupyter_stop_chat.ports.tools import Told
from jupyter_stop_chat.threads import Then, answer, tell
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment, Chat, Message, MessageState, Mode, Receipt
from jupyter_stop_chat.wire.tools import ToolCall

from .adding import add_chat
from .blobs import SqlBlobs
from .database import Database
from .degraded.overlay import Overlay
from .degraded.reason import Reason, reason_of, unreadable
from .degraded.saving import Saver, Sleep
from .instructions import SqlInstructions
from .operations import (
    NOBODY,
    AmendPrompt,
    AmendStop,
    AmendTool,
    Append,
    BeginTurn,
    CreateChat,
    DeleteChat,
    DropMessages,
    GiveChat,
    MakeThought,
    Operation,
    PutTool,
    Reopen,
    SetState,
    SetTitle,
    Settle,
)
from .processes.heartbeat import Heartbeat
from .processes.questions import DatabasePeers
from .reading import Reader
from .spending import SqlSpending
from .tools.allowed import SqlAllowedTools
from .tools.calls import SqlCalls
from .tools.journal import SqlJournal
from .tools.outputs import SqlOutputs

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class SqlStore:
    """What remembers chats and messages in a SQL database.

    :param db_url: where, as SQLAlchemy writes it; `sqlite:///` and `postgresql://` choose their
        asynchronous drivers by themselves.
    :param owner_process: this server process: `<host>:<pid>:<what tells its lives apart>`.
    :param busy_seconds: how long a write waits for another process's lock.
    :param pragmas: further SQLite pragmas for the connection that writes.
    :param sleep: how to wait, in seconds, between tries to save.
    :param prices: tells what is counted for replies whose process ended.
    :ivar peers: what reaches the other processes on this database through it.
    """

    def __init__(
        self,
        db_url: str,
        *,
        owner_process: str,
        busy_seconds: float = 1.0,
        pragmas: Mapping[str, str | int] = MappingProxyType({}),
        sleep: Sleep = asyncio.sleep,
        prices: Prices = NoPrices(),  # noqa: B008 - it has no state
    ) -> None:
        self.on_degraded: Callable[[bool], None] = lambda degraded: None
        #: Returns what is being made: it is saved also where the database is lost.
        self.making: Callable[[], Sequence[Making]] = lambda: ()
        #: Told how many seconds the commit of a group of changes took.
        self.on_commit: Callable[[float], None] = lambda seconds: None
        self._database = Database(db_url, owner_process, busy_seconds, pragmas)
        self._saver = Saver(
            self._database,
            owner_process,
            sleep,
            lambda degraded: self.on_degraded(degraded),  # noqa: PLW0108 - it may be set later
            lambda: self.making(),  # noqa: PLW0108 - as above
            prices,
        )
        self._writer = self._saver.writer
        self._writer.on_commit = lambda seconds: self.on_commit(seconds)  # noqa: PLW0108 - as above
        write, read = self._writer.write, self._read
        self.instructions, self.spending = SqlInstructions(write, read), SqlSpending(write, read)
        self.blobs = SqlBlobs(write, read, lambda: not self._saver.degraded)
        self.allowed_tools, self.journal = SqlAllowedTools(write, read), SqlJournal(write, read)
        self.calls, self.outputs = SqlCalls(write, read), SqlOutputs(write, read)
        self.peers = DatabasePeers(self._database, self._saver, owner_process)
        # Servers of one database server rely on each other; a file's locks say who lives.
        self._heartbeat = Heartbeat(
            self._saver,
            lambda: self._database.path is not None and not self.making(),
            self.blobs.sweep,
        )
        self._deleting: set[asyncio.Task[bool]] = set()
        #: Set when a message ends that waits for room.
        self._ended: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()

    async def open(
        self, on_recovered: Callable[[Sequence[Message]], None] = lambda messages: None
    ) -> None:
        """Make the store ready; what an ended process left running becomes `interrupted`.

        :param on_recovered: told of those messages; later, if the database cannot be used yet.
        """
        await self._saver.open(on_recovered)
        prepared = self._database.prepared
        if self._database.path is not None and prepared and prepared.journal != "wal":
            log.warning(
                "Chats are saved in SQLite's slower %r journal: this file system takes no WAL.",
                prepared.journal,
            )
        self._heartbeat.start()

    async def close(self) -> None:
        """Write what is left and let go of everything."""
        await self._heartbeat.stop()
        await self._saver.close()

    def health(self) -> dict[str, Any]:
        """Return the store's health; nothing in it is secret, and the password is masked."""
        prepared = self._database.prepared
        return {
            "url": self._database.url.render_as_string(hide_password=True),
            "journal_mode": prepared.journal if prepared else None,
            "search": "index" if prepared and prepared.indexed else "scan",
            "backlog": self._writer.backlog + len(self._saver.held or ()),
            "degraded": self._saver.degraded,
            "reason": self._saver.reason and self._saver.reason.value,
            "set_aside": list(self._saver.set_aside),
        }

    async def recover(self) -> None:
        """Interrupt what ended processes were making, as `open` does."""
        await self._saver.recover()

    # --- writing -----------------------------------------------------------------------------

    async def create_chat(self, chat: Chat) -> None:
        """Remember a new chat.

        :raises StopChatError: `not_possible_now`: its id is taken.
        """
        await self._writer.write(CreateChat(chat))

    async def add_chat(
        self,
        chat: Chat,
        messages: Sequence[Message],
        calls: Mapping[str, Sequence[Told]] = MappingProxyType({}),
    ) -> None:
        """Remember a whole chat; nobody sees it before all of it is there.

        :param calls: the tool calls of its messages, by their ids.
        """
        await add_chat(self._writer.write, chat, messages, calls)

    async def set_title(self, chat_id: str, title: str | None) -> bool:
        """Set or clear a title; tell whether the chat exists."""
        return bool(await self._writer.write(SetTitle(chat_id, title)))

    async def delete_chat(self, chat_id: str) -> bool:
        """Delete a chat with its messages; tell whether it existed.

        It is hidden, and goes a page at a time, so that what others write goes on in between.
        """
        # A task of its own: with its caller gone it would be hidden for ever, and not deleted.
        deleting = asyncio.create_task(self._delete(chat_id), name="stop-chat-store-delete")
        self._deleting.add(deleting)
        deleting.add_done_callback(self._deleting.discard)
        return await asyncio.shield(deleting)

    async def _delete(self, chat_id: str) -> bool:
        if not await self._writer.write(GiveChat(chat_id, NOBODY)):
            return False
        while await self._writer.write(DropMessages(chat_id)):
            pass
        await self._writer.write(DeleteChat(chat_id))
        return True

    async def begin_turn(self, messages: Sequence[Message], chat: Chat | None = None) -> None:
        """Add messages at the end of a chat, in one transaction; `chat` is created first.

        :raises StopChatError: `unknown_chat`, or `not_possible_now` when an id or the owner's
            request id is taken, or `made_elsewhere` while another process makes a reply there.
        """
        await self._write_alone(BeginTurn(tuple(messages), chat))

    async def set_state(self, message_id: str, state: MessageState) -> bool:
        """Move a message that is not terminal to another that is not; tell whether it did."""
        return bool(await self._writer.write(SetState(message_id, state)))

    def append(self, message_id: str, text: str, part: Part = "text") -> Awaitable[None]:
        """Append text to a live message; one that has ended stays as it is."""
        operation = Append(message_id, text, part)
        return self._append_later(operation) if self._saver.full else self._writer.write(operation)

    def append_then(self, message_id: str, text: str, part: Part, then: Then) -> None:
        """Append text, and then call a function: no task and no future for each word."""
        if self._saver.full or self._writer.full:
            later = asyncio.ensure_future(self.append(message_id, text, part))
            later.add_done_callback(partial(tell, then))
        else:
            self._writer.write_then(Append(message_id, text, part), then)

    async def _append_later(self, operation: Append) -> None:
        if await self._has_room(operation.message_id):
            await self._writer.write(operation)

    async def _has_room(self, message_id: str) -> bool:
        """Wait for room; tell whether the message has not ended meanwhile.

        It may be gone on with by now: what it was to get before its end would come after that.
        """
        ended = self._ended.get(message_id) or asyncio.Event()
        self._ended[message_id] = ended
        await self._saver.has_room()
        return not ended.is_set()

    async def make_thought(self, message_id: str, begin: int) -> None:
        """Move the text of a message that is not terminal, from there on, to its reasoning."""
        await self._writer.write(MakeThought(message_id, begin))

    async def put_tool(self, message_id: str, call: ToolCall) -> None:
        """Keep a tool call of a live message, in the place of its earlier state."""
        if await self._has_room(message_id):
            await self._writer.write(PutTool(message_id, call))

    async def amend_tool(self, message_id: str, call: ToolCall) -> None:
        """Replace a tool call of a message that has ended: it ended later."""
        await self._writer.write(AmendTool(message_id, call))

    async def settle(self, message_id: str, settlement: Settlement) -> Message | None:
        """Claim the terminal state of a message.

        :returns: the message as it is kept, or None when another had claimed it before.
        """
        future: asyncio.Future[Message | None] = asyncio.get_running_loop().create_future()
        self.settle_then(message_id, settlement, partial(answer, future))
        return await future

    def settle_then(self, message_id: str, settlement: Settlement, then: Then) -> None:
        """Claim the terminal state of a message, and tell a function what `settle` returns."""
        if (ended := self._ended.pop(message_id, None)) is not None:
            ended.set()
        self._writer.write_then(Settle(message_id, settlement), then)

    async def reopen(
        self,
        message_id: str,
        request_id: str | None = None,
        model: str | None = None,
        mode: Mode | None = None,
    ) -> Message | None:
        """Move an `interrupted` or `failed` message back to `queued`, to go on from its text.

        :param request_id: what asks for it; the message is found by its earlier ones as well.
        :param model: which model goes on, if it is another; `mode`, in which mode, likewise.
        :raises StopChatError: `not_possible_now`: another message has answered that request, or
            `made_elsewhere`: another process makes a reply in its chat.
        """
        kept: Message | None = await self._write_alone(Reopen(message_id, request_id, model, mode))
        return kept

    async def amend_stop(self, message_id: str, receipt: Receipt) -> None:
        """Replace the receipt of a message that was stopped: its provider closed late."""
        await self._writer.write(AmendStop(message_id, receipt))

    async def amend_prompt(
        self,
        message_id: str,
        text: str,
        reply_to: str | None,
        asked: tuple[str, str] | None = None,
        attachments: tuple[Attachment, ...] | None = None,
        mode: Mode | None = None,
    ) -> None:
        """Replace the text and the place of a prompt whose reply has not begun.

        :param asked: that reply, and the request that it is found by from now on as well.
        :param attachments: what goes with it from now on, as `mode` both; None: as before.
        """
        await self._writer.write(AmendPrompt(message_id, text, reply_to, asked, attachments, mode))

    async def _write_alone(self, operation: Operation) -> Any:
        """Write what begins a reply in a chat, unless another process makes one there."""
        try:
            return await self._writer.write(operation)
        except StopChatError as error:
            if error.code is not ErrorCode.MADE_ELSEWHERE:
                raise
        await self._saver.recover()  # that process may have ended without a word
        return await self._writer.write(operation)

    # --- reading -----------------------------------------------------------------------------

    async def get_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, or None."""
        return await self._read(lambda reader: reader.get_chat(chat_id))

    async def list_chats(
        self, owner: str, *, query: str = "", limit: int = 50, before: str | None = None
    ) -> list[Chat]:
        """List an owner's chats, newest change first.

        :param query: words that must all begin some word of the title or of one message.
        :param before: the id that the last page ended with.
        """
        return await self._read(lambda reader: reader.list_chats(owner, query, limit, before))

    async def hits(self, chat_ids: Sequence[str], query: str) -> dict[str, str]:
        """Return of some chats the lines in which a query is found, by the chats' ids."""
        return await self._read(lambda reader: reader.hits(chat_ids, query))

    async def count_chats(self, owner: str) -> int:
        """Count an owner's chats."""
        return await self._read(lambda reader: reader.count_chats(owner))

    async def get_message(self, message_id: str) -> Message | None:
        """Return a message, or None."""
        return await self._read(lambda reader: reader.get_message(message_id))

    async def made_elsewhere(
        self, owner: str | None, chat_id: str | None = None
    ) -> dict[str, str]:
        """Return the ids of messages that other processes make now, with their chats'.

        :param owner: whose they are; None: everyone's.
        :param chat_id: only those of this chat.
        """
        return await self._read(lambda reader: reader.made_elsewhere(owner, chat_id))

    async def makers(self, owner: str | None, chat_id: str | None = None) -> dict[str, str]:
        """Return the ids of what other processes make now, with theirs: an owner's, or all."""
        return await self._read(lambda reader: reader.makers(owner, chat_id))

    async def identity(self) -> str:
        """Return the name of the database, which no other has."""
        return await self._read(lambda reader: reader.identity())

    async def lost(self, message_ids: Sequence[str]) -> list[str]:
        """Return which of some messages that were made here another process deleted or ended."""
        return await self._read(lambda reader: reader.lost(message_ids))

    async def find_request(self, owner: str, request_id: str) -> Message | None:
        """Return the assistant message that an owner's request made or went on with, or None."""
        return await self._read(lambda reader: reader.find_request(owner, request_id))

    async def get_messages(self, chat_id: str) -> list[Message]:
        """Return all messages of a chat, oldest first."""
        return await self._read(lambda reader: reader.get_messages(chat_id))

    async def newest_reply(self, chat_id: str) -> str | None:
        """Return the newest reply that ends a thread and is neither taken out nor to come."""
        return await self._read(lambda reader: reader.newest_reply(chat_id))

    async def get_thread(self, message_id: str) -> list[Message]:
        """Return a message and those before it along `reply_to`, oldest first."""
        return await self._read(lambda reader: reader.get_thread(message_id))

    async def _read(self, question: Callable[[Reader], Awaitable[_T]]) -> _T:
        """Ask what reads; a damaged database is set aside, and asked again."""
        reader = self._saver.reader()
        try:
            return await question(reader)
        except Exception as error:
            reason = reason_of(error)
            if reason is None:
                raise
            # What was kept in memory may be saved by now, and gone from there.
            saved = isinstance(reader, Overlay) and reader.held is not self._saver.held
            if reason in {Reason.CORRUPT, Reason.SEARCH_CORRUPT}:
                await self._saver.found_unreadable(reason, error)
            elif not saved:
                raise unreadable(error) from error
        try:
            return await question(self._saver.reader())
        except Exception as error:
            if reason_of(error) is None:
                raise
            raise unreadable(error) from error
