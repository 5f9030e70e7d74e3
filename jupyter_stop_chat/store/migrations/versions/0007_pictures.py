"""Pictures are kept beside the messages that hold them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "blobs",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("mime_type", sa.String(64), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("drafts", sa.Integer, nullable=False),
        sa.Column("drafted_at", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_index("blobs_drafted", "blobs", ["drafted_at"])
    op.create_table(
        "message_blobs",
        sa.Column(
            "message",
            _number,
            sa.ForeignKey("messages.seq", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
    )
    op.create_index("message_blobs_by_blob", "message_blobs", ["owner", "digest"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("message_blobs")
    op.drop_table("blobs")
