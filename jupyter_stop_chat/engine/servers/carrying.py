"""What becomes of a request: it is carried out here, or where its chat is worked in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from jupyter_stop_chat.engine.asking import Asking, Request
from jupyter_stop_chat.engine.queue import Queue
from jupyter_stop_chat.engine.registry import Registry
from jupyter_stop_chat.engine.stop import Stopping
from jupyter_stop_chat.engine.tools.approvals import Approvals
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.client_frames import (
    Approve,
    ClientFrame,
    Continue,
    Edit,
    Regenerate,
    Reorder,
    Resume,
    Send,
    Stop,
    Unqueue,
)
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Chat, Message, MessageState
from jupyter_stop_chat.wire.server_frames import Accepted, ServerFrame, StopResults

from .elsewhere import Elsewhere
from .others import NobodyThereError, Others

_T = TypeVar("_T")
#: So often a request goes to and fro between processes that begin and end replies in its chat.
TRIES = 3


class Carrying:
    """What carries requests out; a chat that another process makes a reply in is asked there.

    :param chat: finds an owner's chat; `message`, an owner's message.
    """

    def __init__(
        self,
        registry: Registry,
        store: Store,
        asking: Asking,
        queue: Queue,
        stopping: Stopping,
        others: Others,
        elsewhere: Elsewhere,
        approvals: Approvals,
        *,
        chat: Callable[[str, str], Awaitable[Chat]],
        message: Callable[[str, str, str], Awaitable[Message]],
    ) -> None:
        self._registry = registry
        self._store = store
        self._asking = asking
        self._queue = queue
        self._stopping = stopping
        self._others = others
        self._elsewhere = elsewhere
        self._approvals = approvals
        self._chat = chat
        self._message = message

    # --- here, or there ----------------------------------------------------------------------

    async def ask(self, owner: str, request: Request) -> Accepted:
        """Have a reply made.

        :raises StopChatError: when it cannot be accepted. Nothing was written then.
        """

        async def there() -> Accepted:
            chat_id = await self._chat_of(request)
            accepted = await self._others.request(owner, chat_id, request)
            if accepted is None:
                raise StopChatError(ErrorCode.MADE_ELSEWHERE)
            message = accepted.message
            if message.state not in TERMINAL:
                message = message.model_copy(update={"made_elsewhere": True})
            accepted = accepted.model_copy(update={"message": message})
            self._elsewhere.stop_if_asked(owner, request.request_id, message.id)
            self._elsewhere.accepted(await self._chat(owner, accepted.chat_id), accepted)
            return accepted

        accepted = await self._here_or_there(lambda: self._asking.ask(owner, request), there)
        if accepted.message.made_elsewhere:  # also one that was asked for there before
            chat = await self._chat(owner, accepted.chat_id)
            self._elsewhere.watch(chat, [accepted.user_message, accepted.message])
        return accepted

    async def _chat_of(self, request: Request) -> str | None:
        if isinstance(request, Send):
            return request.chat_id
        message = await self._store.get_message(request.message_id)
        return message.chat_id if message is not None else None

    async def unqueue(self, owner: str, request: Unqueue) -> None:
        """Withdraw a queued prompt.

        :raises StopChatError: `unknown_message`, or `not_possible_now` once it has started.
        """
        await self._here_or_there(
            lambda: self._unqueue(owner, request), lambda: self._there(owner, None, request)
        )

    async def reorder(self, owner: str, request: Reorder) -> None:
        """Put queued replies in another order.

        :raises StopChatError: `unknown_chat`, `unknown_message`, or `not_possible_now` once one
            of them has started.
        """
        await self._here_or_there(
            lambda: self._reorder(owner, request),
            lambda: self._there(owner, request.chat_id, request),
        )

    async def resume(self, owner: str, request: Resume) -> None:
        """Let a queue that was paused go on.

        :raises StopChatError: `unknown_chat`, `budget_spent`.
        """
        await self._here_or_there(
            lambda: self._resume(owner, request),
            lambda: self._there(owner, request.chat_id, request),
        )

    async def approve(self, owner: str, request: Approve) -> None:
        """Answer what a tool call asks for, where its reply is made.

        :raises StopChatError: `unknown_message`, `answered_already`, `asked_anew`,
            `asked_each_time`.
        """

        async def there() -> None:
            message = await self._message(owner, request.message_id, "assistant")
            await self._there(owner, message.chat_id, request)

        await self._here_or_there(lambda: self._approve(owner, request), there)

    async def _there(self, owner: str, chat_id: str | None, request: ClientFrame) -> None:
        await self._others.request(owner, chat_id, request)

    async def _here_or_there(
        self, here: Callable[[], Awaitable[_T]], there: Callable[[], Awaitable[_T]]
    ) -> _T:
        """Carry a request out here or, while another process works in its chat, there.

        What is made there may end meanwhile, and then the turn is here again.
        """
        for _ in range(TRIES):
            try:
                return await here()
            except StopChatError as error:
                if error.code is not ErrorCode.MADE_ELSEWHERE:
                    raise
            with suppress(NobodyThereError):
                return await there()
        raise StopChatError(ErrorCode.MADE_ELSEWHERE)

    # --- here --------------------------------------------------------------------------------

    async def here(self, owner: str | None, frame: ClientFrame) -> ServerFrame | None:
        """Do what another process asks: here, and nowhere else.

        :param owner: whose chats it is about; None: everyone's.
        :raises StopChatError: it cannot be done.
        """
        if owner is None:
            if not isinstance(frame, Stop):
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
            stopped = await self._stopping.stop_everyone(only_here=True)
            return StopResults(results=stopped.results)
        match frame:
            case Stop():
                results = await self._stopping.stop(owner, frame, only_here=True)
                return StopResults(results=results)
            case Send() | Regenerate() | Edit() | Continue():
                return await self._asking.ask(owner, frame)
            case Unqueue():
                await self._unqueue(owner, frame)
            case Reorder():
                await self._reorder(owner, frame)
            case Resume():
                await self._resume(owner, frame)
            case Approve():
                await self._approve(owner, frame)
            case _:
                raise StopChatError(ErrorCode.UNKNOWN_TYPE)
        return None

    async def _unqueue(self, owner: str, request: Unqueue) -> None:
        message_id = request.message_id
        await self._check_here(owner, [message_id])
        generation = self._registry.get(message_id)
        if generation is None:
            message = await self._store.get_message(message_id)
            chat = await self._store.get_chat(message.chat_id) if message else None
            if message is None or message.role != "assistant" or not chat or chat.owner != owner:
                raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
            if not message.discarded:
                raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
            return
        if generation.owner != owner:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        withdrawn = generation.stop is not None and generation.stop.discard
        if generation.state is not MessageState.QUEUED and not withdrawn:
            raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW)
        target = Stop(type="stop", message_id=message_id, discard=True)
        await self._stopping.stop(owner, target, only_here=True)

    async def _reorder(self, owner: str, request: Reorder) -> None:
        await self._chat(owner, request.chat_id)
        await self._check_here(owner, request.message_ids)
        await self._queue.reorder(owner, request.chat_id, request.message_ids)

    async def _resume(self, owner: str, request: Resume) -> None:
        await self._chat(owner, request.chat_id)
        here = self._registry.lane(owner, request.chat_id) is not None
        if not here and await self._store.makers(owner, request.chat_id):
            raise StopChatError(ErrorCode.MADE_ELSEWHERE)
        await self._queue.check(owner, request.chat_id)
        self._queue.resume(owner, request.chat_id)

    async def _approve(self, owner: str, request: Approve) -> None:
        generation = self._registry.get(request.message_id)
        if generation is not None and generation.owner == owner:
            await self._approvals.answer(generation, request)
            return
        message = await self._message(owner, request.message_id, "assistant")
        made = message.made_elsewhere
        raise StopChatError(ErrorCode.MADE_ELSEWHERE if made else ErrorCode.ANSWERED_ALREADY)

    async def _check_here(self, owner: str, message_ids: Sequence[str]) -> None:
        """Refuse to change what waits in another process.

        :raises StopChatError: `made_elsewhere`.
        """
        unknown = [each for each in message_ids if self._registry.get(each) is None]
        if unknown and not (await self._store.makers(owner)).keys().isdisjoint(unknown):
            raise StopChatError(ErrorCode.MADE_ELSEWHERE)
