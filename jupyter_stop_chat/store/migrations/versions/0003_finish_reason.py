"""A message says why its reply ended where it did, where that was not by its own end."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of older replies nobody knows."""
    op.add_column("messages", sa.Column("finish_reason", sa.String(32)))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("messages", "finish_reason")
