"""End a message: claim its terminal state, and put its text in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    delete,
    func,
    literal_column,
    select,
    update,
)

from jupyter_stop_chat.ports.store import Settlement, ended
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message, Usage
from jupyter_stop_chat.wire.times import now
from jupyter_stop_chat.wire.usage import CHARACTERS_PER_TOKEN, tokens, total
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

from .operations import Interrupt, MakeThought, Settle
from .rows import ONE_MESSAGE, message_of
from .schema import IS_LIVE, LIVE, chats, deltas, messages

#: So much of a text is put into its message, where it can be searched, in UTF-16 code units. What
#: a longer one has behind that stays in the rows it was appended in: to write megabytes anew, and
#: to index them, would keep the text of all other chats waiting for as long as it takes.
FOLDED = 256 * 1024
#: So many rows are read at once.
_PAGE = 64
#: The place in the order of changes that comes next.
NEXT_CHANGE = select(func.coalesce(func.max(chats.c.changed), 0) + literal_column("1"))


def settle(
    connection: Connection, operation: Settle | Interrupt, process: str | None
) -> Message | None:
    """Claim a terminal state, and keep of the text what the settlement says.

    :param process: the server process that makes the message; another's is not touched.
    :returns: the message as it is kept, or None when another had claimed it before.
    :raises StopChatError: the state is no end.
    """
    settlement = operation.settlement
    if settlement.state in LIVE:
        raise StopChatError(ErrorCode.NOT_POSSIBLE_NOW, "settled with a state that is no end")
    claimed = connection.execute(
        update(messages)
        .where(messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
        .values(state=settlement.state.value, **_told(settlement))
    )
    if not claimed.rowcount:
        return None
    message = read_message(connection, operation.message_id)
    surplus = message.text_length
    text = utf16_slice(message.text, 0, settlement.keep)
    reasoning = utf16_slice(message.reasoning or "", 0, settlement.keep_reasoning) or None
    message = message.model_copy(
        update={
            "text": text,
            "text_length": utf16_length(text),
            "reasoning": reasoning,
            "tools": ended(message.tools),
        }
    )
    surplus -= message.text_length
    waiting = _Waiting(connection, message.id)
    if message.text_length <= FOLDED:
        waiting.drop()
    else:
        waiting.drop("reasoning")
        surplus = waiting.cut(surplus)
        text = waiting.fold()
        text = utf16_slice(text, 0, utf16_length(text) - surplus)
    connection.execute(
        update(messages)
        .where(messages.c.id == message.id)
        .values(
            text=text,
            text_length=utf16_length(text),
            reasoning=message.reasoning,
            tools=[tool.model_dump(mode="json") for tool in message.tools] or None,
        )
    )
    touch(connection, message.chat_id)
    return message


def take_thought(connection: Connection, operation: MakeThought, process: str) -> str:
    """Take the end of a live message's text away, and return it.

    :param process: the server process that makes the message; another's is not touched.
    """
    mine = (messages.c.id == operation.message_id, IS_LIVE, messages.c.process == process)
    if connection.execute(select(messages.c.seq).where(*mine)).first() is None:
        return ""
    message = read_message(connection, operation.message_id)
    thought = utf16_slice(message.text, operation.begin)
    waiting = _Waiting(connection, operation.message_id)
    if waiting.cut(utf16_length(thought)):
        # It had begun before this try: all that is left is the message's own.
        kept = utf16_slice(message.text, 0, operation.begin)
        own = {"text": kept, "text_length": utf16_length(kept)}
        connection.execute(update(messages).where(*mine).values(own))
    return thought


def _told(settlement: Settlement) -> dict[str, Any]:
    """Return the columns that a settlement says something of."""
    told: dict[str, Any] = {
        name: value.model_dump(mode="json")
        for name in ("usage", "stop", "error")
        if (value := getattr(settlement, name)) is not None
    }
    if settlement.finish_reason is not None:
        told["finish_reason"] = settlement.finish_reason
    if settlement.tools is not None:
        told["tools"] = [tool.model_dump(mode="json") for tool in settlement.tools] or None
    return told


def estimated(row: Mapping[str, Any], length_before: int) -> Usage | None:
    """Estimate what a message used whose process ended before it counted (B9).

    :param row: the message, as `ONE_MESSAGE` reads it; what waits was made by the last try.
    :param length_before: how long is what stands before it, in UTF-16 code units.
    :returns: None when nothing was made that was not counted.
    """
    known = None if row["usage"] is None else Usage.model_validate(row["usage"])
    text = utf16_length(row["more_text"] or "")
    reasoning = utf16_length(row["more_reasoning"] or "")
    begun = row["text_length"]
    if known is not None and known.output_tokens and begun >= FOLDED:
        # What an earlier try made waits there as well.
        counted = min(text, max(0, CHARACTERS_PER_TOKEN * known.output_tokens - begun))
        begun, text = begun + counted, text - counted
    if not text + reasoning:
        return None
    estimate = Usage(
        input_tokens=tokens(length_before + begun),
        output_tokens=tokens(text + reasoning),
        estimated=True,
    )
    return total(known, estimate)


def read_message(connection: Connection, message_id: str) -> Message:
    """Read a message that is there."""
    row = connection.execute(ONE_MESSAGE, {"id": message_id}).mappings().one()
    return message_of(dict(row))


def touch(connection: Connection, chat_id: str) -> None:
    """Make a chat the one that changed last."""
    connection.execute(
        update(chats)
        .where(chats.c.id == chat_id)
        .values(updated_at=now(), changed=NEXT_CHANGE.scalar_subquery())
    )


class _Waiting:
    """The rows of a message's text that is not in the message."""

    def __init__(self, connection: Connection, message_id: str) -> None:
        self._connection = connection
        self._message_id = message_id
        self._of_message = (
            deltas.c.message
            == select(messages.c.seq).where(messages.c.id == message_id).scalar_subquery()
        )
        # Rows are numbered within their message: a number alone names one of each.
        self._of_text = and_(self._of_message, deltas.c.part == "text")

    def drop(self, part: str | None = None) -> None:
        """Drop them all, or those of one part."""
        found = delete(deltas).where(self._of_message)
        self._connection.execute(found if part is None else found.where(deltas.c.part == part))

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
            self._connection.execute(
                update(deltas).where(self._of_text, deltas.c.n == n).values(text=text)
            )
        return surplus

    def fold(self) -> str:
        """Return the message's own text with as many rows behind it as belong there."""
        own = select(messages.c.text).where(messages.c.id == self._message_id)
        parts = [self._connection.execute(own).scalar_one()]
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
        rows = select(n, deltas.c.text).where(self._of_text)
        rows = rows.order_by(n.desc() if newest_first else n).limit(_PAGE)
        page = self._connection.execute(rows).all()
        while page:
            yield from ((row.n, row.text) for row in page)
            last = page[-1].n
            rest = rows.where(n < last if newest_first else n > last)
            page = self._connection.execute(rest).all()

    def _delete(self, which: ColumnElement[bool]) -> None:
        self._connection.execute(delete(deltas).where(self._of_text, which))
