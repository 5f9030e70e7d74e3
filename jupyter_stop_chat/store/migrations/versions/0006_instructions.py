"""A chat has instructions; what was sent of all is kept once; a prompt knows its notebook."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the columns and the table."""
    op.add_column("chats", sa.Column("instructions", sa.Text))
    op.add_column("messages", sa.Column("instructions", sa.JSON(none_as_null=True)))
    op.add_column("messages", sa.Column("path", sa.Text))
    op.create_table(
        "sent_instructions",
        sa.Column(
            "chat_id",
            sa.String(36),
            sa.ForeignKey("chats.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("sent_instructions")
    op.drop_column("messages", "path")
    op.drop_column("messages", "instructions")
    op.drop_column("chats", "instructions")
