"""The rows of the table, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: What is compared with the target: ours to the baseline, ours without it, or ours alone.
Kind = Literal["ratio", "more", "alone"]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    :ivar what: what was measured.
    :ivar unit: of both figures.
    :ivar ours: our figure.
    :ivar baseline: that of the baseline, where there is one.
    :ivar against: who that is.
    :ivar target: the most that is wanted; None: nothing is.
    :ivar kind: of what.
    """

    what: str
    unit: str
    ours: float
    against: str = ""
    baseline: float | None = None
    target: float | None = None
    kind: Kind = "ratio"

    @property
    def ratio(self) -> float | None:
        """Return ours to the baseline."""
        return self.ours / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Tell whether the target is met; None where there is none."""
        if self.target is None:
            return None
        found: float | None = self.ours
        if self.kind == "ratio":
            found = self.ratio
        elif self.kind == "more":
            found = self.ours - (self.baseline or 0.0)
        return found is not None and found <= self.target

    def cells(self) -> list[str]:
        """Return the cells of the row."""
        ratio, wanted = self.ratio, "–"
        if self.target is not None:
            wanted = {
                "ratio": f"≤ {self.target:g}×",
                "more": f"≤ {self.target:g} {self.unit} more",
                "alone": f"≤ {self.target:g} {self.unit}".rstrip(),
            }[self.kind]
        return [
            self.what,
            f"{_figure(self.ours)} {self.unit}".rstrip(),
            "–" if self.baseline is None else f"{_figure(self.baseline)} ({self.against})",
            "–" if ratio is None else f"{ratio:.2f}×",
            wanted,
            {True: "yes", False: "**no**", None: "–"}[self.met],
        ]


def _figure(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


HEADINGS = ["measured", "ours", "baseline", "ours to it", "target", "met"]


def table(rows: Sequence[Row]) -> str:
    """Write the rows as a Markdown table."""
    lines = [HEADINGS, ["---", "--:", "--:", "--:", "--:", "---"], *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
