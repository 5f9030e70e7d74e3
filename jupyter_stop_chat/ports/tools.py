"""What the engine knows of tools: what one is, what it is given, and what it tells.

A tool's effects go through the `Call` that it is given, and through nothing else: there a stop is
looked for in the very step in which an effect begins, and what is changed is written down before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from jupyter_stop_chat.wire.tools import ServerAnswer, ToolState, Touches, WaitsFor

from .kernels import Interrupted

_T = TypeVar("_T")

#: Longer arguments of a call are not read, in characters: a cell of that length is none that a
#: person reads.
LONGEST_ARGS = 256 * 1024

#: `run` of a cell, `write` of a file; the others are of cells.
Action = Literal["insert", "replace", "move", "delete", "run", "write"]
#: What lets a tool that edits or runs act without asking a person. `rules`: people may say so, for
#: a chat or for good. `each`: nothing does, they are asked each time.
Unasked = Literal["rules", "each"]
ChangeState = Literal["begun", "done", "failed", "undone"]


class PageError(Exception):
    """A failure: a page could not do what a tool asked of it.

    :ivar code: `not_open`: no page has the document open. `open_elsewhere`: another tab has it,
        which must not be changed to in the middle. `no_page`: none is there. `no_answer`: one is,
        and says nothing. `gone`: no cell has that id. `changed`: the cell is not as expected.
        `changed_kernel`: the notebook has another kernel than expected. `busy`: its person runs
        that cell.
        `read_only`, `too_large`, `bad_request`. `failed`: for another reason. `lost`: something
        was to be changed, and whether it was is not known.
    :ivar result: what goes with it, such as the cell's source as it is.
    """

    def __init__(self, code: str, result: Any = None) -> None:
        super().__init__(code)
        self.code = code
        self.result = result


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a document.

    :ivar before: the source of the cell, or the text of the file, as it was; None for one that is
        new. Of a run: what runs.
    :ivar after: as it is to be; None for one that is deleted, moved or run.
    :ivar cell: a deleted cell as the notebook had it, with its outputs.
    :ivar beside: the ids of the neighbours, `above` and `below`, where it was; and, of one that
        is moved or inserted, `new_above` and `new_below`. What is None is the notebook's end.
    """

    path: str
    action: Action
    cell_id: str | None = None
    cell_type: str | None = None
    before: str | None = None
    after: str | None = None
    cell: Mapping[str, Any] | None = None
    beside: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A change as it is kept in the journal, or a cell that ran.

    :ivar n: its number within the message.
    """

    n: int
    call_id: str
    change: Change
    state: ChangeState


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a tool is about to do, as a person is asked to allow it.

    :ivar changes: what it is to change.
    :ivar always_asked: no rule allows it.
    """

    changes: tuple[Change, ...] = ()
    always_asked: bool = False


@dataclass(frozen=True, slots=True)
class ToolPicture:
    """A picture that a tool shows its model.

    :ivar data: its bytes as base64.
    """

    mime_type: str
    data: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answers its model; `failed`: why it could not be done.

    :ivar pictures: shown to models that see, in this reply alone; `text` says that they are there.
    """

    text: str
    failed: bool = False
    pictures: tuple[ToolPicture, ...] = ()


class Call(Protocol):
    """What a tool is given of the call that it answers."""

    owner: str
    chat_id: str
    message_id: str
    call_id: str
    #: The notebook or file that the person had open at their prompt.
    path: str | None
    #: What the person allowed, as `propose` had made it.
    proposal: Proposal
    #: Whether the model sees pictures; None: nobody knows.
    sees: bool | None

    def begin(self) -> None:
        """Raise `asyncio.CancelledError` if the reply was stopped.

        It is the statement before an effect, with no `await` between.
        """
        ...

    async def page(self, operation: str, args: Mapping[str, Any], *, effect: bool = False) -> Any:
        """Have the page that has a document open do something, and return what it answers.

        :param args: `path` names the document.
        :param effect: it changes something: it begins only if the reply was not stopped, and a
            document that another tab has open is not turned to in the middle.
        :raises PageError: when it cannot.
        """
        ...

    async def in_thread(self, function: Callable[[], _T]) -> _T:
        """Call what has only sync code; it begins only if the reply was not stopped.

        Nothing ends a thread: what runs on behind a stop is told as still running, to its end.
        """
        ...

    def leave(self, work: asyncio.Future[Any]) -> None:
        """Tell that something goes on behind a stop, until that is done.

        The call's line says "still running" so long.
        """
        ...

    @property
    def has_page(self) -> bool:
        """Tell whether a page of the person's is there, behind a stop as well."""
        ...

    def waits_for(self, what: WaitsFor | None) -> None:
        """Show in the call's line what it waits for."""
        ...

    def progress(self, words: str) -> None:
        """Show in the call's line how far it has come, in words; they are not kept."""
        ...

    def own_time(self) -> AbstractContextManager[None]:
        """Let the reply's own time stand still: what is done has a limit of its own."""
        ...

    def kernel_said(self, interrupted: Interrupted, idle_ms: float | None = None) -> None:
        """Have the receipt tell what a kernel said to an interrupt.

        :param idle_ms: so long after that it was done with the cell; None: it is not yet.
        """
        ...

    def server_said(self, answer: ServerAnswer, ms: float) -> None:
        """Have the receipt tell what a server of tools said to a cancel, after so long."""
        ...

    async def note(self, change: Change) -> int:
        """Write down a change that is about to be made; return its number once it is durable."""
        ...

    async def noted(self, n: int, *, done: bool) -> None:
        """Write down whether a change was made."""
        ...


async def _nothing_proposed(call: Call, args: Mapping[str, Any]) -> Proposal:
    return Proposal()


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool that a model may call.

    :ivar parameters: the JSON schema of its arguments.
    :ivar run: carries a call out. What it raises is told to the model as a failure.
    :ivar propose: looks what the call would do, before a person is asked and again where the
        document changed meanwhile; it has no effect. What it raises is told to the model.
    :ivar edition: what changes with what others say that it does: what a person allowed for good
        holds for this edition alone. Empty for what changes with the package only.
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    touches: Touches
    run: Callable[[Call, Mapping[str, Any]], Awaitable[ToolResult]]
    propose: Callable[[Call, Mapping[str, Any]], Awaitable[Proposal]] = _nothing_proposed
    edition: str = ""

    @property
    def rule(self) -> str:
        """Return what a rule about it is kept under; no name has an `@`."""
        return f"{self.name}@{self.edition}" if self.edition else self.name


def tool_of(rule: str) -> str:
    """Return the name of the tool that a rule is about."""
    return rule.partition("@")[0]


class ToolError(Exception):
    """A failure that the model is told in these words."""


class Asking(Exception):
    """What a tool raises in `run` where the document is not as allowed: it is asked anew."""


@dataclass(frozen=True, slots=True)
class Told:
    """A tool call as a model is told it in later turns.

    :ivar step: the calls of one step were made at once.
    :ivar at: where in the reply's text, in UTF-16 code units.
    :ivar args: JSON, as the model wrote it.
    :ivar result: None while there is none.
    """

    # It comes in files as well; pydantic before 2.14 leaves it out of a schema else.
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    step: int
    at: int
    call_id: str
    name: str
    args: str
    state: ToolState
    result: str | None = None


class Journal(Protocol):
    """What remembers what replies changed."""

    async def note(self, message_id: str, call_id: str, change: Change) -> int:
        """Write down a change that is about to be made by a live message; return its number."""
        ...

    async def mark(self, message_id: str, states: Mapping[int, ChangeState]) -> None:
        """Write down what became of changes, by their numbers; also of a message that ended."""
        ...

    async def changes(self, message_id: str) -> list[Noted]:
        """Return what a message changed, in order."""
        ...


class CallStore(Protocol):
    """What remembers tool calls, whole."""

    def put(self, message_id: str, n: int, call: Told) -> Awaitable[None]:
        """Keep a call of a live message, in the place of its earlier state.

        What is kept is in the order of the calls of this, whoever waits for it.
        """
        ...

    async def of(self, message_ids: Sequence[str]) -> dict[str, list[Told]]:
        """Return the calls of messages, in order."""
        ...


class AllowedTools(Protocol):
    """What remembers which tools may act unasked, each by its `rule`."""

    async def allow(self, owner: str, chat_id: str, tool: str) -> None:
        """Let a tool act unasked: in one chat, or where that is empty in all of an owner's."""
        ...

    async def ask_again(self, owner: str, chat_id: str, tool: str) -> None:
        """Take that back."""
        ...

    async def allowed(self, owner: str, chat_id: str) -> frozenset[str]:
        """Return which tools may act unasked in a chat."""
        ...

    async def rules(self, owner: str) -> list[tuple[str, str]]:
        """Return all that an owner allowed: chats, empty for all of them, with tools."""
        ...


@dataclass(frozen=True, slots=True)
class AgentRules:
    """What an administrator says of tools.

    :ivar mode: chats may use them.
    :ivar unasked: what lets them act without asking a person.
    """

    mode: bool = True
    unasked: Unasked = "rules"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call that a model makes.

    :ivar args: its arguments as the model wrote them: JSON, if it is any.
    :ivar whole: the model's answer came to its own end, as its provider ends calls of tools.
    """

    call_id: str
    name: str
    args: str
    whole: bool = True


class Gate(Protocol):
    """The one place that every call of a tool passes: bounds, approval, the stop, the journal."""

    @property
    def tools(self) -> Sequence[Tool]:
        """Return what the model may call."""
        ...

    def step(self) -> None:
        """Note that the model is asked again.

        :raises StopChatError: `too_many_steps`, when it was asked too often in this reply.
        """
        ...

    async def run(self, calls: Sequence[Wanted]) -> list[ToolResult]:
        """Carry out the calls of one answer, and return what the model is told, in their order.

        :raises asyncio.CancelledError: when the reply is stopped.
        """
        ...


@dataclass(frozen=True, slots=True)
class NoTools:
    """A gate through which nothing goes."""

    tools: Sequence[Tool] = field(default=())

    def step(self) -> None:
        """Note that the model is asked again."""

    async def run(self, calls: Sequence[Wanted]) -> list[ToolResult]:
        """Answer that there is no such tool."""
        return [ToolResult("There is no such tool.", failed=True) for _ in calls]
