"""Asking: the requests that have a reply made, each of which counts once."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.client_frames import Continue, Edit, Regenerate, Send
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import (
    TERMINAL,
    Attachment,
    Chat,
    Message,
    MessageState,
    Mode,
    Policy,
)
from jupyter_stop_chat.wire.server_frames import Accepted
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import utf16_length

from .chats.room import Room
from .lane import Lane
from .queue import Queue, kept_of
from .send import Admission, Write, Written, new_reply
from .turn.pictures import Pictures
from .turn.thread import Threads

#: What has a reply made.
Request = Send | Regenerate | Edit | Continue


class Asking:
    """What takes requests: a prompt, a reply anew, a changed prompt, a reply that goes on.

    :param chat: finds an owner's chat.
    :param choose: says which model a prompt of an owner gets.
    :param modes: says in which modes an owner may ask.
    :param policy: says what becomes of a prompt while a reply is being made in its chat.
    :param wake: told that something is asked for.
    """

    def __init__(
        self,
        store: Store,
        admission: Admission,
        queue: Queue,
        threads: Threads,
        room: Room,
        pictures: Pictures,
        *,
        chat: Callable[[str, str], Awaitable[Chat]],
        message: Callable[[str, str, str], Awaitable[Message]],
        choose: Callable[[str | None, str], str | None],
        policy: Callable[[], Policy],
        modes: Callable[[str], Sequence[Mode]],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._admission = admission
        self._queue = queue
        self._threads = threads
        self._room = room
        self._pictures = pictures
        self._chat = chat
        self._message = message
        self._choose = choose
        self._policy = policy
        self._modes = modes
        self._wake = wake

    async def ask(self, owner: str, request: Request) -> Accepted:
        """Carry a request out; one that was carried out before is answered as it was then.

        :raises StopChatError: when it cannot be accepted. Nothing was written then.
        """
        return await self._admission.once(
            owner, request.request_id, lambda: self._carry_out(owner, request)
        )

    async def _carry_out(self, owner: str, request: Request) -> Accepted:
        if request.mode is not None and request.mode not in self._modes(owner):
            raise StopChatError(ErrorCode.MODE_NOT_ALLOWED)
        match request:
            case Send():
                return await self._send(owner, request)
            case Regenerate():
                return await self._regenerate(owner, request)
            case Edit():
                return await self._edit(owner, request)
            case Continue():
                return await self._continue(owner, request)

    async def _send(self, owner: str, request: Send) -> Accepted:
        self._admission.check_prompt(request.body, request.attachments)
        model = self._model(request.model, owner)
        chat_id = request.chat_id or str(uuid.uuid4())

        async def write(lane: Lane, reply: Message, held: AsyncExitStack) -> Written:
            new_chat = None
            if request.chat_id is None:
                await held.enter_async_context(self._room.for_chat(owner))
                new_chat = Chat(id=chat_id, owner=owner, created_at=now(), updated_at=now())
                lane.newest_known = True  # there is no reply in it, and nothing to look up
            if new_chat is not None:
                lane.chat = new_chat
            else:
                await lane.read_chat(self._chat(owner, chat_id))
            attached = await self._pictures.attached(owner, request.attachments)
            await self._pictures.refuse_unseen(owner, model, attached)
            prompt = _prompt(
                chat_id,
                request.body,
                request.request_id,
                reply_to=await self._threads.reply_before(lane, reply.id),
                attachments=attached,
                path=request.path,
                mode=_kept(request.mode),
            )
            reply = reply.model_copy(update={"reply_to": prompt.id})
            return Written(prompt, reply, (prompt, reply), new_chat, follows=True)

        reply = new_reply(chat_id, request.request_id, model, _kept(request.mode))
        policy = request.policy or self._policy()
        return await self._admit(owner, request.request_id, reply, policy, write)

    async def _regenerate(self, owner: str, request: Regenerate) -> Accepted:
        earlier = await self._message(owner, request.message_id, "assistant")
        if earlier.state not in TERMINAL:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)

        async def write(lane: Lane, reply: Message, held: AsyncExitStack) -> Written:
            await lane.read_chat(self._chat(owner, earlier.chat_id))
            prompt = await self._message(owner, earlier.reply_to or "", "user")
            await self._pictures.refuse_unseen(owner, model, prompt.attachments)
            reply = reply.model_copy(update={"reply_to": prompt.id, "version_of": earlier.id})
            return Written(prompt, reply, (reply,))

        model = self._model(request.model or earlier.model, owner)
        mode = _kept(request.mode or earlier.mode)
        reply = new_reply(earlier.chat_id, request.request_id, model, mode)
        return await self._admit(owner, request.request_id, reply, self._policy(), write)

    async def _edit(self, owner: str, request: Edit) -> Accepted:
        earlier = await self._message(owner, request.message_id, "user")
        self._admission.check_prompt(request.body, kept_of(earlier, request))
        waiting = self._queue.of_prompt(owner, earlier.id)
        if waiting is not None:
            changed = await self._queue.edit(waiting, request)
            if changed is not None:
                return changed
            earlier = await self._message(owner, request.message_id, "user")

        kept = kept_of(earlier, request)
        model = self._model(request.model, owner)
        mode = _kept(request.mode or earlier.mode)

        async def write(lane: Lane, reply: Message, held: AsyncExitStack) -> Written:
            await lane.read_chat(self._chat(owner, earlier.chat_id))
            await self._pictures.refuse_unseen(owner, model, kept)
            prompt = _prompt(
                earlier.chat_id,
                request.body,
                request.request_id,
                reply_to=earlier.reply_to,
                attachments=kept,
                path=earlier.path,
                version_of=earlier.id,
                mode=mode,
            )
            reply = reply.model_copy(update={"reply_to": prompt.id})
            return Written(prompt, reply, (prompt, reply))

        reply = new_reply(earlier.chat_id, request.request_id, model, mode)
        return await self._admit(owner, request.request_id, reply, self._policy(), write)

    async def _continue(self, owner: str, request: Continue) -> Accepted:
        partial = await self._message(owner, request.message_id, "assistant")
        if not _can_go_on(partial):
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
        model = self._model(request.model or partial.model, owner)

        async def write(lane: Lane, reply: Message, held: AsyncExitStack) -> Written:
            await lane.read_chat(self._chat(owner, partial.chat_id))
            prompt = await self._message(owner, partial.reply_to or "", "user")
            # Looked up while this one still counts as ended.
            await self._threads.newest_reply(lane)
            reopened = await self._store.reopen(partial.id, reply.request_id, model, request.mode)
            if reopened is None:
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
            return Written(prompt, reopened, ())

        going_on = partial.model_copy(
            update={
                "state": MessageState.QUEUED,
                "request_id": request.request_id,
                "model": model,
            }
        )
        return await self._admit(owner, request.request_id, going_on, self._policy(), write)

    async def _admit(
        self, owner: str, request_id: str, reply: Message, policy: Policy, write: Write
    ) -> Accepted:
        self._wake()
        return await self._admission.admit(owner, request_id, reply, policy, write)

    def _model(self, wanted: str | None, owner: str) -> str:
        model = self._choose(wanted, owner)
        if model is None:
            raise StopChatError(ErrorCode.NO_MODEL)
        return model


def _can_go_on(partial: Message) -> bool:
    stopped = partial.state in {MessageState.INTERRUPTED, MessageState.FAILED}
    # One that was cut at its model's limit is complete, and yet not at its end.
    stopped = stopped or partial.finish_reason == "length"
    # What made calls has done something, though it may have said nothing.
    begun = bool(partial.text.strip()) or (partial.mode == "agent" and bool(partial.tools))
    return stopped and not partial.discarded and begun


def _kept(mode: Mode | None) -> Mode | None:
    """Return a mode as it is kept: the usual one is none."""
    return "agent" if mode == "agent" else None


def _prompt(
    chat_id: str,
    body: str,
    request_id: str,
    *,
    reply_to: str | None,
    attachments: tuple[Attachment, ...],
    path: str | None,
    version_of: str | None = None,
    mode: Mode | None = None,
) -> Message:
    return Message(
        id=str(uuid.uuid4()),
        chat_id=chat_id,
        role="user",
        text=body,
        text_length=utf16_length(body),
        state=MessageState.COMPLETED,
        created_at=now(),
        reply_to=reply_to,
        request_id=request_id,
        attachments=attachments,
        path=path,
        version_of=version_of,
        mode=mode,
    )
