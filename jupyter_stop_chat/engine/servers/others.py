"""What only the process that makes a reply can do: others ask it, and it does what they ask.

A stop ends a reply where it is made. A prompt goes into the queue of the process that makes a
reply in its chat: a chat has one queue. Where nobody answers, what the store says is the answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping

from pydantic import ValidationError

from jupyter_stop_chat.ports.peers import NotReachedError, Peers, Question
from jupyter_stop_chat.ports.store import Store
from jupyter_stop_chat.wire.client_frames import ClientFrame, Stop
from jupyter_stop_chat.wire.codec import decode, encode
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError, new_error_id
from jupyter_stop_chat.wire.objects import TERMINAL, MessageState, Outcome, StopResult
from jupyter_stop_chat.wire.server_frames import (
    Accepted,
    Error,
    ServerFrame,
    StopResults,
    error_frame,
    server_frames,
)

log = logging.getLogger(__name__)

#: For so long, beyond the time that a stop may take, its answer is waited for, in seconds.
ANSWER_SECONDS = 3.0


class NobodyThereError(Exception):
    """What says that no other process makes anything, any more, of what is asked about."""


#: Does what a frame asks, here and nowhere else; None: there is nothing to answer.
CarryOut = Callable[[str | None, ClientFrame], Awaitable[ServerFrame | None]]


class Others:
    """What asks other processes, and does what they ask.

    :param peers: what reaches them; None: nothing does.
    :param stop_deadline: how long a stop may take there, in seconds.
    :param carry_out: does what they ask.
    """

    def __init__(
        self, store: Store, peers: Peers | None, stop_deadline: float, carry_out: CarryOut
    ) -> None:
        self._store = store
        self._peers = peers
        self._patience = stop_deadline + ANSWER_SECONDS
        self._carry_out = carry_out

    # --- asking ------------------------------------------------------------------------------

    async def stop(
        self, owner: str | None, target: Stop, makers: Mapping[str, str]
    ) -> tuple[list[StopResult], int]:
        """Have stopped what other processes make, and tell what became of it.

        :param owner: whose it is; None: everyone's.
        :param makers: the messages that are meant, with the processes that make them.
        :returns: a result for each message, and how many processes did not answer.
        """
        by_process: defaultdict[str, list[str]] = defaultdict(list)
        for message_id, process in makers.items():
            by_process[process].append(message_id)
        answers = await asyncio.gather(
            *(
                self._stop_in(process, owner, target, message_ids)
                for process, message_ids in by_process.items()
            )
        )
        results = {each.message_id: each for found, _ in answers for each in found}
        return list(results.values()), sum(not reached for _, reached in answers)

    async def _stop_in(
        self, process: str, owner: str | None, target: Stop, message_ids: Collection[str]
    ) -> tuple[list[StopResult], bool]:
        reached = True
        told: dict[str | None, StopResult] = {}
        try:
            answer = await self._ask(process, owner, target)
            if isinstance(answer, StopResults):
                told = {each.message_id: each for each in answer.results}
        except (NotReachedError, StopChatError):
            reached = False
        if target.message_id is None:
            message_ids = [each for each in message_ids if each in told or await self._runs(each)]
        if not reached:
            await self._flag(message_ids)
        unsure = {Outcome.NOT_FOUND, Outcome.MADE_ELSEWHERE}
        results = [each for each in told.values() if each.outcome not in unsure]
        for message_id in message_ids:
            known = told.get(message_id)
            if known is None or known.outcome in unsure:
                results.append(await self._truth(message_id))
        if not reached and self._peers is not None:
            for result in results:
                if result.message_id and result.outcome is not Outcome.MADE_ELSEWHERE:
                    self._peers.unflag_stop(result.message_id)
        return results, reached

    async def _runs(self, message_id: str) -> bool:
        """Tell whether a message does not wait: what waits is meant only by its own id."""
        message = await self._store.get_message(message_id)
        return message is not None and message.state is not MessageState.QUEUED

    async def _flag(self, message_ids: Collection[str]) -> None:
        """Leave the stop for a process that hears nothing now, or settle for one that ended."""
        if self._peers is not None:
            await asyncio.gather(*(self._peers.flag_stop(each) for each in message_ids))
        try:
            await self._store.recover()
        except StopChatError:
            return

    async def _truth(self, message_id: str) -> StopResult:
        """Tell of a message what the store says."""
        message = await self._store.get_message(message_id)
        if message is None:
            return StopResult(message_id=message_id, outcome=Outcome.NOT_FOUND)
        if message.state not in TERMINAL:
            return StopResult(message_id=message_id, outcome=Outcome.MADE_ELSEWHERE)
        outcome = Outcome(f"already_{message.state}")
        return StopResult(message_id=message_id, outcome=outcome, receipt=message.stop)

    async def request(
        self, owner: str, chat_id: str | None, frame: ClientFrame
    ) -> Accepted | None:
        """Have the process that makes a reply in a chat do what is asked of that chat.

        :param chat_id: None: whichever chat of the owner's; each process is asked.
        :returns: what it accepted, if the frame asks for a reply.
        :raises StopChatError: what it refused, or `made_elsewhere`: it did not answer.
        :raises NobodyThereError: what was made there has ended, so that it can be done here.
        """
        makers = await self._store.makers(owner, chat_id)
        for process in dict.fromkeys(makers.values()):
            try:
                answer = await self._ask(process, owner, frame)
            except NotReachedError:
                continue
            except StopChatError as error:
                if error.code is not ErrorCode.MADE_ELSEWHERE:
                    raise
                continue  # it is yet another one's
            return answer if isinstance(answer, Accepted) else None
        if makers and not makers.keys().isdisjoint(await self._store.makers(owner, chat_id)):
            raise StopChatError(ErrorCode.MADE_ELSEWHERE)
        raise NobodyThereError

    async def _ask(
        self, process: str, owner: str | None, frame: ClientFrame
    ) -> ServerFrame | None:
        """Ask one process.

        :raises NotReachedError: it did not answer.
        :raises StopChatError: what it refused.
        """
        if self._peers is None:
            raise NotReachedError
        question = Question(owner, encode(frame))
        raw = await self._peers.ask(process, question, self._patience)
        if not raw:
            return None
        try:
            answer = server_frames.validate_json(raw)
        except ValidationError:
            # Another version of this package: what it did is not known.
            raise NotReachedError from None
        if isinstance(answer, Error):
            raise StopChatError(answer.code)
        return answer

    # --- being asked -------------------------------------------------------------------------

    async def answer(self, question: Question) -> str:
        """Do what another process asks, and return what a page would be answered."""
        try:
            answer = await self._carry_out(question.owner, decode(question.frame))
        except StopChatError as error:
            answer = error_frame(error.code)
        except Exception:
            # Who asked would wait for an answer, and then not know what became of it.
            error_id = new_error_id()
            log.exception("error %s: what another process asks failed", error_id)
            answer = error_frame(ErrorCode.INTERNAL, error_id)
        return "" if answer is None else encode(answer)
