"""Save what was kept in memory while the database could not be written."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from sqlalchemy import Connection, delete

from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.store.changes import apply
from jupyter_stop_chat.store.operations import Append, BeginTurn, Operation, Reopen
from jupyter_stop_chat.store.schema import chats
from jupyter_stop_chat.store.spending import count_days
from jupyter_stop_chat.wire.errors import StopChatError

from .copying import ChatRows, write_chat
from .doubt import answer_before

log = logging.getLogger(__name__)


def apply_again(connection: Connection, operations: Sequence[Operation], process: str) -> None:
    """Apply what was done in memory to the database itself, inside the caller's transaction.

    What another process did meanwhile stands: a chat that it deleted stays deleted, and a
    message that it ended stays as it is.
    """
    for texts, some in groupby(operations, lambda each: isinstance(each, Append)):
        if texts:
            apply(connection, list(some), process)
            continue
        _apply_each(connection, some, process)


def _apply_each(connection: Connection, operations: Iterable[Operation], process: str) -> None:
    for operation in operations:
        refused: StopChatError | None = None
        for again in (operation, _without_request(operation)):
            try:
                with connection.begin_nested():
                    apply(connection, [again], process, beside=True, lenient=True)
            except StopChatError as error:
                refused = error
            else:
                refused = None
                break
        if refused is not None and not answer_before(connection, operation, process):
            log.warning("Something is not saved: %s.", refused.code)


def write_anew(
    connection: Connection,
    held: dict[str, ChatRows | None],
    whole: Collection[str],
    days: Sequence[Bill] = (),
) -> None:
    """Write chats into a database that was lost and made anew, or delete them there.

    :param held: by id; None: it was deleted.
    :param whole: those of which all messages are held: they take the place of what is there, which
        may have gaps.
    :param days: what was spent meanwhile.
    """
    for chat_id, rows in held.items():
        if rows is None or chat_id in whole:
            connection.execute(delete(chats).where(chats.c.id == chat_id))
    there = [rows for rows in held.values() if rows is not None]
    for rows in sorted(there, key=lambda rows: int(rows.chat["changed"])):
        write_chat(connection, rows, newest=True)
    count_days(connection, days)


def _without_request(operation: Operation) -> Operation:
    """Leave out the request that another process answered meanwhile: the reply is kept."""
    if isinstance(operation, Reopen):
        return replace(operation, request_id=None)
    if isinstance(operation, BeginTurn):
        turn = [each.model_copy(update={"request_id": None}) for each in operation.messages]
        return replace(operation, messages=turn)
    return operation
