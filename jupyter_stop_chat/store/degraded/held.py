"""What is kept while nothing can be written: chats in memory, and operations to apply again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, or_, select

from jupyter_stop_chat.ports.store import Making
from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.operations import (
    NOBODY,
    AllowTool,
    AmendPrompt,
    Append,
    AskAgain,
    Beat,
    BeginTurn,
    Charge,
    CreateChat,
    DeleteChat,
    DropMessages,
    EndLeft,
    GiveChat,
    Interrupt,
    KeepBlob,
    Operation,
    Reopen,
    Rewrite,
    SetInstructions,
    SetTitle,
    SweepBlobs,
    Withdraw,
    left_behind,
)
from jupyter_stop_chat.store.reopening import CAN_GO_ON
from jupyter_stop_chat.store.rows import LIVE_MESSAGES, ONE_CHAT, ONE_MESSAGE, chat_of, message_of
from jupyter_stop_chat.store.schema import IS_LIVE, messages
from jupyter_stop_chat.store.tools.allowed import add as add_rules
from jupyter_stop_chat.store.tools.allowed import rules_of
from jupyter_stop_chat.store.weight import weight
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message
from jupyter_stop_chat.wire.times import now

from .copying import ChatRows, read_chat, write_chat, write_messages
from .doubt import answer_before, taken_back
from .reason import as_far, reason_of, unreadable

#: Returns those of some live messages whose processes have ended.
Gone = Callable[[Sequence[dict[str, Any]]], Mapping[str, str | None]]
#: What changes in memory changed later than anything in the database.
_LATER = 2**40
_WHERE = select(messages.c.chat_id).where(messages.c.id == bindparam("id"))
_BESIDE = select(messages.c.id).where(
    messages.c.chat_id == bindparam("id"), IS_LIVE, messages.c.process != bindparam("process")
)
#: So many texts are joined to one.
_PIECES = 1000
#: What a word costs besides its letters: its row in memory.
_ROW = 32
#: The request that a reply answers.
_ANSWERS = case((messages.c.role == "assistant", messages.c.request_id))


class _Appended:
    """Texts that were appended to a message, with nothing done to it in between."""

    def __init__(self, first: Append) -> None:
        self.message_id, self.part = first.message_id, first.part
        self._texts: list[str] = []
        self._pieces = [first.text]

    def add(self, text: str) -> None:
        """Add another text."""
        self._pieces.append(text)
        if len(self._pieces) == _PIECES:
            self._join()

    def whole(self) -> list[Operation]:
        """Return operations that append all of them."""
        self._join()
        return [Append(self.message_id, text, self.part) for text in self._texts]

    def _join(self) -> None:
        # A word alone takes many times the room of its letters.
        self._texts.append("".join(self._pieces))
        self._pieces.clear()


class Held:
    """The chats that were asked to change while their database could not be written.

    Each is copied as a whole before its first change into a database in memory, where every
    operation is applied as it would have been; those that were done are kept, to be applied
    again to the database itself.

    :param database: the one that cannot be written, and maybe not be read either.
    :param making: returns what is being made, for where it cannot be read.
    :param gone: tells which other processes have ended.
    :ivar chats: the ids of those chats, also of those that were deleted.
    :ivar partial: those of which only what is being made was known.
    :ivar rules: whose rules for tools are held.
    :ivar size: what is kept, in bytes.
    """

    def __init__(
        self, database: Database, making: Callable[[], Sequence[Making]], gone: Gone
    ) -> None:
        self.memory = Database("sqlite://", database.process, 0, {})
        self.memory.has_pictures = False
        self.chats: set[str] = set()
        self.partial: set[str] = set()
        self.rules: set[str] = set()
        self._operations: list[Operation | _Appended] = []
        self.size = 0
        self._database = database
        self._making = making
        self._gone = gone
        #: The messages that were looked for.
        self._known: set[str] = set()
        #: By message, what was appended last, while nothing else was done to it since.
        self._last: dict[str, _Appended] = {}
        #: What takes back that which was refused, and may have been done all the same.
        self._taken_back: list[Operation] = []

    async def open(self) -> None:
        """Make the database in memory."""
        await self.memory.open()
        times = {"created_at": now(), "updated_at": now()}
        floor = {"id": NOBODY, "owner": NOBODY, "title": None, "changed": _LATER, **times}
        await self.memory.transact(partial(write_chat, rows=ChatRows(floor, [])))

    async def close(self) -> None:
        """Let go of it."""
        await self.memory.close()

    async def apply_all(self, given: Sequence[Operation], *, doubtful: bool) -> list[Any]:
        """Apply operations to what is held; return what each answers, or raises.

        :param doubtful: they may have been done: the connection broke before that was answered.
        """
        answers: list[Any] = []
        for texts, some in groupby(given, lambda each: isinstance(each, Append)):
            if texts:
                answers += await self._append(list(some))
                continue
            for operation in some:
                try:
                    answers.append(await self.apply(operation, doubtful=doubtful))
                except Exception as error:  # noqa: BLE001 - it is told to who asked
                    answers.append(error)
        return answers

    async def apply(self, operation: Operation, *, doubtful: bool = False) -> Any:
        """Apply an operation to what is held, and return what it answers.

        :param doubtful: it may have been done.
        :raises StopChatError: it cannot be done, or `not_readable`.
        """
        process = self.memory.process
        if isinstance(operation, KeepBlob):
            raise StopChatError(ErrorCode.PICTURES_NOT_SAVED)
        try:
            await self._hold_for(operation)
        except Exception as error:
            if reason_of(error) is None:
                raise
            for each in taken_back(operation, process) if doubtful else ():
                self._taken_back.append(each)
                self._keep(each)
            raise unreadable(error) from error
        if doubtful:
            before = await self.memory.transact(
                partial(answer_before, operation=operation, process=process)
            )
            if before:
                return before[0]
        (answer,) = await self.memory.write([operation])
        if isinstance(operation, BeginTurn):  # not where it was refused: they may lie elsewhere
            self._known.update(message.id for message in operation.messages)
        self._keep(operation)
        return answer

    async def _append(self, given: Sequence[Operation]) -> list[Any]:
        """Append texts at once: each alone would cost many times as much."""
        answers: list[Any] = []
        held = []
        for operation in given:
            try:
                await self._hold_for(operation)
            except Exception as error:  # noqa: BLE001 - it is told to who asked
                answers.append(error if reason_of(error) is None else unreadable(error))
            else:
                answers.append(None)
                held.append(operation)
        await self.memory.write(held)
        for operation in held:
            self._keep(operation)
        return answers

    @property
    def operations(self) -> list[Operation]:
        """Return what was done, in order."""
        done: list[Operation] = []
        for each in self._operations:
            done += each.whole() if isinstance(each, _Appended) else [each]
        return done

    def __len__(self) -> int:
        return len(self._operations)

    def _keep(self, operation: Operation) -> None:
        if not isinstance(operation, Append):
            self.size += weight(operation)
            self._last.pop(getattr(operation, "message_id", ""), None)
            self._operations.append(operation)
            return
        self.size += len(operation.text) + _ROW
        last = self._last.get(operation.message_id)
        if last is not None and last.part == operation.part:
            last.add(operation.text)
            return
        self._last[operation.message_id] = _Appended(operation)
        self._operations.append(self._last[operation.message_id])

    # --- what an operation is about ----------------------------------------------------------

    async def _hold_for(  # noqa: PLR0912 - one case an operation
        self, operation: Operation
    ) -> None:
        match operation:
            case CreateChat(chat):
                await self.hold(chat.id, new=True)
            case SetTitle(chat_id) | SetInstructions(chat_id) | Charge(chat_id):
                await self.hold(chat_id)
            case DropMessages(chat_id) | DeleteChat(chat_id) | GiveChat(chat_id):
                await self.hold(chat_id)
            case BeginTurn(turn, chat, _):
                if chat is not None:
                    await self.hold(chat.id, new=True)
                for chat_id in {message.chat_id for message in turn}:
                    await self.hold(chat_id)
                    await self._look_again(chat_id)
                await self._refuse_taken(operation)
            case Reopen(message_id):
                await self._hold_message(message_id)
                for row in await self.memory.read(_WHERE, {"id": message_id}):
                    await self._look_again(row["chat_id"])
                await self._refuse_answered(operation)
            case AmendPrompt(message_id, asked=asked):
                for each in (message_id, *(asked or ())[:1]):
                    await self._hold_message(each)
            case AllowTool(owner, chat_id) | AskAgain(owner, chat_id):
                await self._hold_rules(owner, chat_id)
            case Beat() | Interrupt() | EndLeft() | Withdraw() | SweepBlobs() | KeepBlob():
                pass
            case _:
                await self._hold_message(operation.message_id)

    async def _hold_message(self, message_id: str) -> None:
        """Hold the chat of a message."""
        if message_id in self._known:
            return
        try:
            found = await self._database.read(_WHERE, {"id": message_id})
        except Exception as error:
            live = [each for each in self._making() if each.message_id == message_id]
            if reason_of(error) is None:
                raise
            if live and live[0].chat.id in self.chats:
                await self._hold_live(live)
            elif live:
                await self.hold(live[0].chat.id)
            elif not await self.memory.read(_WHERE, {"id": message_id}):
                raise
        else:
            if found:
                await self.hold(found[0]["chat_id"])
        self._known.add(message_id)

    async def hold(self, chat_id: str, *, new: bool = False) -> None:
        """Hold a chat as it is, or what is being made in it where it cannot be read.

        :param new: it is about to be made: where nothing can be read, its id is taken for free.
        """
        if chat_id in self.chats:
            return
        live = [each for each in self._making() if each.chat.id == chat_id]
        try:
            rows = await read_chat(self._database, chat_id)
        except Exception as error:
            if reason_of(error) is None or not (live or new):
                raise
            if live:
                self.partial.add(chat_id)
            self.chats.add(chat_id)
            await self._hold_live(live)
            return
        self.chats.add(chat_id)
        if rows is None:
            await self._hold_live(live)
            return
        await self.memory.transact(partial(write_chat, rows=rows))
        await self.memory.write(self._taken_back)
        for each in live:
            found = await self.memory.read(ONE_MESSAGE, {"id": each.message_id})
            known = message_of(found[0]) if found else None
            told = each.told()
            if known is None:
                await self._hold_live([each])
            elif (known.text, known.reasoning) != (told.text, told.reasoning):
                # It was written, though that was said to have failed: what was told counts.
                await self._rewrite(told)

    async def _hold_rules(self, owner: str, chat_id: str) -> None:
        """Hold which tools of an owner may act unasked; where that cannot be read, none may."""
        if chat_id:
            await self.hold(chat_id)
        if owner in self.rules:
            return
        found = await as_far(self._database.read(rules_of(owner)), [])
        known = [(row["chat_id"], row["tool"]) for row in found]
        await self.memory.transact(partial(add_rules, owner=owner, rules=known))
        self.rules.add(owner)

    async def _hold_live(self, live: Sequence[Making]) -> None:
        """Hold what is being made, as far as it is known without the database."""
        for each in live:
            told = each.told()
            said = [told] if each.prompt is None else [each.prompt, told]
            rows = ChatRows.of(each.chat, said, self.memory.process)
            known = await self.memory.read(ONE_CHAT, {"id": each.chat.id})
            write = write_messages if known else write_chat
            await self.memory.transact(partial(write, rows=rows))
            self.chats.add(each.chat.id)
            self._known.update(message.id for message in said)
            await self._rewrite(told)

    async def _rewrite(self, told: Message) -> None:
        rewrite = Rewrite(told.id, told.text, told.reasoning)
        await self.memory.write([rewrite])
        self._keep(rewrite)

    async def _look_again(self, chat_id: str) -> None:
        """Look again at what other processes were making in a chat when it was copied."""
        beside = {"id": chat_id, "process": self.memory.process}
        ids = {row["id"] for row in await self.memory.read(_BESIDE, beside)}
        if not ids:
            return
        found = await as_far(self._read_beside(chat_id), None)
        if found is None:
            return
        rows, live = found
        if rows is not None:
            rows.messages = [row for row in rows.messages if row["id"] in ids]
            await self.memory.transact(partial(write_messages, rows=rows))
        gone = await in_thread(self._gone, [row for row in live if row["id"] in ids])
        await self.memory.write([left_behind(each, process) for each, process in gone.items()])

    async def _read_beside(self, chat_id: str) -> tuple[ChatRows | None, list[dict[str, Any]]]:
        """Read a chat, and all that is being made."""
        rows = await read_chat(self._database, chat_id)
        return rows, await self._database.read(LIVE_MESSAGES)

    async def _refuse_taken(self, turn: BeginTurn) -> None:
        """Refuse what the database would: an id or a request of a chat that is not held."""
        ids = [message.id for message in turn.messages]
        asked = [each.request_id for each in turn.messages if each.role == "assistant"]
        for chat_id in {message.chat_id for message in turn.messages}:
            chat = turn.chat
            if chat is None or chat.id != chat_id:
                found = await self.memory.read(ONE_CHAT, {"id": chat_id})
                if not found:
                    return
                chat = chat_of(found[0])
            its = and_(messages.c.owner == (turn.owner or chat.owner), _ANSWERS.in_(asked))
            await self._refuse_if(or_(messages.c.id.in_(ids), its))

    async def _refuse_answered(self, operation: Reopen) -> None:
        if operation.request_id is None:
            return
        can = select(messages.c.owner).where(messages.c.id == operation.message_id, CAN_GO_ON)
        for row in await self.memory.read(can):
            await self._refuse_if(
                and_(messages.c.owner == row["owner"], _ANSWERS.in_([operation.request_id]))
            )

    async def _refuse_if(self, there: ColumnElement[bool]) -> None:
        """Refuse where the database has such a message; where it cannot be read, do not."""
        found = await as_far(self._database.read(select(messages.c.chat_id).where(there)), [])
        if any(row["chat_id"] not in self.chats for row in found):
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there")
