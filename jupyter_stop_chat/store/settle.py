"""End a message: claim its terminal state, and put its text in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)

from jupyter_stop_chat.ports.store import Part, Settlement, ended
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice, whole

from .appends import append
from .operations import Append, Interrupt, MakeThought, Rewrite, Settle
from .rows import CHANGING, ONE_MESSAGE, message_of, row_of_end
from .schema import IS_LIVE, LIVE, chats, deltas, messages
from .spending import COUNT_CHAT, COUNT_DAY, more, of_day
from .tools.left import FORGET, FORGET_OURS, NOTE, runs_on

#: So much of a text is put into its message, where it can be searched, in UTF-16 code units. What
#: a longer one has behind that stays in the rows it was appended in: to write megabytes anew, and
#: to index them, would keep the text of all other chats waiting for as long as it takes.
FOLDED = 256 * 1024
#: So much of a text is appended at once, in characters.
_PIECE = 64 * 1024
#: So many rows are read at once.
_PAGE = 64
#: The place in the order of changes that comes next.
NEXT_CHANGE = select(func.coalesce(func.max(chats.c.changed), 0) + literal_column("1"))

#: The statements of each end are made once: to make them takes longer than to run them.
_SETTLE = (
    update(messages)
    .where(
        messages.c.id == bindparam("its_id"),
        IS_LIVE,
        messages.c.process.is_not_distinct_from(bindparam("its_process")),
    )
    .values({name: bindparam(f"new_{name}", type_=messages.c[name].type) for name in CHANGING})
)
_TOUCH = (
    update(chats)
    .where(chats.c.id == bindparam("its_id"))
    .values(updated_at=bindparam("new_updated_at"), changed=NEXT_CHANGE.scalar_subquery())
)
#: The same, with what was spent.
_TOUCH_AND_COUNT = _TOUCH.values(COUNT_CHAT)
_OF_MESSAGE = (
    deltas.c.message
    == select(messages.c.seq).where(messages.c.id == bindparam("its_id")).scalar_subquery()
)
#: Rows are numbered within their message: a number alone names one of each.
_OF_TEXT = and_(_OF_MESSAGE, deltas.c.part == "text")
_DROP = delete(deltas).where(_OF_MESSAGE)
_DROP_REASONING = _DROP.where(deltas.c.part == "reasoning")


class Executor(Protocol):
    """What executes statements in a transaction."""

    def rows(self, statement: Any, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that a statement finds."""
        ...

    def change(self, statement: Any, values: Mapping[str, Any]) -> int:
        """Return how many rows a statement changed."""
        ...


class _Core:
    """SQLAlchemy's connection as what executes statements."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: Any, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the rows that a statement finds."""
        return [dict(row) for row in self._connection.execute(statement, values).mappings()]

    def change(self, statement: Any, values: Mapping[str, Any]) -> int:
        """Return how many rows a statement changed."""
        return self._connection.execute(statement, values).rowcount


def settle(
    connection: Connection, operation: Settle | Interrupt, process: str | None
) -> Message | None:
    """Claim a terminal state, and keep of the text what the settlement says.

    What was spent is counted in its chat; its owner's day is counted by `count_days`.

    :param process: the server process that makes the message; another's is not touched.
    :returns: the message as it is kept, or None when another had claimed it before.
    :raises StopChatError: the state is no end.
    """
    executor = _Core(connection)
    row = _live_row(executor, operation)
    if row is None:
        return None
    before = message_of(row)
    message = _settled(before, operation)
    if message.text_length <= FOLDED:
        return _end(executor, message, process, operation.settlement)
    # A longer one's own text stays for now: what waits goes behind it below.
    stored = message.model_copy(update={"text": row["text"]})
    if not _claim(executor, stored, process):
        return None
    waiting = _Waiting(connection, message.id)
    waiting.drop_reasoning()
    surplus = waiting.cut(before.text_length - message.text_length)
    text = waiting.fold()
    text = utf16_slice(text, 0, utf16_length(text) - surplus)
    own = {"text": text, "text_length": utf16_length(text)}
    connection.execute(update(messages).where(messages.c.id == message.id).values(own))
    _note_left(executor, message, process)
    _count(executor, message, operation.settlement)
    return message


def settle_short(
    executor: Executor, operation: Settle, process: str
) -> tuple[bool, Message | None]:
    """Settle a message whose text fits into its row; tell whether it does, and what is kept.

    :param process: the server process that makes the message; another's is not touched.
    :raises StopChatError: the state is no end.
    """
    row = _live_row(executor, operation)
    if row is None:
        return True, None
    message = _settled(message_of(row), operation)
    if message.text_length > FOLDED:
        return False, None
    kept = _end(executor, message, process, operation.settlement)
    if kept is not None and (bill := operation.settlement.bill) is not None:
        executor.change(COUNT_DAY, of_day(bill))
    return True, kept


def _live_row(executor: Executor, operation: Settle | Interrupt) -> dict[str, Any] | None:
    if operation.settlement.state in LIVE:
        raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "settled with a state that is no end")
    rows = executor.rows(ONE_MESSAGE, {"id": operation.message_id})
    return rows[0] if rows and rows[0]["state"] in LIVE else None


def _claim(executor: Executor, message: Message, process: str | None) -> bool:
    new = {f"new_{name}": value for name, value in row_of_end(message).items()}
    its = {"its_id": message.id, "its_process": process}
    return executor.change(_SETTLE, its | new) > 0


def _end(
    executor: Executor, message: Message, process: str | None, settlement: Settlement
) -> Message | None:
    if not _claim(executor, message, process):
        return None
    executor.change(_DROP, {"its_id": message.id})
    _note_left(executor, message, process)
    _count(executor, message, settlement)
    return message


def _note_left(executor: Executor, message: Message, process: str | None) -> None:
    """Note whether a call of a message runs on, and who has it."""
    if not message.tools:
        return
    its = {"its_id": message.id, "its_process": process}
    if not runs_on(message.tools):
        executor.change(FORGET, {"its_id": message.id})
    elif process is not None:
        executor.change(FORGET_OURS, its)
        executor.change(NOTE, its)


def _count(executor: Executor, message: Message, settlement: Settlement) -> None:
    """Make a chat the one that changed last, with what a part of a message adds to it."""
    bill = settlement.bill
    its = {"its_id": message.chat_id, "new_updated_at": now()}
    executor.change(_TOUCH_AND_COUNT, its | more(bill.spent if bill else None))


def _settled(message: Message, operation: Settle | Interrupt) -> Message:
    """Return a message as its end leaves it."""
    settlement = operation.settlement
    tools = message.tools if settlement.tools is None else settlement.tools
    told = {
        name: value
        for name in ("usage", "cost", "stop", "error", "finish_reason")
        if (value := getattr(settlement, name)) is not None
    }
    text = utf16_slice(message.text, 0, settlement.keep)
    reasoning = utf16_slice(message.reasoning or "", 0, settlement.keep_reasoning)
    return message.model_copy(
        update={
            **told,
            "state": settlement.state,
            "text": text,
            "text_length": utf16_length(text),
            "reasoning": reasoning or None,
            "tools": ended(tools, gone=isinstance(operation, Interrupt)),
        }
    )


def rewrite(connection: Connection, operation: Rewrite, process: str) -> None:
    """Put another text in the place of a live message's.

    What begins as it did before keeps its beginning; the rest is appended, as it was made.

    :param process: the server process that makes the message; another's is not touched.
    """
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    own = select(messages.c.text, messages.c.reasoning).where(*mine)
    row = connection.execute(own).one_or_none()
    if row is None:
        return
    new: dict[str, Any] = {}
    appends = []
    parts: tuple[Part, ...] = ("text", "reasoning")
    for part in parts:
        wanted, begun = whole(getattr(operation, part) or ""), getattr(row, part) or ""
        kept = begun if wanted.startswith(begun) else ""
        new[part] = kept
        for at in range(len(kept), len(wanted), _PIECE):
            appends.append(Append(operation.message_id, wanted[at : at + _PIECE], part))
    new["text_length"] = utf16_length(new["text"])
    new["reasoning"] = new["reasoning"] or None
    connection.execute(update(messages).where(*mine).values(new))
    _Waiting(connection, operation.message_id).drop()
    append(connection, appends, process)


def take_thought(connection: Connection, operation: MakeThought, process: str) -> str:
    """Take the end of a live message's text away, and return it.

    :param process: the server process that makes the message; another's is not touched.
    """
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    if connection.execute(select(messages.c.seq).where(*mine)).first() is None:
        return ""
    message = read_message(connection, operation.message_id)
    thought = utf16_slice(message.text, operation.begin)
    # Where it begins within a character, that is in neither.
    kept = utf16_slice(message.text, 0, operation.begin)
    waiting = _Waiting(connection, operation.message_id)
    if waiting.cut(message.text_length - utf16_length(kept)):
        # It had begun before this try: all that is left is the message's own.
        own = {"text": kept, "text_length": utf16_length(kept)}
        connection.execute(update(messages).where(*mine).values(own))
    return thought


def read_message(connection: Connection, message_id: str) -> Message:
    """Read a message that is there."""
    row = connection.execute(ONE_MESSAGE, {"id": message_id}).mappings().one()
    return message_of(dict(row))


def touch(connection: Connection, chat_id: str) -> None:
    """Make a chat the one that changed last."""
    connection.execute(_TOUCH, {"its_id": chat_id, "new_updated_at": now()})


class _Waiting:
    """The rows of a message's text that is not in the message."""

    def __init__(self, connection: Connection, message_id: str) -> None:
        self._connection = connection
        self._its = {"its_id": message_id}

    def drop(self) -> None:
        """Drop them all."""
        self._connection.execute(_DROP, self._its)

    def drop_reasoning(self) -> None:
        """Drop those of its thoughts."""
        self._connection.execute(_DROP_REASONING, self._its)

    def cut(self, surplus: int) -> int:
        """Drop so much at the end of the text; return what is more than the rows have."""
        rows = self._rows(newest_first=True) if surplus else iter(())
        gone: list[int] = []
        last: tuple[int, str] | None = None
        for n, text in rows:
            length = utf16_length(text)
            if length > surplus:
                last = (n, utf16_slice(text, 0, length - surplus))
                surplus = 0
                break
            gone.append(n)
            surplus -= length
        if gone:
            # Appended last, and so the ones from there on.
            self._delete(deltas.c.n >= gone[-1])
        if last is not None:
            n, text = last
            cut = update(deltas).where(_OF_TEXT, deltas.c.n == n).values(text=text)
            self._connection.execute(cut, self._its)
        return surplus

    def fold(self) -> str:
        """Return the message's own text with as many rows behind it as belong there."""
        own = select(messages.c.text).where(messages.c.id == bindparam("its_id"))
        parts = [self._connection.execute(own, self._its).scalar_one()]
        length = utf16_length(parts[0])
        end = 0
        for n, text in self._rows() if length < FOLDED else iter(()):
            parts.append(text)
            length += utf16_length(text)
            end = n
            if length >= FOLDED:
                break
        self._delete(deltas.c.n <= end)
        return "".join(parts)

    def _rows(self, *, newest_first: bool = False) -> Iterator[tuple[int, str]]:
        """Read the text's rows a few at a time: most are not needed."""
        n = deltas.c.n
        rows = select(n, deltas.c.text).where(_OF_TEXT)
        rows = rows.order_by(n.desc() if newest_first else n).limit(_PAGE)
        page = self._connection.execute(rows, self._its).all()
        while page:
            yield from ((row.n, row.text) for row in page)
            last = page[-1].n
            rest = rows.where(n < last if newest_first else n > last)
            page = self._connection.execute(rest, self._its).all()

    def _delete(self, which: ColumnElement[bool]) -> None:
        self._connection.execute(delete(deltas).where(_OF_TEXT, which), self._its)
