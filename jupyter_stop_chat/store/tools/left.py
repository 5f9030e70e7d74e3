"""Calls that ran on as their messages ended: which process has them, and their end with it."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, String, bindparam, delete, insert, select, update

from jupyter_stop_chat.ports.store import ended
from jupyter_stop_chat.store.operations import EndLeft
from jupyter_stop_chat.store.schema import (
    IS_LIVE,
    NOW_SECONDS,
    left_running,
    messages,
    processes,
)
from jupyter_stop_chat.wire.tools import ToolCall

#: What processes have left running behind messages that have ended, and how long ago these
#: processes were last seen.
LEFT_RUNNING = (
    select(
        messages.c.id,
        left_running.c.process,
        (NOW_SECONDS - processes.c.seen_at).label("unseen_seconds"),
    )
    .join(messages, messages.c.seq == left_running.c.message)
    .outerjoin(processes, processes.c.id == left_running.c.process)
    .where(~IS_LIVE)
)
_ITS = select(messages.c.seq).where(messages.c.id == bindparam("its_id"))
#: Notes that a message has left a call running: behind `FORGET_OURS`, as it may be noted already.
NOTE = insert(left_running).from_select(
    ["message", "process"],
    select(messages.c.seq, bindparam("its_process", type_=String())).where(
        messages.c.id == bindparam("its_id")
    ),
)
#: Notes that nothing of a message runs any more.
FORGET = delete(left_running).where(left_running.c.message.in_(_ITS))
FORGET_OURS = FORGET.where(left_running.c.process == bindparam("its_process"))


def runs_on(tools: Iterable[ToolCall]) -> bool:
    """Tell whether one of these calls still runs."""
    return any(each.state == "still_running" for each in tools)


def end(connection: Connection, operation: EndLeft) -> None:
    """End what ran on behind a message that has ended: the process that had it is gone."""
    its = (messages.c.id == operation.message_id, ~IS_LIVE)
    row = connection.execute(select(messages.c.tools).where(*its)).one_or_none()
    if row is None:
        return
    tools = ended([ToolCall.model_validate(each) for each in row.tools or ()], gone=True)
    new = [each.model_dump(mode="json") for each in tools] or None
    connection.execute(update(messages).where(*its).values(tools=new))
    connection.execute(FORGET, {"its_id": operation.message_id})
