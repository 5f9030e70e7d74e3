"""The objects of tool calls: where one is, what it asks for, and what a stop did to it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .terms import Digest, Offset, Stored, Text, WireModel


class CallCounts(Stored):
    """What a stop found of a reply's tool calls, and how much the reply had changed."""

    completed: Offset = 0
    interrupted: Offset = 0
    not_begun: Offset = 0
    cells_changed: Offset = 0
    files_changed: Offset = 0


#: What a kernel says to an interrupt of one run. `raised`: it broke into the cell. `handler`: the
#: cell waited, and was cancelled. `ended`: it had just come to its end. `pending`: it runs, and
#: has not reacted yet. `refused`: it had not begun, and will not. `no_answer`: it says nothing.
#: `plain`: a plain interrupt was sent. `not_sent`: none was, as something else runs, or nothing.
KernelAnswer = Literal[
    "raised", "handler", "ended", "pending", "refused", "no_answer", "plain", "not_sent"
]


class KernelStop(Stored):
    """What the kernel of a cell that was stopped said, after so many milliseconds.

    `exact`: it can have hit no other cell. `idle_ms`: when it was done with the cell; absent where
    it was not, as the receipt was written.
    """

    answer: KernelAnswer
    ms: float
    exact: bool
    idle_ms: float | None = None


#: What a server of tools says to a cancel. `acknowledged`: it answered the call, with whatever.
#: `unacknowledged`: it has not said anything, and may go on. `gone`: it is there no more.
ServerAnswer = Literal["acknowledged", "unacknowledged", "gone"]


class ServerStop(Stored):
    """What the server of a tool that was stopped said, after so many milliseconds."""

    answer: ServerAnswer
    ms: float


#: What a tool does: it looks, it changes a document, or it runs code or writes files.
Touches = Literal["reads", "edits", "runs"]
#: Where a tool call is. `asked`: a person has not allowed it yet. `waiting`: for its turn, or for
#: a kernel that is busy. `refused`: by a person, a rule or a bound; it never began. `interrupted`:
#: the reply was stopped; where it has no duration, it never began. `still_running`: it was
#: stopped, and what it does cannot be ended.
ToolState = Literal[
    "asked",
    "waiting",
    "running",
    "completed",
    "failed",
    "refused",
    "interrupted",
    "still_running",
]


#: What a tool call waits for that is running.
WaitsFor = Literal["kernel"]


class Approval(Stored):
    """What a person is asked to allow: exactly what has this digest.

    `by_rule`: it may be allowed in this chat, or always; else only this once.
    """

    digest: Digest
    by_rule: bool = True


class ToldCall(WireModel):
    """What is told of a tool call, in a message and in a frame alike."""

    call_id: str
    name: str
    state: ToolState
    args: str | None = None
    result: str | None = None
    at: Offset | None = None
    touches: Touches | None = None
    approval: Approval | None = None
    duration_ms: Offset | None = None
    waits_for: WaitsFor | None = None
    progress: Annotated[Text, Field(max_length=200)] | None = None


class ToolCall(ToldCall, Stored):
    """One tool call; `args` and `result` are shown, and cut where they are long.

    `at` is where in the reply's text it stands. `approval` is there while it is asked for.
    `waits_for` and `progress`, its own words for how far it has come, are there while it runs.
    """


class Changes(Stored):
    """What a reply changed, and whether that was taken back."""

    cells: Offset = 0
    files: Offset = 0
    undone: bool = False
