"""How a reply is found by more requests than one, and goes on where no other process makes one."""

from __future__ import annotations

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message

from .operations import Reopen
from .processes.heartbeat import beat
from .schema import IS_LIVE, earlier_requests, messages, questions
from .settle import read_message, touch

#: An end that a message can go on from.
CAN_GO_ON = and_(
    messages.c.role == "assistant",
    or_(
        messages.c.state.in_(("interrupted", "failed")),
        and_(messages.c.state == "completed", messages.c.finish_reason == "length"),
    ),
)


def reopen(
    connection: Connection, operation: Reopen, process: str, beside: bool
) -> Message | None:
    """Let a message go on, and return it; None if it cannot."""
    mine = (
        messages.c.id == operation.message_id,
        CAN_GO_ON,
    )
    before = connection.execute(
        select(messages.c.seq, messages.c.chat_id, messages.c.owner, messages.c.request_id).where(
            *mine
        )
    ).one_or_none()
    if before is None:
        return None
    touch(connection, before.chat_id)
    if not beside:
        refuse_beside(connection, before.chat_id, process)
    names = ("request_id", "model", "mode")
    new = {name: getattr(operation, name) for name in names}
    found = connection.execute(
        update(messages)
        .where(*mine)
        .values(
            state="queued",
            stop=None,
            error=None,
            finish_reason=None,
            process=process,
            **{name: value for name, value in new.items() if value is not None},
        )
    )
    if not found.rowcount:
        return None
    if operation.request_id is not None and before.request_id is not None:
        keep_request(connection, before.owner, before.request_id, before.seq)
    # A flag that asks for its stop was for what ended.
    connection.execute(delete(questions).where(questions.c.id == operation.message_id))
    beat(connection, process)
    return read_message(connection, operation.message_id)


def keep_asked(connection: Connection, message_id: str, request_id: str) -> None:
    """Note the request that a reply is found by as well, since its prompt was changed."""
    its = select(messages.c.seq, messages.c.owner).where(
        messages.c.id == message_id, messages.c.role == "assistant"
    )
    row = connection.execute(its).one_or_none()
    if row is not None:
        keep_request(connection, row.owner, request_id, row.seq)


def keep_request(connection: Connection, owner: str, request_id: str, message: int) -> None:
    """Note that a message is found by one more request than the one that it bears."""
    known = (earlier_requests.c.owner == owner, earlier_requests.c.request_id == request_id)
    if connection.execute(select(earlier_requests.c.message).where(*known)).first() is None:
        connection.execute(
            insert(earlier_requests).values(owner=owner, request_id=request_id, message=message)
        )


def refuse_beside(connection: Connection, chat_id: str, process: str) -> None:
    """Begin nothing in a chat in which another process makes a reply: which came first is open.

    The chat's row is changed before: on a database server two that begin at once would both look
    before either has written, and so the second one waits there for the first.

    :raises StopChatError: `made_elsewhere`.
    """
    beside = select(messages.c.id).where(
        messages.c.chat_id == chat_id, IS_LIVE, messages.c.process != process
    )
    if connection.execute(beside.limit(1)).first() is not None:
        raise StopChatError(ErrorCode.MADE_ELSEWHERE)
