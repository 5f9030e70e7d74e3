"""Approvals: what a person is asked before a tool acts, and what lets it act unasked.

A question waits without a limit of its own, inside the call that it is about: the reply's stop is
its answer as well. It is about exactly what has its digest, and about nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from weakref import WeakKeyDictionary

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.tools import AllowedTools, Proposal, Tool, Unasked
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.client_frames import Approve
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.tools import Approval, ToolCall

from .stopped import refuse_stopped


@dataclass(frozen=True, slots=True)
class Allowed:
    """What lets a call act; `by_rule`: nobody was asked for it."""

    by_rule: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """What keeps a call from acting; `reason` is the person's, for the model."""

    reason: str | None = None


@dataclass(slots=True, eq=False)
class _Question:
    """What a person is asked.

    :ivar rule: what a rule about its tool is kept under.
    :ivar given: what they answered; from then on no other answer counts.
    """

    generation: Generation
    rule: str
    approval: Approval
    proposal: Proposal
    given: str | None = None
    answer: asyncio.Future[Allowed | Refused] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def answered(self, answer: Allowed | Refused) -> None:
        """Let the call go on, unless it does already or will not."""
        if not self.answer.done():
            self.answer.set_result(answer)


class Approvals:
    """What asks people before tools act, and takes their answers.

    :param rules: remembers which tools may act unasked.
    :param unasked: returns what the administrator lets act unasked; asked each time.
    :param moved: told when a reply begins to wait for a person, and when it goes on.
    """

    def __init__(
        self,
        rules: AllowedTools,
        unasked: Callable[[], Unasked],
        moved: Callable[[Generation], None],
    ) -> None:
        self._rules = rules
        self._unasked = unasked
        self._moved = moved
        #: By message id and call id.
        self._open: dict[tuple[str, str], _Question] = {}
        #: What was answered, by call id: an answer that is sent twice counts once.
        self._given: WeakKeyDictionary[Generation, dict[str, tuple[str, str]]] = (
            WeakKeyDictionary()
        )

    @property
    def waiting(self) -> int:
        """Count the questions that wait for their person."""
        return len(self._open)

    @property
    def locked(self) -> bool:
        """Tell whether no rule lets a tool act."""
        return self._unasked() != "rules"

    # --- asking ------------------------------------------------------------------------------

    async def ask(
        self,
        generation: Generation,
        call: ToolCall,
        tool: Tool,
        proposal: Proposal,
        show: Callable[[ToolCall], None],
    ) -> Allowed | Refused:
        """Find out whether a call may act, from the rules or from a person.

        :param call: with its arguments as the model wrote them, whole.
        :param show: shows the call, in the state of one that is asked for.
        :raises asyncio.CancelledError: when the reply was stopped: nothing may begin any more.
        """
        if tool.touches == "reads" and not proposal.always_asked:
            return Allowed(by_rule=True)
        by_rule = not proposal.always_asked and self._unasked() == "rules"
        if by_rule and await self._is_allowed(generation, tool.rule):
            refuse_stopped(generation)
            return Allowed(by_rule=True)
        digest = await in_thread(digest_of, tool.rule, call.args or "", proposal)
        refuse_stopped(generation)
        approval = Approval(digest=digest, by_rule=by_rule)
        question = _Question(generation, tool.rule, approval, proposal)
        self._put(call.call_id, question)
        try:
            show(call.model_copy(update={"state": "asked", "approval": approval}))
            answer = await question.answer
        finally:
            self._drop(call.call_id, question)
        refuse_stopped(generation)
        return answer

    async def _is_allowed(self, generation: Generation, rule: str) -> bool:
        try:
            allowed = await self._rules.allowed(generation.owner, generation.chat_id)
        except StopChatError:
            return False  # where the rules cannot be read there are none
        return rule in allowed

    def _put(self, call_id: str, question: _Question) -> None:
        generation = question.generation
        self._open[generation.id, call_id] = question
        self._given.get(generation, {}).pop(call_id, None)
        asks = generation.asks
        generation.questions += 1
        generation.deadline.pause()
        if not asks:
            self._moved(generation)

    def _drop(self, call_id: str, question: _Question) -> None:
        generation = question.generation
        if self._open.get((generation.id, call_id)) is question:
            del self._open[generation.id, call_id]
        question.answer.cancel()
        generation.questions -= 1
        generation.deadline.resume()
        # How a reply that was stopped ends is told by its end.
        if not generation.asks and not generation.fenced:
            self._moved(generation)

    def proposed(self, message_id: str) -> Mapping[str, Proposal]:
        """Return what the calls of a message that are asked for would do, by their ids."""
        return {
            call_id: question.proposal
            for (message, call_id), question in self._open.items()
            if message == message_id
        }

    # --- answering ---------------------------------------------------------------------------

    async def answer(self, generation: Generation, request: Approve) -> None:
        """Take a person's answer; the same one twice counts once.

        :raises StopChatError: `answered_already`: it is not asked for any more, `asked_anew`: what
            is asked for is something else by now, `asked_each_time`: no rule allows it, or
            `not_readable`: the rule cannot be kept.
        """
        question = self._open.get((generation.id, request.call_id))
        if question is None or question.given is not None or generation.fenced:
            given = self._given.get(generation, {}).get(request.call_id)
            if given == (request.digest, request.answer):
                return
            raise StopChatError(ErrorCode.ANSWERED_ALREADY)
        if question.approval.digest != request.digest:
            raise StopChatError(ErrorCode.ASKED_ANEW)
        if request.answer == "refuse":
            self._give(question, request)
            question.answered(Refused(request.reason))
            return
        if request.answer != "once":
            await self._allow(question, request)
        self._give(question, request)
        question.answered(Allowed())

    def _give(self, question: _Question, request: Approve) -> None:
        """Note what is answered: it is the answer from this very step on."""
        question.given = request.answer
        given = self._given.setdefault(question.generation, {})
        given[request.call_id] = (request.digest, request.answer)

    async def allow(self, owner: str, rule: str, chat_id: str = "") -> None:
        """Let a tool act unasked from now on, also in what is being asked for.

        :param chat_id: in one chat; empty for all of an owner's.
        :raises StopChatError: `asked_each_time`: no rule allows it, or the rule cannot be kept.
        """
        if self.locked:
            raise StopChatError(ErrorCode.ASKED_EACH_TIME)
        await self._rules.allow(owner, chat_id, rule)
        for other in list(self._open.values()):
            if (
                other.given is None
                and other.rule == rule
                and other.approval.by_rule
                and other.generation.owner == owner
                and chat_id in {"", other.generation.chat_id}
            ):
                other.given = "chat" if chat_id else "always"
                other.answered(Allowed(by_rule=True))

    async def _allow(self, question: _Question, request: Approve) -> None:
        """Let the tool of a question act unasked from now on."""
        generation = question.generation
        if not question.approval.by_rule or self.locked:
            raise StopChatError(ErrorCode.ASKED_EACH_TIME)
        self._give(question, request)
        chat_id = generation.chat_id if request.answer == "chat" else ""
        try:
            await self.allow(generation.owner, question.rule, chat_id)
        except BaseException:  # it can be allowed once
            question.given = None
            self._given[generation].pop(request.call_id, None)
            raise


def digest_of(rule: str, args: str, proposal: Proposal) -> str:
    """Return the SHA-256 of what a call would do: its tool's rule, its arguments, its changes."""
    changes = [
        {each.name: getattr(change, each.name) for each in fields(change)}
        for change in proposal.changes
    ]
    said = json.dumps([rule, args, changes], sort_keys=True, default=dict)
    return hashlib.sha256(said.encode()).hexdigest()
