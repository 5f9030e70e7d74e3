"""What can be written, as plain data: each is applied to a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jupyter_stop_chat.ports.outputs import KeptRun
from jupyter_stop_chat.ports.pictures import Picture
from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.ports.store import Part, Settlement
from jupyter_stop_chat.ports.tools import Change, ChangeState, Told
from jupyter_stop_chat.wire.objects import Attachment, Chat, Message, MessageState, Mode, Receipt
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.tools import ToolCall

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
class SetInstructions:
    """An operation: give a chat other instructions, or none."""

    chat_id: str
    text: str


@dataclass(frozen=True, slots=True)
class KeepInstructions:
    """An operation: keep the instructions that a message is sent with.

    :ivar digest: of the text, which is kept once in a chat.
    """

    message_id: str
    digest: str
    text: str


@dataclass(frozen=True, slots=True)
class KeepBlob:
    """An operation: keep a picture for somebody who is about to send it.

    :ivar most: so many bytes the owner's pictures may have together; 0: any number.
    """

    owner: str
    picture: Picture
    data: bytes
    most: int


@dataclass(frozen=True, slots=True)
class SweepBlobs:
    """An operation: delete pictures that were uploaded long ago and are in no message."""


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
class AmendTool:
    """An operation: replace a tool call of a message that has ended."""

    message_id: str
    call: ToolCall


@dataclass(frozen=True, slots=True)
class PutCall:
    """An operation: keep a call as models are told it, in the place of its earlier state.

    :ivar n: its number within the message.
    """

    message_id: str
    n: int
    call: Told


@dataclass(frozen=True, slots=True)
class KeepCalls:
    """An operation: keep the calls of a message that is brought in."""

    message_id: str
    calls: Sequence[Told]


@dataclass(frozen=True, slots=True)
class KeepOutputs:
    """An operation: keep the outputs of a run until a page has put them into its cell."""

    message_id: str
    run: KeptRun


@dataclass(frozen=True, slots=True)
class DropOutputs:
    """An operation: keep them no longer."""

    message_id: str
    call_id: str
    owner: str


@dataclass(frozen=True, slots=True)
class EndLeft:
    """An operation: give what ran on behind a message its end, since its process is gone."""

    message_id: str


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
    :ivar model: which model goes on; None: the same. `mode`: in which mode, likewise.
    """

    message_id: str
    request_id: str | None = None
    model: str | None = None
    mode: Mode | None = None


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
    :ivar attachments: what goes with it from now on; None: what went with it before. `mode`:
        that of both, likewise.
    """

    message_id: str
    text: str
    reply_to: str | None
    asked: tuple[str, str] | None = None
    attachments: tuple[Attachment, ...] | None = None
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class AllowTool:
    """An operation: let a tool act unasked, in a chat or, where that is empty, in all of them."""

    owner: str
    chat_id: str
    tool: str


@dataclass(frozen=True, slots=True)
class AskAgain:
    """An operation: take that back."""

    owner: str
    chat_id: str
    tool: str


@dataclass(frozen=True, slots=True)
class NoteChange:
    """An operation: write down a change that a live message is about to make.

    :ivar n: its number within the message.
    """

    message_id: str
    n: int
    call_id: str
    change: Change


@dataclass(frozen=True, slots=True)
class MarkChanges:
    """An operation: write down what became of a message's changes, by their numbers."""

    message_id: str
    states: Mapping[int, ChangeState]


@dataclass(frozen=True, slots=True)
class Charge:
    """An operation: count what was spent for a chat besides its replies.

    :ivar id: its own, by which it counts once, however often it is applied.
    """

    chat_id: str
    bill: Bill
    id: str


@dataclass(frozen=True, slots=True)
class Beat:
    """An operation: note that this process is alive."""


Operation = (
    CreateChat
    | SetTitle
    | SetInstructions
    | KeepInstructions
    | KeepBlob
    | SweepBlobs
    | DropMessages
    | DeleteChat
    | BeginTurn
    | GiveChat
    | SetState
    | Append
    | Rewrite
    | MakeThought
    | PutTool
    | AmendTool
    | PutCall
    | KeepCalls
    | KeepOutputs
    | DropOutputs
    | EndLeft
    | Settle
    | Interrupt
    | Reopen
    | Withdraw
    | AmendStop
    | AmendPrompt
    | AllowTool
    | AskAgain
    | NoteChange
    | MarkChanges
    | Charge
    | Beat
)


def left_behind(message_id: str, process: str | None, *, restarted: bool = False) -> Interrupt:
    """Make the end of what a process was making that is gone.

    :param restarted: it was found at a start: what was there before is taken for that server.
    """
    reason: Literal["server_restart", "server_gone"] = (
        "server_restart" if restarted else "server_gone"
    )
    stop = Receipt(reason=reason, requested_at=now())
    return Interrupt(message_id, Settlement(MessageState.INTERRUPTED, stop=stop), process)
