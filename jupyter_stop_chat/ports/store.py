"""The interface of a store.

Writes return when they are durable. A store that cannot write (a full disk, a lock) does not
raise: it keeps what it was given in memory, tells `on_degraded` once, and saves it when it can.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from jupyter_stop_chat.ports.pictures import BlobStore
from jupyter_stop_chat.wire.objects import (
    Attachment,
    Chat,
    Cost,
    ErrorInfo,
    FinishReason,
    Message,
    MessageState,
    Mode,
    Receipt,
    Usage,
)
from jupyter_stop_chat.wire.tools import ToolCall

from .outputs import OutputStore
from .spending import Bill, SpendingStore
from .tools import AllowedTools, CallStore, Journal, Told

Part = Literal["text", "reasoning"]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a message is claimed with at its end; what is None stays as it was kept.

    :ivar keep: the text ends here, in UTF-16 code units; None keeps all that was appended.
    :ivar keep_reasoning: the reasoning ends here, likewise.
    :ivar cost: of the whole message.
    :ivar bill: what its last part adds to what its owner spent; it is counted with the end, so
        once.
    """

    state: MessageState
    keep: int | None = None
    keep_reasoning: int | None = None
    usage: Usage | None = None
    cost: Cost | None = None
    stop: Receipt | None = None
    error: ErrorInfo | None = None
    finish_reason: FinishReason | None = None
    tools: tuple[ToolCall, ...] | None = None
    bill: Bill | None = None


@dataclass(frozen=True, slots=True)
class Making:
    """A reply that is being made.

    :ivar message_id: its id.
    :ivar prompt: what was written with it, if anything was.
    :ivar told: returns it as far as it was committed and told; that costs as much as it is long.
    """

    chat: Chat
    message_id: str
    prompt: Message | None
    told: Callable[[], Message]


def put(tools: Sequence[ToolCall], call: ToolCall) -> tuple[ToolCall, ...]:
    """Put a tool call in the place of its earlier state, or behind the others."""
    if all(each.call_id != call.call_id for each in tools):
        return (*tools, call)
    return tuple(call if each.call_id == call.call_id else each for each in tools)


#: The states of a tool call that has not ended.
GOING_ON = frozenset({"asked", "waiting", "running"})


def ended(tools: Sequence[ToolCall], *, gone: bool = False) -> tuple[ToolCall, ...]:
    """Give each tool call that has not ended its end, since its message has ended.

    :param gone: so has the process that made it: of what still ran nobody knows any more.
    """
    over = {"state": "interrupted", "approval": None, "waits_for": None, "progress": None}
    going_on = GOING_ON | {"still_running"} if gone else GOING_ON
    return tuple(
        tool.model_copy(update=over) if tool.state in going_on else tool for tool in tools
    )


class InstructionStore(Protocol):
    """What remembers the instructions of chats, and those that were sent."""

    async def of_chat(self, chat_id: str) -> str:
        """Return a chat's own instructions; empty where it has none."""
        ...

    async def set(self, chat_id: str, text: str) -> bool:
        """Give a chat other instructions, or none; tell whether it exists."""
        ...

    def keep(self, message_id: str, digest: str, text: str) -> Awaitable[None]:
        """Keep what a message that is being made is sent with, in the order of the calls."""
        ...

    async def sent(self, chat_id: str, digests: Sequence[str]) -> dict[str, str]:
        """Return what was sent in a chat, by digests; what is not known is left out."""
        ...


class Store(Protocol):
    """What remembers chats and messages."""

    @property
    def instructions(self) -> InstructionStore:
        """Return what remembers the instructions of chats."""
        ...

    @property
    def blobs(self) -> BlobStore:
        """Return what keeps pictures."""
        ...

    @property
    def spending(self) -> SpendingStore:
        """Return what remembers what was spent."""
        ...

    @property
    def allowed_tools(self) -> AllowedTools:
        """Return what remembers which tools may act unasked."""
        ...

    @property
    def journal(self) -> Journal:
        """Return what remembers what replies changed."""
        ...

    @property
    def calls(self) -> CallStore:
        """Return what remembers tool calls."""
        ...

    @property
    def outputs(self) -> OutputStore:
        """Return what keeps the outputs of runs."""
        ...

    on_degraded: Callable[[bool], None]
    #: Returns what is being made: it is saved also where the database is lost.
    making: Callable[[], Sequence[Making]]

    async def open(self, on_recovered: Callable[[Sequence[Message]], None] = ...) -> None:
        """Make the store ready; what an ended process left running becomes `interrupted`."""
        ...

    async def close(self) -> None:
        """Write what is left and let go of everything."""
        ...

    async def create_chat(self, chat: Chat) -> None:
        """Remember a new chat."""
        ...

    async def get_chat(self, chat_id: str) -> Chat | None:
        """Return a chat, or None."""
        ...

    async def list_chats(
        self, owner: str, *, query: str = "", limit: int = 50, before: str | None = None
    ) -> list[Chat]:
        """List an owner's chats, newest change first.

        :param before: the id that the last page ended with.
        """
        ...

    async def hits(self, chat_ids: Sequence[str], query: str) -> dict[str, str]:
        """Return of some chats the lines in which a query is found, by the chats' ids."""
        ...

    async def count_chats(self, owner: str) -> int:
        """Count an owner's chats."""
        ...

    async def add_chat(
        self,
        chat: Chat,
        messages: Sequence[Message],
        calls: Mapping[str, Sequence[Told]] = ...,
    ) -> None:
        """Remember a whole chat; nobody sees it before all of it is there.

        :param calls: the tool calls of its messages, by their ids.
        """
        ...

    async def set_title(self, chat_id: str, title: str | None) -> bool:
        """Set or clear a title; tell whether the chat exists."""
        ...

    async def delete_chat(self, chat_id: str) -> bool:
        """Delete a chat with its messages; tell whether it existed."""
        ...

    async def begin_turn(self, messages: Sequence[Message], chat: Chat | None = None) -> None:
        """Add messages at the end of a chat, in one transaction.

        :param chat: created first, if given.
        """
        ...

    async def set_state(self, message_id: str, state: MessageState) -> bool:
        """Move a message from one state that is not terminal to another; tell whether it did."""
        ...

    def append(self, message_id: str, text: str, part: Part = "text") -> Awaitable[None]:
        """Append text to a message that is not terminal.

        What is appended is in the order of the calls, whoever waits for it.
        """
        ...

    def append_then(
        self,
        message_id: str,
        text: str,
        part: Part,
        then: Callable[[Any, BaseException | None], None],
    ) -> None:
        """Append text, and call a function in the event loop once it is durable.

        :param then: its first argument means nothing; the second is why it failed, or None.
        """
        ...

    async def make_thought(self, message_id: str, begin: int) -> None:
        """Move the text of a message that is not terminal, from there on, to its reasoning.

        :param begin: in UTF-16 code units.
        """
        ...

    async def put_tool(self, message_id: str, call: ToolCall) -> None:
        """Keep a tool call of a live message, in the place of its earlier state."""
        ...

    async def amend_tool(self, message_id: str, call: ToolCall) -> None:
        """Replace a tool call of a message that has ended: it ended later."""
        ...

    async def settle(self, message_id: str, settlement: Settlement) -> Message | None:
        """Claim the terminal state of a message.

        :returns: the message as it is kept, or None when another had claimed it before.
        """
        ...

    def settle_then(
        self,
        message_id: str,
        settlement: Settlement,
        then: Callable[[Any, BaseException | None], None],
    ) -> None:
        """Do the same, and call a function in the event loop once it is durable.

        :param then: its first argument is what `settle` returns; the second is why it failed.
        """
        ...

    async def amend_stop(self, message_id: str, receipt: Receipt) -> None:
        """Replace the receipt of a message that was stopped: its provider closed late."""
        ...

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
        """
        ...

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
        :param attachments: what goes with it from now on; None: what went with it before.
        :param mode: that of both from now on; None: as before.
        """
        ...

    async def get_message(self, message_id: str) -> Message | None:
        """Return a message, or None."""
        ...

    async def made_elsewhere(
        self, owner: str | None, chat_id: str | None = None
    ) -> dict[str, str]:
        """Return the ids of messages that other processes make now, with their chats'.

        :param owner: whose they are; None: everyone's.
        :param chat_id: only those of this chat.
        """
        ...

    async def makers(self, owner: str | None, chat_id: str | None = None) -> dict[str, str]:
        """Return the ids of what other processes make now, with theirs.

        :param owner: whose; None: everyone's.
        :param chat_id: only those of this chat.
        """
        ...

    async def lost(self, message_ids: Sequence[str]) -> list[str]:
        """Return which of some messages that were made here another process deleted or ended."""
        ...

    async def recover(self) -> None:
        """Interrupt what ended processes were making, as `open` does."""
        ...

    async def find_request(self, owner: str, request_id: str) -> Message | None:
        """Return the assistant message that an owner's request made or went on with, or None."""
        ...

    async def get_messages(self, chat_id: str) -> list[Message]:
        """Return all messages of a chat, oldest first."""
        ...

    async def newest_reply(self, chat_id: str) -> str | None:
        """Return the newest reply that ends a thread and is neither taken out nor to come."""
        ...

    async def get_thread(self, message_id: str) -> list[Message]:
        """Return a message and those before it along `reply_to`, oldest first."""
        ...
