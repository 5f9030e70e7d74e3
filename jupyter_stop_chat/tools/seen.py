"""What a model has seen of notebooks, so that it hears of what others changed since.

It is remembered while the server runs. What is forgotten is read again before it is replaced.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from jupyter_stop_chat.ports.tools import Change
from jupyter_stop_chat.wire.utf16 import utf16_length

from .words import named

#: So many cells are remembered of a notebook, and of all notebooks of all chats together.
MOST_CELLS, MOST_TOGETHER = 5_000, 50_000
#: So many notebooks are, however small they are.
MOST_NOTEBOOKS = 500


@dataclass(frozen=True, slots=True)
class Sight:
    """What is known of a cell.

    :ivar length: of its source, in UTF-16 code units.
    :ivar digest: of its source; None where not all of it was looked at.
    :ivar shown: the model was shown all of that source.
    """

    cell_id: str
    length: int
    digest: str | None = None
    shown: bool = False

    @classmethod
    def of(cls, cell_id: str, source: str, length: int | None = None, *, shown: bool) -> Sight:
        """Return what is known by a source, or by its beginning.

        :param length: of all of it.
        """
        own = utf16_length(source)
        whole = length is None or length <= own
        digest = digest_of(source) if whole else None
        return cls(cell_id, own if length is None else length, digest, shown and whole)

    def differs(self, other: Sight) -> bool:
        """Tell whether the source is another one, as far as it is known."""
        if self.length != other.length:
            return True
        return None not in (self.digest, other.digest) and self.digest != other.digest


@dataclass(slots=True)
class _Notebook:
    """What is known of a notebook.

    :ivar told: what others changed that the model has not heard of yet.
    """

    cells: dict[str, Sight] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


class Seen:
    """What models have seen of notebooks, by their chats."""

    def __init__(self) -> None:
        self._notebooks: OrderedDict[tuple[str, str], _Notebook] = OrderedDict()

    def look(self, chat_id: str, path: str, now: Sequence[Sight]) -> None:
        """Compare a whole notebook with what was seen of it, and remember how it is now."""
        known = self._of(chat_id, path)
        before, after = known.cells, {each.cell_id: each for each in now[:MOST_CELLS]}
        if before:
            known.told += _differences(before, after)
        known.cells = {
            each: before[each]
            if each in before and not before[each].differs(sight)
            else replace(sight, shown=False)
            for each, sight in after.items()
        }
        while len(self._notebooks) > 1 and self._together() > MOST_TOGETHER:
            self._notebooks.popitem(last=False)

    def _together(self) -> int:
        return sum(len(each.cells) for each in self._notebooks.values())

    def show(self, chat_id: str, path: str, cells: Iterable[Sight]) -> None:
        """Remember cells of a notebook that was looked at, as the model is shown them."""
        known = self._of(chat_id, path).cells
        for each in cells:
            if each.cell_id in known:
                known[each.cell_id] = each

    def sight(self, chat_id: str, path: str, cell_id: str) -> Sight | None:
        """Return what is known of a cell."""
        known = self._notebooks.get((chat_id, path))
        return known.cells.get(cell_id) if known is not None else None

    def changed(self, chat_id: str, change: Change) -> None:
        """Remember what the model itself changed: it is told of others' changes only."""
        known, cell_id = self._of(chat_id, change.path), change.cell_id or ""
        old = known.cells.get(cell_id)
        if not known.cells:
            return
        if change.action == "delete":
            known.cells.pop(cell_id, None)
        elif change.action == "replace" and change.after is not None:
            known.cells[cell_id] = Sight.of(cell_id, change.after, shown=True)
        else:
            new = old or Sight.of(cell_id, change.after or "", shown=True)
            known.cells.pop(cell_id, None)
            above = (change.beside or {}).get("new_above")
            known.cells = _put_below(known.cells, above, new)

    def news(self, chat_id: str, path: str) -> str:
        """Return what others changed since the model was told last; empty where nothing was."""
        known = self._of(chat_id, path)
        told, known.told = known.told, []
        if not told:
            return ""
        return (
            "Since you last looked, somebody else changed this notebook: "
            + "; ".join(dict.fromkeys(told))
            + ". Read again what matters to you."
        )

    def _of(self, chat_id: str, path: str) -> _Notebook:
        key = (chat_id, path)
        known = self._notebooks.setdefault(key, _Notebook())
        self._notebooks.move_to_end(key)
        while len(self._notebooks) > MOST_NOTEBOOKS:
            self._notebooks.popitem(last=False)
        return known


def digest_of(source: str) -> str:
    """Return what stands for a source."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()


def _differences(before: dict[str, Sight], after: dict[str, Sight]) -> list[str]:
    told = []
    changed = [each for each in after if each in before and before[each].differs(after[each])]
    new = [each for each in after if each not in before]
    gone = [each for each in before if each not in after]
    if changed:
        told.append(f"another source in {named(changed)}")
    if new:
        told.append(f"new: {named(new)}")
    if gone:
        told.append(f"deleted: {named(gone)}")
    if [each for each in before if each in after] != [each for each in after if each in before]:
        told.append("the cells are in another order")
    return told


def _put_below(cells: dict[str, Sight], above: str | None, new: Sight) -> dict[str, Sight]:
    """Put a cell below another one; at the top where that is none, or not known."""
    placed = {} if above in cells else {new.cell_id: new}
    for each, sight in cells.items():
        placed[each] = sight
        if each == above:
            placed[new.cell_id] = new
    return placed
