"""One process asks another through the database, which has a name that no other has."""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "questions",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("process", sa.String(200), nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("frame", sa.Text, nullable=False),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
        sa.Column("taken", sa.Boolean, nullable=False),
        sa.Column("answer", sa.Text),
    )
    op.create_index("questions_by_process", "questions", ["process"])
    identity = op.create_table("identity", sa.Column("id", sa.String(36), primary_key=True))
    op.bulk_insert(identity, [{"id": str(uuid.uuid4())}])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("identity")
    op.drop_table("questions")
