"""Messages and chats as rows, and the statements that read them.

A message is always read together with the text that still waits in `deltas`, in one statement:
so a read is right at any moment, also between two appends or while another process settles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    select,
)
from sqlalchemy import literal_column as literal

from jupyter_stop_chat.wire.objects import Attachment, Chat, Message, Spent
from jupyter_stop_chat.wire.utf16 import utf16_length, whole

from .schema import (
    IS_LIVE,
    LIVE,
    NOW_SECONDS,
    chats,
    deltas,
    earlier_requests,
    messages,
    processes,
)


def _waiting(part: str) -> ColumnElement[str]:
    """Join what waits for a message, in order; the database does it, not the event loop."""
    ordered = (
        select(deltas.c.text)
        .where(deltas.c.message == messages.c.seq, deltas.c.part == part)
        .order_by(deltas.c.n)
        .correlate(messages)
        .subquery()
    )
    # The separator as a word of SQL: as a value it would be written in at each execution.
    nothing: Any = literal("''")
    joined: ColumnElement[str] = func.aggregate_strings(ordered.c.text, nothing)
    return select(joined).scalar_subquery()


_MESSAGE = (
    *(column for column in messages.c if column.name not in {"seq", "owner"}),
    _waiting("text").label("more_text"),
    _waiting("reasoning").label("more_reasoning"),
)


def _some(states: str, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    """Tell whether a chat has a live message in such a state, by the index of live ones."""
    state: ColumnElement[bool] = literal(f"messages.state IN ({states})")
    return exists(
        select(literal("1")).where(messages.c.chat_id == chats.c.id, IS_LIVE, state, *more)
    )


#: A tool call waits for a person. Where its arguments say so, their quotes are escaped.
_ASKS: ColumnElement[bool] = literal('CAST(messages.tools AS TEXT) LIKE \'%"state": "asked"%\'')


_CHAT = (
    chats.c.id,
    chats.c.owner,
    chats.c.title,
    chats.c.created_at,
    chats.c.updated_at,
    *(chats.c[name].label(f"spent_{name}") for name in Spent.model_fields),
    case(
        (_some("'generating'", _ASKS), "asking"),
        (_some("'generating', 'stopping'"), "generating"),
        (_some("'queued'"), "queued"),
        else_="idle",
    ).label("state"),
)

#: What of a message changes while it is made, and at its end.
CHANGING = (
    *("state", "text", "text_length", "reasoning"),
    *("usage", "cost", "stop", "error", "finish_reason", "tools"),
)
_CHANGING = set(CHANGING)
ONE_MESSAGE = select(*_MESSAGE).where(messages.c.id == bindparam("id"))
MESSAGES_OF_CHAT = (
    select(*_MESSAGE).where(messages.c.chat_id == bindparam("id")).order_by(messages.c.seq)
)
BY_REQUEST = select(*_MESSAGE).where(
    messages.c.owner == bindparam("owner"),
    messages.c.request_id == bindparam("request_id"),
    messages.c.role == "assistant",
    messages.c.request_id.is_not(None),
)
#: A message that is found by another request than the one that it bears.
BY_EARLIER_REQUEST = (
    select(*_MESSAGE)
    .join(earlier_requests, earlier_requests.c.message == messages.c.seq)
    .where(
        earlier_requests.c.owner == bindparam("owner"),
        earlier_requests.c.request_id == bindparam("request_id"),
    )
)
#: Whose a message is.
OWNER_OF = select(messages.c.owner).where(messages.c.id == bindparam("id"))
ONE_CHAT = select(*_CHAT).where(chats.c.id == bindparam("id"))
CHATS: Select[Any] = select(*_CHAT, chats.c.changed).order_by(chats.c.changed.desc(), chats.c.id)
#: What is being made, by which process, and how long ago that was last seen.
LIVE_MESSAGES = (
    select(
        messages.c.id,
        messages.c.chat_id,
        messages.c.process,
        (NOW_SECONDS - processes.c.seen_at).label("unseen_seconds"),
    )
    .outerjoin(processes, processes.c.id == messages.c.process)
    .where(IS_LIVE)
    .order_by(messages.c.seq)
)


def _chain() -> CTE:
    chain = (
        select(messages.c.id, messages.c.reply_to)
        .where(messages.c.id == bindparam("id"))
        .cte("chain", recursive=True)
    )
    # UNION, not UNION ALL: should the links ever form a ring, the walk still ends.
    return chain.union(
        select(messages.c.id, messages.c.reply_to).where(messages.c.id == chain.c.reply_to)
    )


#: A message and those before it along `reply_to`, in no order: see `along_links`.
THREAD = select(*_MESSAGE).where(messages.c.id.in_(select(_chain().c.id)))
#: How long is what stands before a message, in UTF-16 code units.
LENGTH_BEFORE = select(func.coalesce(func.sum(messages.c.text_length), 0).label("length")).where(
    messages.c.id.in_(select(_chain().c.id)), messages.c.id != bindparam("id")
)


def _newest_reply() -> Select[Any]:
    """Find the newest reply that ends a thread and is neither taken out nor still to come."""
    reply = messages.alias("reply")
    coming = (
        select(messages.c.id)
        .where(messages.c.chat_id == bindparam("id"), IS_LIVE)
        .cte("coming", recursive=True)
    )
    behind = messages.alias("behind")
    coming = coming.union(select(behind.c.id).join(coming, behind.c.reply_to == coming.c.id))

    def counts(each: FromClause) -> ColumnElement[bool]:
        discarded = func.coalesce(each.c.stop["discarded"].as_boolean(), false())
        return and_(
            each.c.role == "assistant",
            discarded == false(),
            each.c.id.not_in(select(coming.c.id)),
        )

    follower, later = messages.alias("follower"), messages.alias("later")
    below = (
        select(follower.c.id)
        .where(follower.c.reply_to == reply.c.id)
        .correlate(reply)
        .cte("below", recursive=True, nesting=True)
    )
    below = below.union(select(later.c.id).join(below, later.c.reply_to == below.c.id))
    found = messages.alias("found")
    followed = exists(
        select(literal("1"))
        .select_from(below.join(found, found.c.id == below.c.id))
        .where(counts(found))
        .correlate(reply)
    )
    return (
        select(reply.c.id)
        .where(reply.c.chat_id == bindparam("id"), counts(reply), ~followed)
        .order_by(reply.c.seq.desc())
        .limit(1)
    )


NEWEST_REPLY = _newest_reply()


def chat_of(row: Mapping[str, Any]) -> Chat:
    """Make a chat of a row."""
    values = dict(row)
    spent = {name: values.pop(f"spent_{name}") for name in Spent.model_fields}
    # Of a chat in which nothing was used there is nothing to say.
    return Chat(**values, spent=Spent(**spent) if any(spent.values()) else None)


def message_of(row: Mapping[str, Any], ours: str | None = None) -> Message:
    """Make a message of a row, with the text that waits in `deltas` folded in.

    :param ours: the id of this process, to tell what another one makes.
    """
    values = dict(row)
    process = values.pop("process", None)
    if ours is not None and process not in (None, ours):
        values["made_elsewhere"] = values["state"] in LIVE
    more, thought = values.pop("more_text"), values.pop("more_reasoning")
    if more:
        values["text"] += more
        values["text_length"] += utf16_length(more)
    if thought:
        values["reasoning"] = (values["reasoning"] or "") + thought
    values["attachments"] = values["attachments"] or ()
    values["tools"] = values["tools"] or ()
    values["instructions"] = values["instructions"] or None
    return Message.model_validate(values)


def along_links(thread: Iterable[Message], message_id: str) -> list[Message]:
    """Put a thread in order by its links, up to a message.

    The numbers of messages tell when they were written, and a queue may be put in another order.
    """
    found = {message.id: message for message in thread}
    ordered: list[Message] = []
    wanted: str | None = message_id
    while wanted is not None and (message := found.pop(wanted, None)) is not None:
        ordered.append(message)
        wanted = message.reply_to
    return ordered[::-1]


def row_of_chat(chat: Chat) -> dict[str, Any]:
    """Make the row of a chat, all but its place in the order of changes."""
    row = chat.model_dump(exclude={"state", "spent"})
    row |= (chat.spent or Spent()).model_dump()
    row["owner"] = whole(chat.owner)
    row["title"] = None if chat.title is None else whole(chat.title)
    return row


def column_of(attachments: Sequence[Attachment]) -> list[dict[str, Any]] | None:
    """Make what is kept of attachments; None for none of them."""
    return [each.model_dump(mode="json") for each in attachments] or None


def row_of_message(message: Message, owner: str, process: str) -> dict[str, Any]:
    """Make the row of a message."""
    unstored = {"text_offset", "left_out", "retry", "made_elsewhere", *CHANGING}
    row = message.model_dump(mode="json", exclude=unstored) | row_of_end(message)
    row["attachments"] = row["attachments"] or None
    row["path"] = None if message.path is None else whole(message.path)
    row["owner"] = owner
    row["process"] = process if row["state"] in LIVE else None
    return row


def row_of_end(message: Message) -> dict[str, Any]:
    """Make what of the row changes while a message is made, and at its end."""
    row = message.model_dump(mode="json", include=_CHANGING)
    row["text"] = whole(message.text)
    row["text_length"] = utf16_length(message.text)
    row["reasoning"] = None if message.reasoning is None else whole(message.reasoning)
    row["tools"] = row["tools"] or None
    return row
