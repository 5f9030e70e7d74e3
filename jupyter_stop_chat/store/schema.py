"""The tables, as the newest revision in `migrations/` leaves them.

Imports SQLAlchemy: import this module on first use, in a thread.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnClause,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    cast,
    extract,
    false,
    func,
    literal_column,
    text,
)

#: What a message that has not ended is in; everything else is terminal.
LIVE = ("queued", "generating", "stopping")
_LIVE_SQL = text("state IN ('queued', 'generating', 'stopping')")
_REQUEST_SQL = text("request_id IS NOT NULL AND role = 'assistant'")

metadata = MetaData()


def _spent() -> tuple[Column[int] | Column[bool], ...]:
    """Make the columns of what was spent; `cost` is in millionths of a dollar."""
    return (
        *(
            Column(name, BigInteger, nullable=False, server_default="0")
            for name in ("input_tokens", "output_tokens", "cost")
        ),
        *(
            Column(name, Boolean, nullable=False, server_default=false())
            for name in ("estimated", "unpriced")
        ),
    )


#: SQLite numbers rows by itself only under exactly INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")
_Json = JSON(none_as_null=True)

#: `changed` orders chats by their last change: a counter, since clocks tie and jump. What was
#: spent in it stays when messages of it go; `last_charge` is what was counted of it last besides
#: its replies.
chats = Table(
    "chats",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("title", Text),
    Column("created_at", String(40), nullable=False),
    Column("updated_at", String(40), nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("instructions", Text),
    *_spent(),
    Column("last_charge", String(36)),
    Index("chats_by_change", "owner", "changed"),
    Index("chats_changed", "changed"),
)

#: `seq` is the order within a chat. `text_length` counts UTF-16 code units of `text` alone,
#: without what still waits in `deltas`. `owner` is the chat's, so that a request id is unique
#: per owner. `process` is the server process that makes the message.
messages = Table(
    "messages",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column(
        "chat_id",
        String(36),
        ForeignKey("chats.id", ondelete="CASCADE"),
        nullable=False,
    ),
    Column("owner", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("text_length", BigInteger, nullable=False),
    Column("reasoning", Text),
    Column("state", String(16), nullable=False),
    Column("created_at", String(40), nullable=False),
    Column("reply_to", String(36)),
    Column("version_of", String(36)),
    Column("request_id", String(36)),
    Column("model", Text),
    Column("usage", _Json),
    Column("cost", _Json),
    Column("stop", _Json),
    Column("error", _Json),
    Column("finish_reason", String(32)),
    Column("attachments", _Json),
    Column("tools", _Json),
    Column("process", Text),
    Column("instructions", _Json),
    Column("path", Text),
    Column("mode", String(16)),
    Column("changes", _Json),
    Index("messages_by_chat", "chat_id", "seq"),
    Index("messages_by_link", "reply_to"),
    Index(
        "messages_live",
        "chat_id",
        "state",
        sqlite_where=_LIVE_SQL,
        postgresql_where=_LIVE_SQL,
    ),
    Index(
        "messages_by_request",
        "owner",
        "request_id",
        unique=True,
        sqlite_where=_REQUEST_SQL,
        postgresql_where=_REQUEST_SQL,
    ),
)


def _message() -> Column[int]:
    """Make the column that tells which message a row belongs to, and goes with."""
    return Column(
        "message",
        _Number,
        ForeignKey("messages.seq", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


#: Text written ahead, in order of `n`; folded into the message when it ends. The rows of a message
#: lie together, whatever was written between them: with a hundred messages at once each row would
#: else be on a page of its own, and the end of a long message would touch thousands of pages.
deltas = Table(
    "deltas",
    metadata,
    _message(),
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("part", String(16), nullable=False),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)


def _of_message(*others: Column[Any]) -> tuple[Column[Any], ...]:
    """Make the columns of a table that numbers what belongs to a message, in order."""
    return (
        _message(),
        Column("n", Integer, primary_key=True, autoincrement=False),
        *others,
    )


#: The tool calls of a message as its model was told them, whole, in order: what `messages.tools`
#: shows is cut. The calls of one `step` were made at once, where the text had the length `at`.
calls = Table(
    "calls",
    metadata,
    *_of_message(
        Column("step", Integer, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("call_id", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("args", Text, nullable=False),
        Column("result", Text),
        Column("state", String(16), nullable=False),
    ),
)

#: What a message changed, written down before it is done. `before` and `after` are sources; `cell`
#: is a deleted one as the notebook had it, and `beside` the ids of its neighbours. `state` is
#: `begun`, `done`, `failed` (nothing was changed) or `undone`.
journal = Table(
    "journal",
    metadata,
    *_of_message(
        Column("call_id", Text, nullable=False),
        Column("path", Text, nullable=False),
        Column("action", String(16), nullable=False),
        Column("cell_id", String(64)),
        Column("cell_type", String(16)),
        Column("before", Text),
        Column("after", Text),
        Column("cell", _Json),
        Column("beside", _Json),
        Column("state", String(16), nullable=False),
    ),
)

#: The outputs of runs that no page has put into their cells yet. `outputs` is JSON as it is handed
#: out, `size` its length in bytes.
cell_outputs = Table(
    "cell_outputs",
    metadata,
    _message(),
    Column("call_id", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("cell_id", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("outputs", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("execution_count", BigInteger),
    Column("ended_at", String(40), nullable=False),
    Index("cell_outputs_by_path", "path"),
)

#: Which messages have ended while a call of theirs still ran, and the process that has it.
left_running = Table(
    "left_running",
    metadata,
    _message(),
    Column("process", String(200), primary_key=True),
)

#: Which tools may act unasked: in one chat, or, where `chat_id` is empty, in all of an owner's.
allowed_tools = Table(
    "allowed_tools",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("chat_id", String(36), primary_key=True),
    Column("tool", Text, primary_key=True),
    Column("allowed_at", String(40), nullable=False),
)

#: The instructions that were sent with a chat's messages, each text once, by its digest.
sent_instructions = Table(
    "sent_instructions",
    metadata,
    Column("chat_id", String(36), ForeignKey("chats.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)

#: Pictures, each once for an owner, by the digest of its bytes. `drafts` is how often it was
#: uploaded and not sent since, `drafted_at` when it was last (Unix seconds): what is in no message
#: is kept for a while for who is still writing.
blobs = Table(
    "blobs",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("mime_type", String(64), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("drafts", Integer, nullable=False),
    Column("drafted_at", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("blobs_drafted", "drafted_at"),
)

#: Which messages hold which pictures.
message_blobs = Table(
    "message_blobs",
    metadata,
    _message(),
    Column("digest", String(64), primary_key=True),
    Column("owner", Text, nullable=False),
    Index("message_blobs_by_blob", "owner", "digest"),
)

#: The requests by which a message is found besides the one that it bears: what it had answered
#: before it was gone on with, and what changed its prompt while it waited.
earlier_requests = Table(
    "earlier_requests",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("request_id", String(36), primary_key=True),
    Column("message", _Number, ForeignKey("messages.seq", ondelete="CASCADE"), nullable=False),
    Index("earlier_requests_by_message", "message"),
)

#: What each owner spent on each day (UTC), whatever became of the chats.
spending = Table(
    "spending",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("day", String(10), primary_key=True),
    *_spent(),
)

#: Server processes that may be making messages, and when each was last seen (Unix seconds).
processes = Table(
    "processes",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)

#: What one process asks another through the database, until it is answered. A flag that asks for
#: a stop has the id of its message, and names no process.
questions = Table(
    "questions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("process", String(200), nullable=False),
    Column("owner", Text),
    Column("frame", Text, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("answer", Text),
    Index("questions_by_process", "process"),
)

#: The name of this database, in its one row: what servers tell each other is told for it alone.
identity = Table("identity", metadata, Column("id", String(36), primary_key=True))

#: The time by the database's clock: those of two hosts may differ.
NOW_SECONDS = cast(extract("epoch", func.now()), BigInteger)

#: Written out, not bound: only so does the database see that the partial index serves it.
IS_LIVE: ColumnClause[bool] = literal_column(
    "messages.state IN ('queued', 'generating', 'stopping')"
)
