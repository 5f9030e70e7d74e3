"""A chat notes what was counted of it last besides its replies, so that it counts once."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column("chats", sa.Column("last_charge", sa.String(36)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("chats", "last_charge")
