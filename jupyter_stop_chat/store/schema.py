"""The tables, as the newest revision in `migrations/` leaves them.

Imports SQLAlchemy: import this module on first use, in a thread.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnClause,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    cast,
    extract,
    func,
    literal_column,
    text,
)

#: What a message that has not ended is in; everything else is terminal.
LIVE = ("queued", "generating", "stopping")
_LIVE_SQL = text("state IN ('queued', 'generating', 'stopping')")
_REQUEST_SQL = text("request_id IS NOT NULL AND role = 'assistant'")

metadata = MetaData()

#: SQLite numbers rows by itself only under exactly INTEGER.
_Number = BigInteger().with_variant(Integer, "sqlite")
_Json = JSON(none_as_null=True)

#: `changed` orders chats by their last change: a counter, since clocks tie and jump.
chats = Table(
    "chats",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("title", Text),
    Column("created_at", String(40), nullable=False),
    Column("updated_at", String(40), nullable=False),
    Column("changed", BigInteger, nullable=False),
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
    Column("stop", _Json),
    Column("error", _Json),
    Column("finish_reason", String(32)),
    Column("attachments", _Json),
    Column("tools", _Json),
    Column("process", Text),
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

#: Text written ahead, in order of `n`; folded into the message when it ends. The rows of a message
#: lie together, whatever was written between them: with a hundred messages at once each row would
#: else be on a page of its own, and the end of a long message would touch thousands of pages.
deltas = Table(
    "deltas",
    metadata,
    Column(
        "message",
        _Number,
        ForeignKey("messages.seq", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("n", _Number, primary_key=True, autoincrement=False),
    Column("part", String(16), nullable=False),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
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

#: Server processes that may be making messages, and when each was last seen (Unix seconds).
processes = Table(
    "processes",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)
#: The time by the database's clock: those of two hosts may differ.
NOW_SECONDS = cast(extract("epoch", func.now()), BigInteger)

#: Written out, not bound: only so does the database see that the partial index serves it.
IS_LIVE: ColumnClause[bool] = literal_column(
    "messages.state IN ('queued', 'generating', 'stopping')"
)
