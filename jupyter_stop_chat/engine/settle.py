"""How a message ends: what it is claimed with, who is told, and that its chat goes on."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.ports.store import Settlement, Store
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError, new_error_id
from jupyter_stop_chat.wire.objects import (
    TERMINAL,
    Cost,
    ErrorInfo,
    Message,
    MessageState,
    Receipt,
    Usage,
)
from jupyter_stop_chat.wire.secrets import mask_for_people
from jupyter_stop_chat.wire.tools import ToolCall
from jupyter_stop_chat.wire.usage import together, tokens, total, total_cost

from .background import Background
from .changes import Bus, MessageMoved
from .chats.titles import Titles
from .generation import Generation
from .lane import Lane
from .registry import Registry
from .spending import Spending

log = logging.getLogger(__name__)


class Settling:
    """What writes down how messages ended, tells of it, and lets their chats go on.

    :param advance: starts what may start in a chat.
    :param ended: told of each message that has ended.
    """

    def __init__(
        self,
        registry: Registry,
        store: Store,
        bus: Bus,
        background: Background,
        titles: Titles,
        spending: Spending,
        advance: Callable[[Lane], None],
        ended: Callable[[str], None],
    ) -> None:
        self._registry = registry
        self._store = store
        self._bus = bus
        self._background = background
        self._titles = titles
        self._spending = spending
        self._advance = advance
        self._ended = ended

    def soon(self, generation: Generation) -> None:
        """Settle a generation, once; no cancel reaches that.

        What was stopped is written down in this very step, where nothing is waited for first:
        somebody waits for it.
        """
        if generation.settling:
            return
        generation.settling = True
        generation.deadline.drop()
        waits = not generation.cut_off or self._spending.budget
        used = None if waits else self._used_at_once(generation)
        if used is not None:
            self._settle_at_once(generation, used)
        else:
            self._background.run(self._settle(generation), "settle")

    async def _settle(self, generation: Generation) -> None:
        """Claim the terminal state, tell everyone, and let the chat go on."""
        if not generation.cut_off:
            try:
                await generation.finish()
            except StopChatError as error:
                generation.failure = generation.failure or error
        used = await self._used(generation)
        settled = self._decide(generation, used)
        try:
            message = await self._store.settle(generation.id, settled)
        except Exception as error:  # noqa: BLE001 - a store that fails keeps nobody waiting
            message = _unkept(generation, settled, error)
        else:
            message = message or await self._kept_by_another(generation, settled)
        # Asked while nothing else can begin in its chat.
        spent = await self._spending.is_used_up(generation.owner, soon=True)
        self._end(generation, used, message, spent=spent)

    def _settle_at_once(self, generation: Generation, used: Used) -> None:
        """Do the same of what was stopped, where no budget is to be looked at."""
        settled = self._decide(generation, used)

        def then(message: Message | None, error: BaseException | None) -> None:
            if error is None and message is None:
                self._background.run(end_as_kept(), "settle")
                return
            if error is not None:
                message = _unkept(generation, settled, error)
            self._end(generation, used, message, spent=False)

        async def end_as_kept() -> None:
            message = await self._kept_by_another(generation, settled)
            self._end(generation, used, message, spent=False)

        try:
            self._store.settle_then(generation.id, settled, then)
        except Exception as error:  # noqa: BLE001 - as above
            then(None, error)

    async def _kept_by_another(
        self, generation: Generation, settled: Settlement
    ) -> Message | None:
        """Return a message that another has settled before, as it is kept, if it is."""
        try:
            return await self._store.get_message(generation.id)
        except Exception as error:  # noqa: BLE001 - as above
            return _unkept(generation, settled, error)

    def _decide(self, generation: Generation, used: Used) -> Settlement:
        """Decide how a message ended; from here on a stop comes too late."""
        generation.claimed = True
        generation.end_tools()
        try:
            return settlement(generation, used)
        except Exception:  # whatever a chat handler made of it, somebody waits for its end
            log.exception("how a message ended could not be told")
            return plain_settlement(generation)

    def _end(
        self, generation: Generation, used: Used, message: Message | None, *, spent: bool
    ) -> None:
        """Tell everyone how a message ended, and let its chat go on.

        :param message: as it is kept; None: it was deleted meanwhile.
        :param spent: the owner's budget of the day is used up.
        """
        generation.failure = None  # its traceback would hold the model's stream
        self._ended(generation.id)
        lane = self._registry.lane(generation.owner, generation.chat_id)
        if message is None:
            generation.settled.cancel()
            self.forget(generation, lane)
            return
        # Another process may have taken it for left behind, and go on with it.
        foreign = message.made_elsewhere
        generation.state = MessageState.INTERRUPTED if foreign else message.state
        generation.message = message
        generation.lines.tell_late(partial(self._amend_tool, generation), message.tools)
        if message.stop is not None:
            generation.on_late_news = partial(self._amend, generation)
        if lane is not None and message.discarded and lane.newest_reply == generation.id:
            lane.newest_known = False
        self._registry.remove(generation)
        if lane is not None:
            lane.remove(generation)
            lane.paused = lane.paused or (spent and bool(lane.waiting))
            if lane.chat is not None and used.bill is not None and not foreign:
                sum_ = together(lane.chat.spent, used.bill.spent)
                lane.change_chat(spent=sum_)
        moved = MessageMoved(message) if foreign else MessageMoved(message, generation)
        self._bus.publish(generation.chat_id, moved)
        generation.settled.set_result(message)
        receipt = generation.receipt()
        if receipt and message.stop and _late(receipt) != _late(message.stop):
            self._amend(generation)  # it came while this was written down
        if lane is not None:
            chat = lane.chat
            self._advance(lane)
            if not foreign:
                self._titles.consider(chat, message, busy=spent or lane.running is not None)

    async def _used(self, generation: Generation) -> Used:
        """Tell what the last part of a message used, and what that cost."""
        try:
            usage = estimated(generation)
            cost = await self._spending.price(generation.model, usage)
            return Used(usage, cost, self._spending.bill(generation.owner, usage, cost))
        except Exception:  # whatever a chat handler made of it, somebody waits for its end
            log.exception("what a message used could not be told")
            return Used()

    def _used_at_once(self, generation: Generation) -> Used | None:
        """Tell the same; None where that is to be waited for, or cannot be told."""
        try:
            usage = estimated(generation)
            cost = self._spending.price_at_once(generation.model, usage)
            return Used(usage, cost, self._spending.bill(generation.owner, usage, cost))
        except Exception:  # noqa: BLE001 - it is tried again
            return None

    def _amend(self, generation: Generation) -> None:
        """Complete the receipt of a stop of which more is known since it was settled."""
        receipt = generation.receipt()
        if receipt is None or generation.message.stop is None:
            return
        settled_ms = generation.message.stop.settled_ms
        amended = generation.message.model_copy(
            update={"stop": receipt.model_copy(update={"settled_ms": settled_ms})}
        )
        generation.message = amended
        self._background.run(self._write_amended(amended), "amend")

    async def _write_amended(self, message: Message) -> None:
        if message.stop is None:
            return
        await self._store.amend_stop(message.id, message.stop)
        kept = await self._store.get_message(message.id)
        # It may have gone on meanwhile, or be gone: then this receipt is history.
        if kept is not None and kept.stop == message.stop:
            self._bus.publish(message.chat_id, MessageMoved(kept))

    def _amend_tool(self, generation: Generation, call: ToolCall) -> None:
        """Write down that a call ended whose reply had ended before; it may go on by now."""
        going_on = self._registry.get(generation.id)
        if going_on is not None:
            going_on.lines.amend(call)
        self._background.run(self._write_amended_tool(generation.id, call), "amend")

    async def _write_amended_tool(self, message_id: str, call: ToolCall) -> None:
        await self._store.amend_tool(message_id, call)
        kept = await self._store.get_message(message_id)
        if kept is not None and kept.state in TERMINAL:
            self._bus.publish(kept.chat_id, MessageMoved(kept))

    def forget(self, generation: Generation, lane: Lane | None) -> None:
        """Drop a generation that leaves no message behind."""
        self._registry.remove(generation)
        if lane is not None:
            lane.remove(generation)
            self._advance(lane)


@dataclass(frozen=True, slots=True)
class Used:
    """What the last part of a message used, what that cost, and what is counted of it."""

    usage: Usage | None = None
    cost: Cost | None = None
    bill: Bill | None = None


def settlement(generation: Generation, used: Used | None = None) -> Settlement:
    """Decide how a generation ended: stopped, failed, or complete.

    A stop that came before the end wins, whatever the task did after it.

    :param used: by its last part; None: what is known without its price.
    """
    used = used or Used(estimated(generation))
    if generation.stop is not None:
        state, error = MessageState.INTERRUPTED, None
    elif generation.failure is not None:
        state, error = MessageState.FAILED, failure_info(generation.failure, generation)
    elif _is_empty(generation):
        state = MessageState.FAILED
        error = failure_info(StopChatError(ErrorCode.EMPTY_REPLY), generation)
    elif generation.finish_reason == "cut_off":
        # What its provider never ended is not complete, and nothing says that it failed.
        state, error = MessageState.INTERRUPTED, None
    else:
        state, error = MessageState.COMPLETED, None
    return Settlement(
        state=state,
        keep=generation.text.length,
        keep_reasoning=generation.reasoning.length,
        usage=total(generation.used_before, used.usage),
        cost=_whole_cost(generation, used),
        stop=generation.receipt(),
        error=error,
        finish_reason=generation.finish_reason if generation.stop is None else None,
        tools=tuple(generation.tools.values()),
        bill=used.bill,
    )


def _unkept(generation: Generation, settled: Settlement, error: BaseException) -> Message:
    """Return a message as its end leaves it, where that could not be written down."""
    log.error("the end of a message could not be written down", exc_info=error)
    return generation.snapshot().model_copy(
        update={
            "state": settled.state,
            "usage": settled.usage,
            "cost": settled.cost,
            "stop": settled.stop,
            "error": settled.error,
            "finish_reason": settled.finish_reason,
        }
    )


def _late(receipt: Receipt) -> tuple[object, ...]:
    """Return what of a receipt may come after it was written down."""
    return receipt.provider, receipt.kernel, receipt.server


def _whole_cost(generation: Generation, used: Used) -> Cost | None:
    """Return what all parts of a message cost; where one used nothing, it cost nothing."""
    before = generation.used_before
    if used.bill is None or before is None or not (before.input_tokens or before.output_tokens):
        return used.cost if used.bill is not None else generation.cost_before
    return total_cost(generation.cost_before, used.cost)


def plain_settlement(generation: Generation) -> Settlement:
    """Decide how a generation ended by what it cannot have wrong itself."""
    code = ErrorCode.INTERNAL
    stopped = generation.stop is not None
    return Settlement(
        state=MessageState.INTERRUPTED if stopped else MessageState.FAILED,
        keep=generation.text.length,
        keep_reasoning=generation.reasoning.length,
        stop=generation.receipt(),
        error=None if stopped else ErrorInfo(code=code, message=SENTENCES[code][0]),
        tools=tuple(generation.tools.values()),
    )


def _is_empty(generation: Generation) -> bool:
    """Tell whether the model answered with nothing, and nothing says why.

    What went into thinking up to the model's limit, or until the stream broke off, is something.
    """
    if generation.text.length or generation.tools:
        return False
    thought = generation.reasoning.length > 0
    reason = generation.finish_reason
    return not (reason == "length" or (reason == "cut_off" and thought))


def estimated(generation: Generation) -> Usage | None:
    """Count the tokens of what was read and made just now, or estimate them (B9).

    A reply that ended before its end was, for most providers, never counted, and some providers
    never count.
    """
    used = generation.used
    output = (
        generation.text.length
        - generation.prefix_length
        + generation.reasoning.length
        - generation.reasoning_before
    )
    read, made = (used.input_tokens, used.output_tokens) if used else (None, None)
    if made is None and output > 0:
        made = tokens(output)
    if read is None and made is not None and generation.told:
        read = tokens(_read(generation))
    told = {"input_tokens": read, "output_tokens": made}
    if told.items() <= (used or Usage()).model_dump().items():
        return used
    return (used or Usage()).model_copy(update={**told, "estimated": True})


def _read(generation: Generation) -> int:
    """Return the length of what was sent to the model, in UTF-16 code units."""
    first = generation.used.sent_from if generation.used else None
    ids = [message_id for message_id, _ in generation.told]
    begin = ids.index(first) if first in ids else 0
    told = sum(length for _, length in generation.told[begin:])
    return generation.told_before + told + generation.prefix_length


def failure_info(failure: StopChatError, generation: Generation) -> ErrorInfo:
    """Write a failure to the log, and return what a person may know of it."""
    error_id = new_error_id()
    # A provider's refusal is one line, whatever it says: what has lines of its own could look like
    # the log's.
    words = " ".join(str(failure).split())
    if (cause := failure.__cause__) is not None and (name := type(cause).__name__) not in words:
        words += f" ({name})"
    log.warning("error %s: the model %s failed: %s", error_id, generation.model, words)
    if (where := _where(cause)) is not None:
        unknown = failure.code in {ErrorCode.GENERATION_FAILED, ErrorCode.INTERNAL}
        log.log(logging.WARNING if unknown else logging.DEBUG, "error %s: %s", error_id, where)
    # A chat handler may write there what it likes: what cannot be kept would keep it from its end.
    said = mask_for_people(failure.said) if isinstance(failure.said, str) else None
    return ErrorInfo(
        code=failure.code, message=failure.sentence, error_id=error_id, said=said or None
    )


def _where(cause: BaseException | None) -> str | None:
    """Tell where an exception came from, without its own words: they can hold a key."""
    if cause is None:
        return None
    frames = "".join(traceback.format_tb(cause.__traceback__))
    return f"{type(cause).__name__} at\n{frames}"
