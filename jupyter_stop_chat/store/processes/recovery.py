"""The ends of what ended processes were making, with what they used as far as that is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jupyter_stop_chat.ports.spending import Bill, Prices, price_of
from jupyter_stop_chat.store.database import Database
from jupyter_stop_chat.store.operations import EndLeft, Interrupt, Operation, left_behind
from jupyter_stop_chat.store.rows import LENGTH_BEFORE, ONE_MESSAGE, OWNER_OF
from jupyter_stop_chat.store.settle import FOLDED
from jupyter_stop_chat.wire.objects import Cost, Usage
from jupyter_stop_chat.wire.times import day_of
from jupyter_stop_chat.wire.usage import (
    CHARACTERS_PER_TOKEN,
    spent_by,
    tokens,
    total,
    total_cost,
)
from jupyter_stop_chat.wire.utf16 import utf16_length

#: All that is written waits for it, in seconds: at the first reply the list of prices is loaded.
PATIENCE = 10.0


async def ends_of(
    database: Database,
    prices: Prices,
    gone: Mapping[str, str | None],
    left: Iterable[str],
    *,
    restarted: bool,
) -> list[Operation]:
    """Make the ends of what processes were making that are gone, and of what they left running.

    :param gone: those processes, by the ids of the messages.
    :param left: the ids of messages that had ended before.
    """
    ends: list[Operation] = [
        await end_of(database, prices, each, process, restarted=restarted)
        for each, process in gone.items()
    ]
    return [*ends, *map(EndLeft, left)]


async def end_of(
    database: Database,
    prices: Prices,
    message_id: str,
    process: str | None,
    *,
    restarted: bool,
) -> Interrupt:
    """Make the end of what a process was making that is gone.

    It counts for the day on which it is found: when that process ended, nobody knows.

    :param restarted: it was found at a start: what was there before is taken for that server.
    """
    end = left_behind(message_id, process, restarted=restarted)
    rows = await database.read(ONE_MESSAGE, {"id": message_id})
    before = await database.read(LENGTH_BEFORE, {"id": message_id})
    used = estimated(rows[0], before[0]["length"]) if rows else None
    owners = await database.read(OWNER_OF, {"id": message_id})
    if used is None or not owners:
        return end
    (row,) = rows
    cost = await price_of(prices, row["model"] or "", used, PATIENCE)
    spent = spent_by(used, cost)
    bill = Bill(owners[0]["owner"], day_of(datetime.now(UTC)), spent) if spent else None
    known = None if row["usage"] is None else Usage.model_validate(row["usage"])
    known_cost = None if row["cost"] is None else Cost.model_validate(row["cost"])
    settlement = replace(
        end.settlement,
        usage=total(known, used),
        cost=total_cost(known_cost, cost) if known is not None else cost,
        bill=bill,
    )
    return replace(end, settlement=settlement)


def estimated(row: Mapping[str, Any], length_before: int) -> Usage | None:
    """Estimate what the last try at a message used whose process ended before it counted (B9).

    :param row: the message, as `ONE_MESSAGE` reads it; what waits was made by the last try.
    :param length_before: how long is what stands before it, in UTF-16 code units.
    :returns: None when nothing was made that was not counted.
    """
    known = None if row["usage"] is None else Usage.model_validate(row["usage"])
    text = utf16_length(row["more_text"] or "")
    reasoning = utf16_length(row["more_reasoning"] or "")
    begun = row["text_length"]
    if known is not None and known.output_tokens and begun >= FOLDED:
        # What an earlier try made waits there as well.
        counted = min(text, max(0, CHARACTERS_PER_TOKEN * known.output_tokens - begun))
        begun, text = begun + counted, text - counted
    if not text + reasoning:
        return None
    return Usage(
        input_tokens=tokens(length_before + begun),
        output_tokens=tokens(text + reasoning),
        estimated=True,
    )
