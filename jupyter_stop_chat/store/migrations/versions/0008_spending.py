"""A reply has its cost; what was spent is counted by chat, and by owner and day."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NUMBERS = ("input_tokens", "output_tokens", "cost")
_FLAGS = ("estimated", "unpriced")
#: Providers told any number, and it was noted: past this, no model has read or made it.
_MOST_TOKENS = 1_000_000_000


def _columns() -> list[sa.Column[Any]]:
    numbers: list[sa.Column[Any]] = [
        sa.Column(each, sa.BigInteger, nullable=False, server_default="0") for each in _NUMBERS
    ]
    flags: list[sa.Column[Any]] = [
        sa.Column(each, sa.Boolean, nullable=False, server_default=sa.false()) for each in _FLAGS
    ]
    return [*numbers, *flags]


def upgrade() -> None:
    """Make the columns and the table, and count the tokens that are noted already."""
    op.add_column("messages", sa.Column("cost", sa.JSON(none_as_null=True)))
    for column in _columns():
        op.add_column("chats", column)
    op.create_table(
        "spending",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        *_columns(),
    )
    chats = sa.table("chats", sa.column("id"), *(sa.column(each) for each in (*_NUMBERS, *_FLAGS)))
    messages = sa.table("messages", sa.column("chat_id"), sa.column("usage", sa.JSON))

    def of_chat(what: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
        return sa.select(what).where(messages.c.chat_id == chats.c.id).scalar_subquery()

    def noted(name: str) -> sa.ColumnElement[int]:
        # NUMERIC has room for all of them; an integer would overflow, and no chat could be opened.
        number = sa.cast(messages.c.usage[name].as_string(), sa.Numeric)
        return sa.case((number.between(0, _MOST_TOKENS), sa.cast(number, sa.BigInteger)), else_=0)

    def counted(name: str) -> sa.ScalarSelect[Any]:
        return of_chat(sa.func.coalesce(sa.func.sum(noted(name)), 0))

    # Nobody noted what these cost.
    used = sa.exists().where(messages.c.chat_id == chats.c.id, noted("output_tokens") > 0)
    guessed = sa.exists().where(
        messages.c.chat_id == chats.c.id, messages.c.usage["estimated"].as_boolean()
    )
    op.execute(
        sa.update(chats).values(
            input_tokens=counted("input_tokens"),
            output_tokens=counted("output_tokens"),
            unpriced=used,
            estimated=guessed,
        )
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("spending")
    for each in (*_FLAGS, *_NUMBERS):
        op.drop_column("chats", each)
    op.drop_column("messages", "cost")
