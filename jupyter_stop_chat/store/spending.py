"""What was spent: by each owner on each day, and in each chat."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    bindparam,
    or_,
    select,
    text,
    update,
)

from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.wire.objects import Spent
from jupyter_stop_chat.wire.usage import together
from jupyter_stop_chat.wire.utf16 import whole

from .instructions import Read
from .operations import Charge, Operation
from .schema import chats, spending

#: Nothing, and what of it is added up.
NOTHING = Spent()
_NUMBERS = ("input_tokens", "output_tokens", "cost")
_FLAGS = ("estimated", "unpriced")
#: The columns of what was spent, in a chat's row and in a day's.
COLUMNS = (*_NUMBERS, *_FLAGS)

#: Written out: SQLite and PostgreSQL spell it alike, and SQLAlchemy has it for each apart.
COUNT_DAY = text(
    f"INSERT INTO spending (owner, day, {', '.join(COLUMNS)}) "
    f"VALUES (:owner, :day, {', '.join(f':{name}' for name in COLUMNS)}) "
    "ON CONFLICT (owner, day) DO UPDATE SET "
    + ", ".join(
        [
            *(f"{name} = spending.{name} + excluded.{name}" for name in _NUMBERS),
            *(f"{name} = spending.{name} OR excluded.{name}" for name in _FLAGS),
        ]
    )
).bindparams(
    *(bindparam(name, type_=BigInteger) for name in _NUMBERS),
    *(bindparam(name, type_=Boolean) for name in _FLAGS),
)
OF_DAY = select(*(spending.c[name] for name in COLUMNS)).where(
    spending.c.owner == bindparam("owner"), spending.c.day == bindparam("day")
)
#: What a chat's row becomes when a part of it has ended.
COUNT_CHAT = {
    **{name: chats.c[name] + bindparam(f"more_{name}") for name in _NUMBERS},
    **{
        name: or_(chats.c[name], bindparam(f"more_{name}", type_=chats.c[name].type))
        for name in _FLAGS
    },
}


class SqlSpending:
    """What remembers in the store's database what was spent.

    :param write: writes an operation in its turn.
    """

    def __init__(self, write: Callable[[Operation], Awaitable[Any]], read: Read) -> None:
        self._write = write
        self._read = read

    async def on(self, owner: str, day: str) -> Spent:
        """Return what an owner spent on a day, as far as it is known."""
        found: Spent = await self._read(lambda reader: reader.spent_on(owner, day))
        return found

    async def add(self, chat_id: str, bill: Bill) -> None:
        """Count what was spent for a chat besides its replies."""
        await self._write(Charge(chat_id, bill, str(uuid.uuid4())))


def more(spent: Spent | None) -> dict[str, Any]:
    """Return the values by which `COUNT_CHAT` changes a chat."""
    return {f"more_{name}": value for name, value in (spent or NOTHING).model_dump().items()}


def of_day(bill: Bill) -> dict[str, Any]:
    """Return the values of `COUNT_DAY`."""
    return {"owner": whole(bill.owner), "day": bill.day, **bill.spent.model_dump()}


def charge(connection: Connection, operation: Charge) -> bool:
    """Count in a chat what was spent besides its replies; its owner's day is counted apart.

    It was counted before where the answer to that was lost: a chat notes what it counted last.

    :returns: whether it is to be counted now, also where its chat is gone.
    """
    its = chats.c.id == operation.chat_id
    row = connection.execute(select(chats.c.last_charge).where(its)).one_or_none()
    if row is not None and row.last_charge == operation.id:
        return False
    count = update(chats).where(its).values({**COUNT_CHAT, "last_charge": operation.id})
    connection.execute(count, more(operation.bill.spent))
    return True


def count_days(connection: Connection, bills: Iterable[Bill]) -> None:
    """Count bills for their owners' days.

    Each day once, and in one order: servers of one database write the same rows, and would else
    wait for each other for ever.
    """
    days: dict[tuple[str, str], Spent | None] = {}
    for bill in bills:
        key = (whole(bill.owner), bill.day)
        days[key] = together(days.get(key), bill.spent)
    for (owner, day), spent in sorted(days.items(), key=lambda each: each[0]):
        connection.execute(COUNT_DAY, of_day(Bill(owner, day, spent or NOTHING)))


def all_days(rows: Iterable[Mapping[str, Any]]) -> list[Bill]:
    """Make bills of the rows of days."""
    return [
        Bill(row["owner"], row["day"], Spent(**{name: row[name] for name in COLUMNS}))
        for row in rows
    ]
