"""The table: each row is what was measured, its baseline, their ratio and what it is to be."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the table.

    :ivar ours: the figure, with its unit.
    :ivar baseline: what it is compared with, if it is a ratio that counts.
    :ivar value: what must not be more than `most`: the ratio, or the figure itself.
    """

    name: str
    ours: str
    baseline: str
    value: float
    most: float
    unit: str = "×"

    @property
    def met(self) -> bool:
        """Tell whether it is what it is to be."""
        return self.value <= self.most

    def markdown(self) -> str:
        """Return the line."""
        found = f"{self.value:.2f} {self.unit}"
        wanted = f"≤ {self.most:g} {self.unit}"
        mark = "yes" if self.met else "**no**"
        return f"| {self.name} | {self.ours} | {self.baseline} | {found} | {wanted} | {mark} |"


HEAD = "| | ours | baseline | found | to be | met |\n|---|---|---|---|---|---|"


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)
