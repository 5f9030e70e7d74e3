"""What the HTTP routes of tools are sent and what they answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .http import DocumentChange
from .terms import Digest, Id, Text, WireModel
from .tools import ToolState


class ProposedChange(WireModel):
    """One change that a tool call asks a person to allow; the fields are those of a made one."""

    path: str
    action: Literal["insert", "replace", "move", "delete", "run", "write"]
    cell_id: str | None = None
    cell_type: str | None = None
    before: str | None = None
    after: str | None = None
    beside: dict[str, str | None] | None = None


class WholeCall(WireModel):
    """One tool call of a reply, with its whole arguments (as the model wrote them) and result.

    `proposed` is what it asks a person to allow, `changes` is what it changed, or was about to.
    What another server makes has none of the first.
    """

    call_id: str
    name: str
    state: ToolState
    args: str | None = None
    result: str | None = None
    proposed: tuple[ProposedChange, ...] = ()
    changes: tuple[DocumentChange, ...] = ()


class WholeCalls(WireModel):
    """The tool calls of a reply, in order."""

    calls: tuple[WholeCall, ...]


class ApprovalRequest(WireModel):
    """A person's answer to what a tool call asks for.

    `digest` is that of its `approval`, so that it is for exactly what was shown. `once` is this
    call alone; `chat` and `always` let its tool act unasked from now on, in this chat or in all of
    yours. `reason` is told to the model.
    """

    digest: Digest
    answer: Literal["once", "chat", "always", "refuse"]
    reason: Annotated[Text, Field(max_length=2000)] | None = None


#: What a person may do to the kernel of a run that goes on.
KernelAction = Literal["interrupt", "restart"]


class KernelRequest(WireModel):
    """What is to become of the run of a tool call: it alone is interrupted, or its kernel is
    started anew."""

    action: KernelAction


class KeptOutputs(WireModel):
    """The outputs of a run that no page has put into its cell.

    `source_digest` is the SHA-256 of the source that ran: into a cell with another one nothing is
    put. `outputs` are as nbformat 4 has them.
    """

    message_id: Id
    call_id: str
    path: str
    cell_id: str
    source_digest: Digest
    outputs: tuple[dict[str, Any], ...] = ()
    execution_count: int | None = None
    ended_at: str


class KeptRuns(WireModel):
    """The runs of a notebook that are kept, oldest first: at most one of each cell."""

    runs: tuple[KeptOutputs, ...]


class AllowedTool(WireModel):
    """A tool that may act unasked: in one chat, or in all of yours."""

    tool: str
    chat_id: Id | None = None


class AllowedTools(WireModel):
    """The tools that may act unasked, oldest first.

    `locked`: the server's administrator has each call asked for, whatever is allowed here.
    """

    tools: tuple[AllowedTool, ...]
    locked: bool = False


class AnswerRequest(WireModel):
    """What a page answers to what a tool asked of it, as in the frame `tool_answer`."""

    result: Text | None = None
    error: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
