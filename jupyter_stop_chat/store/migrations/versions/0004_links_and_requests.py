"""What follows a message is found by its link; a message keeps the requests it answered before."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the index and the table."""
    op.create_index("messages_by_link", "messages", ["reply_to"])
    op.create_table(
        "earlier_requests",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("request_id", sa.String(36), primary_key=True),
        sa.Column(
            "message",
            _number,
            sa.ForeignKey("messages.seq", ondelete="CASCADE"),
            nullable=False,
        ),
    )
    op.create_index("earlier_requests_by_message", "earlier_requests", ["message"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("earlier_requests")
    op.drop_index("messages_by_link", "messages")
