"""Chats and messages in memory: those being made, and whatever the database cannot take now.

The same operations have the same answers here as in `changes.py`. While all is well this only
follows what is committed, and keeps no more than the messages that are being made: enough to
write them anew should the database be lost. While the store is degraded it takes the writes
instead.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jupyter_stop_chat.ports.store import ended, put
from jupyter_stop_chat.store.operations import (
    AmendPrompt,
    AmendStop,
    Append,
    Beat,
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
    weight,
)
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message, MessageState, Receipt, ToolCall
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

from .kept import Kept, clean_message


class Memory:
    """What applies operations in memory, and remembers which the database has not seen.

    :ivar changed: chats that the database must hear of, in the order of their last change.
    :ivar created: those of them that the database has never seen.
    :ivar titled: chats whose title changed; that alone is no change of a chat's place.
    :ivar deleted: chats that the database must forget.
    :ivar unsaved: messages that the database must hear of.
    :ivar size: about how many characters wait for the database.
    """

    def __init__(self) -> None:
        self.chats: dict[str, Chat] = {}
        self.messages: dict[str, Kept] = {}
        self.changed: dict[str, None] = {}
        self.created: set[str] = set()
        self.titled: set[str] = set()
        self.deleted: set[str] = set()
        self.unsaved: set[str] = set()
        self.size = 0

    # --- while all is well -------------------------------------------------------------------

    def follow(self, operation: Operation, answer: Any) -> None:  # noqa: PLR0912 - as apply
        """Hear of an operation that was committed, and of its answer."""
        match operation:
            case Append(message_id, text, part):
                self._append(message_id, text, part)
            case MakeThought():
                self._make_thought(operation)
            case PutTool(message_id, call):
                self._put_tool(message_id, call)
            case BeginTurn(turn, _, _):
                if any(message.state not in TERMINAL for message in turn):
                    for chat in answer:
                        self.chats[chat.id] = chat
                    self.messages.update((each.id, Kept(clean_message(each))) for each in turn)
            case SetState(message_id, state):
                if answer and (kept := self.messages.get(message_id)) and kept.live:
                    kept.message = kept.message.model_copy(update={"state": state})
            case Settle(message_id, _):
                self._forget(message_id)
            case Reopen():
                if answer is not None:
                    message, chat = answer
                    self.chats.setdefault(chat.id, chat)
                    self.messages[message.id] = Kept(message)
            case AmendStop(message_id, receipt):
                self._amend(message_id, receipt)
            case AmendPrompt():
                self._amend_prompt(operation)
            case SetTitle(chat_id, title):
                if chat := self.chats.get(chat_id):
                    clean = {"title": None if title is None else whole(title)}
                    self.chats[chat_id] = chat.model_copy(update=clean)
            case DeleteChat(chat_id):
                self._drop_chat(chat_id)

    def _forget(self, message_id: str) -> None:
        """Let go of a message that ended, and of its chat when nothing else there is live."""
        kept = self.messages.pop(message_id, None)
        if kept is not None and not any(
            other.live
            for other in self.messages.values()
            if other.message.chat_id == kept.message.chat_id
        ):
            self._drop_chat(kept.message.chat_id)

    # --- while it is degraded ----------------------------------------------------------------

    def learn(self, chat: Chat, message: Message | None = None) -> None:
        """Take in what the database knows, for an operation that follows."""
        self.chats.setdefault(chat.id, chat)
        if message is not None:
            self.messages.setdefault(message.id, Kept(message))

    def apply(self, operation: Operation) -> Any:  # noqa: PLR0912 - one case an operation
        """Apply an operation instead of the database, and return what it answers.

        :raises StopChatError: the operation cannot be done.
        """
        match operation:
            case Append(message_id, text, part):
                if self._append(message_id, text, part):
                    self.unsaved.add(message_id)
                    self.size += len(text)
            case MakeThought(message_id, _):
                if self._make_thought(operation):
                    self.unsaved.add(message_id)
            case PutTool(message_id, call):
                if self._put_tool(message_id, call):
                    self.unsaved.add(message_id)
                    self.size += weight(operation)
            case CreateChat(chat):
                self._create(chat)
            case SetTitle(chat_id, title):
                chat_or_none = self.chats.get(chat_id)
                if chat_or_none is None:
                    return False
                clean = {"title": None if title is None else whole(title)}
                self.chats[chat_id] = chat_or_none.model_copy(update=clean)
                self.titled.add(chat_id)
                return True
            case DeleteChat(chat_id):
                known = chat_id in self.chats
                self._drop_chat(chat_id)
                if known:
                    self.deleted.add(chat_id)
                return known
            case DropMessages():
                return False  # all at once, with their chat
            case BeginTurn():
                return self._begin_turn(operation)
            case GiveChat(chat_id, owner):
                chat_or_none = self.chats.get(chat_id)
                if chat_or_none is None or chat_or_none.owner == whole(owner):
                    return False
                self.chats[chat_id] = chat_or_none.model_copy(update={"owner": whole(owner)})
                self._touch(chat_id)
                return True
            case SetState(message_id, state):
                if state in TERMINAL:
                    raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "a terminal state is settled")
                kept = self.messages.get(message_id)
                if kept is None or not kept.live:
                    return False
                kept.message = kept.message.model_copy(update={"state": state})
                self.unsaved.add(message_id)
                return True
            case Settle():
                return self._settle(operation)
            case Reopen():
                return self._reopen(operation)
            case AmendStop(message_id, receipt):
                if self._amend(message_id, receipt):
                    self.unsaved.add(message_id)
            case AmendPrompt():
                self._amend_kept(operation)
            case Beat():
                pass
        return None

    def mark_all(self) -> None:
        """Note that the database is empty: it must hear of everything that is known here."""
        self.created.update(self.chats)
        for chat_id in self.chats:
            self.changed.setdefault(chat_id)
        self.unsaved.update(self.messages)
        self.deleted.clear()

    def after_saving(self) -> Memory:
        """Return what is to be followed on, once the database has heard of everything."""
        rest = Memory()
        live = {kept.message.chat_id for kept in self.messages.values() if kept.live}
        rest.chats = {key: chat for key, chat in self.chats.items() if key in live}
        rest.messages = {
            key: Kept(kept.whole())
            for key, kept in self.messages.items()
            if kept.live or (kept.message.role == "user" and kept.message.chat_id in live)
        }
        return rest

    def unsaved_messages(self) -> Iterable[Kept]:
        """Return what the database must hear of, in the order in which it came."""
        return [kept for key, kept in self.messages.items() if key in self.unsaved]

    def _append(self, message_id: str, text: str, part: str) -> bool:
        kept = self.messages.get(message_id)
        if kept is None or not kept.live:
            return False
        (kept.text if part == "text" else kept.reasoning).append(whole(text))
        return True

    def _make_thought(self, operation: MakeThought) -> bool:
        kept = self.messages.get(operation.message_id)
        if kept is None or not kept.live:
            return False
        message = kept.whole()
        thought = utf16_slice(message.text, operation.begin)
        # All but the thought: a character that it begins within stays whole.
        length = message.text_length - utf16_length(thought)
        kept.message = message.model_copy(
            update={
                "text": utf16_slice(message.text, 0, length),
                "text_length": length,
                "reasoning": (message.reasoning or "") + thought or None,
            }
        )
        return True

    def _put_tool(self, message_id: str, call: ToolCall) -> bool:
        kept = self.messages.get(message_id)
        if kept is None or not kept.live:
            return False
        tools = put(kept.message.tools, call)
        kept.message = kept.message.model_copy(update={"tools": tools})
        return True

    def _amend(self, message_id: str, receipt: Receipt) -> bool:
        kept = self.messages.get(message_id)
        stop = kept and kept.message.stop
        if not kept or not stop or stop.requested_at != receipt.requested_at:
            return False
        kept.message = kept.message.model_copy(update={"stop": receipt})
        return True

    def _create(self, chat: Chat) -> None:
        if chat.id in self.chats:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there")
        title = None if chat.title is None else whole(chat.title)
        clean = {"owner": whole(chat.owner), "title": title}
        self.chats[chat.id] = chat.model_copy(update=clean)
        self.created.add(chat.id)
        self.changed[chat.id] = None

    def _touch(self, chat_id: str) -> None:
        if chat := self.chats.get(chat_id):
            self.chats[chat_id] = chat.model_copy(update={"updated_at": now()})
        self.changed.pop(chat_id, None)
        self.changed[chat_id] = None

    def _begin_turn(self, operation: BeginTurn) -> None:
        chat = operation.chat
        if chat is not None and chat.id in self.chats:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there")
        known = self.chats if chat is None else {**self.chats, chat.id: chat}
        if any(message.chat_id not in known for message in operation.messages):
            raise StopChatError(ErrorCode.UNKNOWN_CHAT)
        taken: set[object] = set(self.messages)
        taken.update(_asked(kept.message, known) or "" for kept in self.messages.values())
        for message in operation.messages:
            if message.id in taken or (asked := _asked(message, known)) in taken:
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there")
            taken.add(message.id)
            if asked is not None:
                taken.add(asked)
        if chat is not None:
            self._create(chat)
        created = None if chat is None else chat.id
        for message in operation.messages:
            self.messages[message.id] = Kept(clean_message(message), owner=operation.owner)
            self.unsaved.add(message.id)
            self.size += len(message.text)
            if message.chat_id != created:
                self._touch(message.chat_id)

    def _settle(self, operation: Settle) -> Message | None:
        settlement = operation.settlement
        if settlement.state not in TERMINAL:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "settled with a state that is no end")
        kept = self.messages.get(operation.message_id)
        if kept is None or not kept.live:
            return None
        message = kept.whole()
        told = {
            name: value
            for name in ("usage", "stop", "error", "finish_reason", "tools")
            if (value := getattr(settlement, name)) is not None
        }
        message = message.model_copy(update=told)
        text = utf16_slice(message.text, 0, settlement.keep)
        reasoning = utf16_slice(message.reasoning or "", 0, settlement.keep_reasoning) or None
        kept.message = message.model_copy(
            update={
                "state": settlement.state,
                "text": text,
                "text_length": utf16_length(text),
                "reasoning": reasoning,
                "tools": ended(message.tools),
            }
        )
        self.unsaved.add(message.id)
        self._touch(message.chat_id)
        return kept.message

    def _reopen(self, operation: Reopen) -> tuple[Message, Chat] | None:
        kept = self.messages.get(operation.message_id)
        if kept is None or not kept.can_go_on:
            return None
        before = kept.message
        request_id = operation.request_id or before.request_id
        changed = before.model_copy(
            update={
                "state": MessageState.QUEUED,
                "stop": None,
                "error": None,
                "finish_reason": None,
                "request_id": request_id,
                "model": operation.model or before.model,
            }
        )
        asked = _asked(changed, self.chats)
        others = (each.message for each in self.messages.values() if each is not kept)
        if asked is not None and any(_asked(other, self.chats) == asked for other in others):
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "already there")
        if before.request_id is not None and before.request_id != request_id:
            kept.earlier_requests.append(before.request_id)
        kept.message = changed
        kept.reopened = True
        self.unsaved.add(before.id)
        self._touch(kept.message.chat_id)
        return kept.message, self.chats[kept.message.chat_id]

    def _amend_kept(self, operation: AmendPrompt) -> None:
        kept = self._amend_prompt(operation)
        if kept is not None:
            kept.amended = True
            self.unsaved.add(operation.message_id)
            self.size += len(operation.text)
            if operation.asked and operation.asked[0] in self.messages:
                self.unsaved.add(operation.asked[0])

    def _amend_prompt(self, operation: AmendPrompt) -> Kept | None:
        kept = self.messages.get(operation.message_id)
        if kept is None or kept.message.role != "user":
            return None
        reply_id, request_id = operation.asked or ("", "")
        reply = self.messages.get(reply_id)
        if reply is not None and reply.message.role == "assistant":
            reply.earlier_requests.append(request_id)
        text = whole(operation.text)
        kept.message = kept.message.model_copy(
            update={
                "text": text,
                "text_length": utf16_length(text),
                "reply_to": operation.reply_to,
            }
        )
        return kept

    def _drop_chat(self, chat_id: str) -> None:
        self.chats.pop(chat_id, None)
        self.changed.pop(chat_id, None)
        self.created.discard(chat_id)
        self.titled.discard(chat_id)
        gone = [key for key, kept in self.messages.items() if kept.message.chat_id == chat_id]
        for key in gone:
            del self.messages[key]
            self.unsaved.discard(key)


def _asked(message: Message, chats: dict[str, Chat]) -> tuple[str, str] | None:
    """Return what only one reply may answer: an owner's request."""
    if message.role != "assistant" or message.request_id is None:
        return None
    return chats[message.chat_id].owner, message.request_id
