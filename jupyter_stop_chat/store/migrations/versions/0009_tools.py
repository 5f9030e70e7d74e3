"""A reply may use tools: its calls, what it changed, and which tools may act unasked."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _of_message() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "message",
            _number,
            sa.ForeignKey("messages.seq", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
    ]


def upgrade() -> None:
    """Make the columns and the tables."""
    op.add_column("messages", sa.Column("mode", sa.String(16)))
    op.add_column("messages", sa.Column("changes", sa.JSON(none_as_null=True)))
    op.create_table(
        "calls",
        *_of_message(),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("args", sa.Text, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_table(
        "journal",
        *_of_message(),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("cell_id", sa.String(64)),
        sa.Column("cell_type", sa.String(16)),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("cell", sa.JSON(none_as_null=True)),
        sa.Column("beside", sa.JSON(none_as_null=True)),
        sa.Column("state", sa.String(16), nullable=False),
    )
    op.create_table(
        "allowed_tools",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("chat_id", sa.String(36), primary_key=True),
        sa.Column("tool", sa.Text, primary_key=True),
        sa.Column("allowed_at", sa.String(40), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("allowed_tools")
    op.drop_table("journal")
    op.drop_table("calls")
    op.drop_column("messages", "changes")
    op.drop_column("messages", "mode")
