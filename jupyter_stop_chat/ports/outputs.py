"""What is kept of runs whose outputs no page has put into their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

#: So much of one run's outputs is kept, in bytes of their JSON.
LARGEST_KEPT = 10 * 1024 * 1024
#: So many runs of one owner are, and so much of all of them together; the oldest go.
MOST_KEPT, MOST_KEPT_BYTES = 100, 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run of a cell, whose outputs a page puts into the cell later.

    :ivar path: of the notebook, as it was called when the run ended.
    :ivar digest: the SHA-256 of what ran: into a cell with another source nothing is put.
    :ivar outputs: JSON: a list of outputs as nbformat 4 has them.
    """

    message_id: str
    call_id: str
    path: str
    cell_id: str
    digest: str
    outputs: str
    execution_count: int | None
    ended_at: str


class OutputStore(Protocol):
    """What keeps the outputs of runs until a page has put them into their cells."""

    async def keep(self, run: KeptRun) -> None:
        """Keep a run, in the place of earlier ones of its cell; of a message that is gone none."""
        ...

    async def of(self, owner: str, path: str) -> Sequence[KeptRun]:
        """Return what is kept for a notebook of an owner, oldest first."""
        ...

    async def drop(self, owner: str, message_id: str, call_id: str) -> None:
        """Keep a run no longer: a page has put it in, or its cell has another source."""
        ...
