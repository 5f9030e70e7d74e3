"""The rows of a message's text lie together, and are numbered within their message."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the table anew, and copy what is in it."""
    op.create_table(
        "new_deltas",
        _message(primary_key=True, autoincrement=False),
        sa.Column("n", _number, primary_key=True, autoincrement=False),
        *_rest(),
        sqlite_with_rowid=False,
    )
    _replace()


def downgrade() -> None:
    """Make the table as it was; what comes first within a message stays first."""
    op.create_table(
        "new_deltas",
        sa.Column("n", _number, primary_key=True, autoincrement=True),
        _message(nullable=False),
        *_rest(),
    )
    _replace("SELECT row_number() OVER (ORDER BY message, n), message, part, text FROM deltas")
    op.create_index("ix_deltas_message", "deltas", ["message"])


def _message(**more: Any) -> sa.Column[int]:
    return sa.Column("message", _number, sa.ForeignKey("messages.seq", ondelete="CASCADE"), **more)


def _rest() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("part", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )


def _replace(rows: str = "SELECT n, message, part, text FROM deltas") -> None:
    op.execute(f"INSERT INTO new_deltas (n, message, part, text) {rows}")
    op.drop_table("deltas")
    op.rename_table("new_deltas", "deltas")
