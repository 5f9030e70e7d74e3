"""A generation: the making of one assistant message, with its text, states and receipt.

It knows what was made, what is committed and may be shown, and where the text ends once it was
stopped. When it starts and how it ends is the engine's to decide.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, get_args

from jupyter_stop_chat.ports.handler import (
    Event,
    Finished,
    HistoryCut,
    Reasoning,
    Retrying,
    Text,
    TokensUsed,
    ToolEnded,
    ToolStarted,
    WasThought,
)
from jupyter_stop_chat.ports.store import Part
from jupyter_stop_chat.threads import Then, tell
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, FinishReason, Message, Receipt, Retry, Usage
from jupyter_stop_chat.wire.server_frames import Accepted
from jupyter_stop_chat.wire.server_frames import Tool as ToolFrame
from jupyter_stop_chat.wire.tools import ToolCall
from jupyter_stop_chat.wire.usage import total
from jupyter_stop_chat.wire.utf16 import (
    SurrogateJoiner,
    TextBuffer,
    utf16_length,
    utf16_slice,
    whole,
)

from .deadline import Deadline
from .pending import Entry, Pace, Pending
from .receipt import ProviderState, Reason, StopRequest
from .spending import usage_of
from .tools.lines import Lines


class Generation:
    """The making of one message, with its text and its state."""

    def __init__(
        self,
        message: Message,
        *,
        owner: str,
        request_id: str,
        append: Callable[[str, str, Part, Then], None],
        put_tool: Callable[[str, ToolCall], Awaitable[None]],
        make_thought: Callable[[str, int], Awaitable[None]],
        on_text: Callable[[Generation], None],
        on_tool: Callable[[Generation, ToolFrame], None],
        max_length: int,
        on_moved: Callable[[Generation], None] = lambda generation: None,
        pace: Pace,
    ) -> None:
        self.message = message
        self.id, self.chat_id = message.id, message.chat_id
        self.owner = owner
        self.request_id = request_id
        self.model = message.model or ""
        self.state = message.state
        self.task: asyncio.Task[None] | None = None
        self.stop: StopRequest | None = None
        self.failure: StopChatError | None = None
        self.detached = False
        #: Its end is being decided, once; and it is decided: a stop comes too late.
        self.settling = False
        self.claimed = False
        #: The prompt that was written with it, and whether it goes behind the newest reply.
        self.prompt: Message | None = None
        self.follows = False
        #: Held while that prompt is changed, or read for its reply.
        self.amending = asyncio.Lock()
        #: It came before what waited in its chat; it takes the place of what is made there, and of
        #: those that were to take that place.
        self.goes_first = self.interrupts = False
        #: A reply that had ended goes on: it is no new one.
        self.resumed = bool(message.text_length or message.tools)
        self.accepted: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self.settled: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        #: Where the text ended again each time that its end turned out to be a thought.
        self.thought_from: list[int] = []
        #: What was used up to now; what an earlier part of the reply used, is `used_before`.
        self.used: Usage | None = None
        #: The length of each message of the history, by its id, for an estimate.
        self.told: list[tuple[str, int]] = []
        #: The length of the instructions before it, likewise.
        self.told_before = 0
        self.finish_reason: FinishReason | None = None
        self.cancelled_ms: float | None = None
        self._provider = ProviderState()
        #: How many questions wait for their person.
        self.questions = 0
        #: Told when the receipt changes after it was written down.
        self.on_late_news: Callable[[], None] = lambda: None
        self._append = append
        self._put_tool = put_tool
        self._make_thought = make_thought
        self._on_text = on_text
        self._on_tool = on_tool
        self._on_moved = on_moved
        #: Why the provider is asked again, which request that is, and when, by `perf_counter`.
        self._retry: tuple[ErrorCode, int, float] | None = None
        self._max_length = max_length
        self._joiners = {"text": SurrogateJoiner(), "reasoning": SurrogateJoiner()}
        self._pending = Pending(self._commit, self._show, lambda: self.cut_off, pace)
        self.deadline = Deadline()
        self.adopt(message)

    def adopt(self, message: Message) -> None:
        """Adopt the message as it was written down; a partial reply goes on."""
        self.message = message
        self.state = message.state
        #: The text that is committed, and so may be shown; likewise the thoughts, and the calls.
        self.text = TextBuffer(message.text)
        self.reasoning = TextBuffer(message.reasoning or "")
        self.prefix_length, self.reasoning_before = self.text.length, self.reasoning.length
        self.lines = Lines(message.tools, self._tell_tool)
        self.used_before, self.cost_before = message.usage, message.cost
        self._made = {"text": self.text.length, "reasoning": self.reasoning.length}

    @property
    def is_accepted(self) -> bool:
        """Tell whether its request was accepted: until then its message is as it was before."""
        accepted = self.accepted
        return accepted.done() and not accepted.cancelled() and accepted.exception() is None

    # --- what the chat handler makes ---------------------------------------------------------

    @property
    def fenced(self) -> bool:
        """Tell whether nothing more is taken from the model."""
        return self.cut_off or self.failure is not None

    @property
    def cut_off(self) -> bool:
        """Tell whether the text ends where it is: what still waits is not added either."""
        return self.stop is not None or self.detached or self.state in TERMINAL

    def apply(self, event: Event) -> None:
        """Take one event in.

        :raises StopChatError: `reply_too_long`, with the text cut at the limit.
        """
        if self.fenced:
            return
        match event:
            case Text(text):
                self._add("text", text)
            case Reasoning(text):
                self._add("reasoning", text)
            case WasThought(length):
                self._think_instead(length)
            case ToolStarted(call_id, name, args):
                self._tool(ToolCall(call_id=call_id, name=name, state="running", args=args))
            case ToolEnded(call_id, result, failed):
                call = self.lines.made.get(whole(call_id))
                if call is not None:
                    state: Literal["failed", "completed"] = "failed" if failed else "completed"
                    self._tool(call.model_copy(update={"state": state, "result": result}))
            case TokensUsed():
                self.used = total(self.used, usage_of(event))
            case Finished(reason):
                if reason not in get_args(FinishReason):  # kept, it could not be read any more
                    raise ValueError("a reply that is finished for no known reason")
                self.finish_reason = reason
            case HistoryCut(first):
                cut = Usage(sent_from=first or None)
                self.used = (self.used or cut).model_copy(update={"sent_from": cut.sent_from})
                self._on_moved(self)
            case Retrying(wait, attempt, code):
                self._retry = code, attempt, time.perf_counter() + wait
                self._on_moved(self)

    @property
    def full(self) -> bool:
        """Tell whether `room` has something to wait for, or to raise."""
        return self._pending.full

    async def room(self) -> None:
        """Wait while too much text waits for its commit.

        :raises StopChatError: `internal`, when text cannot be committed at all.
        """
        await self._pending.room()

    async def committed(self) -> None:
        """Wait until the calls that were made are committed and shown, or until it is cut off.

        :raises StopChatError: `internal`, when they cannot be committed at all.
        """
        await self._pending.committed()

    async def finish(self) -> None:
        """Wait until all that was made is committed and can be read, or until it is cut off.

        :raises StopChatError: `internal`, when text cannot be committed at all.
        """
        for part in ("text", "reasoning"):
            self._end_text(part)
        await self._pending.drained()

    def _add(self, part: Part, text: str) -> None:
        text = self._joiners[part].feed(text)
        length = utf16_length(text)
        room = max(0, self._max_length - self._made[part])
        self._made[part] += length
        if length > room:
            self._pend_text(part, utf16_slice(text, 0, room))
            raise StopChatError(ErrorCode.REPLY_TOO_LONG)
        self._pend_text(part, text)

    def _end_text(self, part: Part) -> None:
        """Add the half of a character that waits for its other half: it will not come."""
        text = self._joiners[part].end()
        if self._made[part] < self._max_length:
            self._made[part] += len(text)
            self._pend_text(part, text)

    def _pend_text(self, part: Part, text: str) -> None:
        if text:
            self._pending.append((part, text))

    def _think_instead(self, length: int | None) -> None:
        """Take the end of the text, all that was made of it now by default, for a thought."""
        self._end_text("text")
        newly = self._made["text"] - self.prefix_length
        length = newly if length is None else max(0, min(length, newly))
        self._made["text"] -= length
        self._made["reasoning"] += length
        if length:
            self._pending.append(WasThought(length))

    def _commit(self, entry: Entry, then: Then) -> None:
        """Have an entry committed; a text costs no task and no future."""
        work: Awaitable[None]
        if isinstance(entry, WasThought):
            # Shown before it is committed: a stop in between counts what is shown, and what it
            # writes is written behind this.
            work = self._make_thought(self.id, self._show_thought(entry.length or 0))
        elif isinstance(entry, ToolCall):
            work = self._put_tool(self.id, entry)
        else:
            part, text = entry
            self._append(self.id, text, part, then)
            return
        asyncio.ensure_future(work).add_done_callback(partial(tell, then))

    def _show(self, entry: Entry) -> None:
        if isinstance(entry, ToolCall):
            self.lines.show(entry)
        elif not isinstance(entry, WasThought):
            part, text = entry
            (self.text if part == "text" else self.reasoning).append(text)
            self._on_text(self)

    def _show_thought(self, length: int) -> int:
        """Move the end of the text to the reasoning; return where the text ends now."""
        begin = max(self.prefix_length, self.text.length - length)
        if self.text.is_within_pair(begin):
            begin -= 1
        self.reasoning.append(self.text.read(begin, self.text.length))
        self.text.cut(begin)
        self.thought_from.append(begin)
        self._on_text(self)
        return begin

    def _tool(self, call: ToolCall) -> None:
        self._pending.append(self.lines.make(call))

    def put_call(self, call: ToolCall) -> None:
        """Show where a call is that passes the gate, once that is committed."""
        call = self.lines.pass_gate(call)
        if not self.fenced:
            self._pending.append(call)

    def _tell_tool(self, call: ToolCall) -> None:
        self._on_tool(self, ToolFrame(message_id=self.id, **call.model_dump()))

    @property
    def tools(self) -> dict[str, ToolCall]:
        """Return the tool calls that are committed, and so may be shown, by their ids."""
        return self.lines.shown

    @property
    def made_length(self) -> int:
        """Return how much text was made, also what waits for its commit."""
        return self._made["text"]

    @property
    def usage(self) -> Usage | None:
        """Return what the whole reply used up to now."""
        return total(self.used_before, self.used)

    # --- the stop ----------------------------------------------------------------------------

    def begin_stop(
        self, reason: Reason, *, shown: int | None = None, discard: bool = False
    ) -> None:
        """Fence the text where the person saw it end, in this very step.

        :param shown: how much of the text had been displayed, in UTF-16 code units.
        """
        self.stop = StopRequest(reason, discard)
        if shown is not None:
            self.text.cut(max(shown, self.prefix_length))
        self._pending.cut()

    def set_deadline(self, delay: float, call: Callable[[Generation], None]) -> None:
        """Have something called unless it has settled by then; a new deadline replaces another.

        :param delay: in seconds.
        """
        self.deadline.set(delay, partial(call, self))

    @property
    def asks(self) -> bool:
        """Tell whether a tool call of it waits for a person's word."""
        return self.questions > 0 and not self.fenced

    def detach(self) -> None:
        """Keep all that a task still does from the message: it did not unwind."""
        self.detached = True
        self._provider.leave_running()
        self.lines.leave_all()
        self._pending.cut()

    def report(self, what: str) -> None:
        """Note what the chat handler says of its provider, or that a detached task ended."""
        if what == "started" and self._retry is not None:
            self._retry = None
            if not self.fenced:
                self._on_moved(self)
        if self._provider.report(what, self.stop):
            self.on_late_news()
        if what == "ended":
            self.lines.end_all()

    def receipt(self) -> Receipt | None:
        """Return what the stop did up to now."""
        if self.stop is None:
            return None
        return Receipt(
            reason=self.stop.reason,
            requested_at=self.stop.requested_at,
            cancelled_ms=self.cancelled_ms,
            provider=self._provider.is_,
            provider_ms=self._provider.closed_ms,
            settled_ms=self.stop.ms(),
            discarded=self.stop.discard,
            calls=self.lines.counts,
            kernel=self.lines.kernel,
            server=self.lines.server,
        )

    def end_tools(self) -> None:
        """Give each tool call that has not ended its end: the reply's own."""
        self.lines.end(self.text.length, failed=self.stop is None and self.failure is not None)

    # --- what a reader sees ------------------------------------------------------------------

    def snapshot(self) -> Message:
        """Return the message as it may be shown now."""
        return self.message.model_copy(
            update={
                "state": self.state,
                "text": str(self.text),
                "text_length": self.text.length,
                "reasoning": str(self.reasoning) or None,
                "tools": tuple(self.tools.values()),
                "usage": self.usage,
                "retry": self._retrying(),
            }
        )

    def _retrying(self) -> Retry | None:
        if self._retry is None or self.fenced:
            return None
        code, attempt, at = self._retry
        left = max(0, round((at - time.perf_counter()) * 1000))
        return Retry(code=code, attempt=attempt, wait_ms=left)
