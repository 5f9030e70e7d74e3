"""The first released schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "chats",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("title", sa.Text),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("updated_at", sa.String(40), nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    op.create_index("chats_by_change", "chats", ["owner", "changed"])
    op.create_index("chats_changed", "chats", ["changed"])
    op.create_table(
        "messages",
        sa.Column("seq", _number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column(
            "chat_id",
            sa.String(36),
            sa.ForeignKey("chats.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("text_length", sa.BigInteger, nullable=False),
        sa.Column("reasoning", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", sa.String(40), nullable=False),
        sa.Column("reply_to", sa.String(36)),
        sa.Column("version_of", sa.String(36)),
        sa.Column("request_id", sa.String(36)),
        sa.Column("model", sa.Text),
        sa.Column("usage", sa.JSON),
        sa.Column("stop", sa.JSON),
        sa.Column("error", sa.JSON),
        sa.Column("attachments", sa.JSON),
        sa.Column("tools", sa.JSON),
        sa.Column("process", sa.Text),
    )
    op.create_index("messages_by_chat", "messages", ["chat_id", "seq"])
    live = sa.text("state IN ('queued', 'generating', 'stopping')")
    op.create_index(
        "messages_live",
        "messages",
        ["chat_id", "state"],
        sqlite_where=live,
        postgresql_where=live,
    )
    asked = sa.text("request_id IS NOT NULL AND role = 'assistant'")
    op.create_index(
        "messages_by_request",
        "messages",
        ["owner", "request_id"],
        unique=True,
        sqlite_where=asked,
        postgresql_where=asked,
    )
    op.create_table(
        "deltas",
        sa.Column("n", _number, primary_key=True, autoincrement=True),
        sa.Column(
            "message",
            _number,
            sa.ForeignKey("messages.seq", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("ix_deltas_message", "deltas", ["message"])
    op.create_table(
        "processes",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("processes", "deltas", "messages", "chats"):
        op.drop_table(table)
