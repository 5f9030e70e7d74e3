"""What can be written, as plain data: each is applied to a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_stop_chat.ports.store import Part, Settlement
from jupyter_stop_chat.wire.objects import (
    Attachment,
    Chat,
    Message,
    MessageState,
    Receipt,
    ToolCall,
    Usage,
)
from jupyter_stop_chat.wire.times import now

#: Whose a chat is while it is brought in or taken away: nobody sees it.
NOBODY = ""


@dataclass(frozen=True, slots=True)
class CreateChat:
    """An operation: remember a new chat."""

    chat: Chat


@dataclass(frozen=True, slots=True)
class SetTitle:
    """An operation: set or clear a title."""

    chat_id: str
    title: str | None


@dataclass(frozen=True, slots=True)
class DropMessages:
    """An operation: delete as many messages of a chat as are soon deleted; are there more?"""

    chat_id: str


@dataclass(frozen=True, slots=True)
class DeleteChat:
    """An operation: delete a chat with its messages.

    :ivar hidden: only where it is nobody's.
    """

    chat_id: str
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class BeginTurn:
    """An operation: add messages at the end of a chat, creating the chat first if it is given.

    :ivar owner: whose they are, where the chat is not its owner's yet.
    """

    messages: Sequence[Message]
    chat: Chat | None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class GiveChat:
    """An operation: give a chat that is complete to its owner, or one that goes to nobody."""

    chat_id: str
    owner: str


@dataclass(frozen=True, slots=True)
class SetState:
    """An operation: move a message between states that are not terminal."""

    message_id: str
    state: MessageState


@dataclass(frozen=True, slots=True)
class Append:
    """An operation: append text to a message."""

    message_id: str
    text: str
    part: Part


@dataclass(frozen=True, slots=True)
class Rewrite:
    """An operation: make the text of a live message what it was told to be."""

    message_id: str
    text: str
    reasoning: str | None


@dataclass(frozen=True, slots=True)
class MakeThought:
    """An operation: move a message's text from a UTF-16 offset on to its reasoning."""

    message_id: str
    begin: int


@dataclass(frozen=True, slots=True)
class PutTool:
    """An operation: keep a tool call of a message, in the place of its earlier state."""

    message_id: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class Settle:
    """An operation: claim the terminal state of a message."""

    message_id: str
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class Interrupt:
    """An operation: claim the end of what an ended process was making.

    :ivar process: which one; None: nobody knows.
    """

    message_id: str
    settlement: Settlement
    process: str | None


@dataclass(frozen=True, slots=True)
class Reopen:
    """An operation: move a stopped or failed message back to the queue.

    :ivar request_id: what asks for it.
    :ivar model: which model goes on; None: the same.
    """

    message_id: str
    request_id: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An operation: take back messages of a request that was refused.

    Whether they had been written was not known: the connection broke before that was answered.
    """

    message_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AmendStop:
    """An operation: replace the receipt of a message that was stopped."""

    message_id: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class AmendPrompt:
    """An operation: replace the text and the place of a prompt whose reply has not begun.

    :ivar asked: that reply, and the request that it is found by from now on as well.
    :ivar attachments: what goes with it from now on; None: what went with it before.
    """

    message_id: str
    text: str
    reply_to: str | None
    asked: tuple[str, str] | None = None
    attachments: tuple[Attachment, ...] | None = None


@dataclass(frozen=True, slots=True)
class Beat:
    """An operation: note that this process is alive."""


Operation = (
    CreateChat
    | SetTitle
    | DropMessages
    | DeleteChat
    | BeginTurn
    | GiveChat
    | SetState
    | Append
    | Rewrite
    | MakeThought
    | PutTool
    | Settle
    | Interrupt
    | Reopen
    | Withdraw
    | AmendStop
    | AmendPrompt
    | Beat
)


def left_behind(message_id: str, process: str | None, usage: Usage | None = None) -> Interrupt:
    """Make the end of what a process was making that is gone.

    :param usage: what it used.
    """
    stop = Receipt(reason="server_restart", requested_at=now())
    end = Settlement(MessageState.INTERRUPTED, stop=stop, usage=usage)
    return Interrupt(message_id, end, process)


def weight(operation: Operation) -> int:
    """Estimate how many bytes an operation brings to the disk."""
    if isinstance(operation, Append):
        return 64 + len(operation.text)
    if isinstance(operation, PutTool):
        return 256 + len(operation.call.args or "") + len(operation.call.result or "")
    if isinstance(operation, Rewrite):
        return 256 + len(operation.text)
    if isinstance(operation, AmendPrompt):
        attached = operation.attachments or ()
        return 256 + len(operation.text) + sum(len(each.text) for each in attached)
    if isinstance(operation, BeginTurn):
        return 256 + sum(
            256 + len(message.text) + sum(len(each.text) for each in message.attachments)
            for message in operation.messages
        )
    return 256
