"""Outputs of runs that no page was there for, and which replies have ended before their calls."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _message() -> "sa.Column[int]":
    return sa.Column(
        "message",
        _number,
        sa.ForeignKey("messages.seq", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "cell_outputs",
        _message(),
        sa.Column("call_id", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("cell_id", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("outputs", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("execution_count", sa.BigInteger),
        sa.Column("ended_at", sa.String(40), nullable=False),
    )
    op.create_index("cell_outputs_by_path", "cell_outputs", ["path"])
    op.create_table(
        "left_running", _message(), sa.Column("process", sa.String(200), primary_key=True)
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("left_running")
    op.drop_table("cell_outputs")
