"""What models have seen of notebooks is remembered within bounds."""

from __future__ import annotations

import pytest

from jupyter_stop_chat.ports.tools import Change
from jupyter_stop_chat.tools import seen as room
from jupyter_stop_chat.tools.seen import Seen, Sight

A = "a.ipynb"


def sights(*sources: str, shown: bool = True) -> list[Sight]:
    return [Sight.of(f"c{n}", source, shown=shown) for n, source in enumerate(sources)]


def test_a_change_of_the_same_length_is_told_where_both_are_known():
    """N18: by all of the source; where only its length is known, by that."""
    seen = Seen()
    seen.look("chat", A, sights("ab", "cd"))
    seen.look("chat", A, [Sight("c0", 2), *sights("ab", "xd")[1:]])
    assert "another source in c1." in seen.news("chat", A)
    assert seen.news("chat", A) == ""


def test_its_own_changes_are_none_of_others():
    """N18: wherever they put a cell, and in a notebook that was not looked at as well."""
    seen = Seen()
    seen.changed("chat", Change(A, "insert", "new", after="x", beside={"new_above": None}))
    seen.look("chat", A, sights("a", "b"))
    seen.changed("chat", Change(A, "insert", "new", after="x", beside={"new_above": "c0"}))
    seen.changed("chat", Change(A, "move", "c1", beside={"new_above": None}))
    seen.changed("chat", Change(A, "replace", "c0", before="a", after="y"))
    seen.look("chat", A, [sights("a", "b")[1], sights("y")[0], Sight.of("new", "x", shown=True)])
    assert seen.news("chat", A) == ""
    seen.changed("chat", Change(A, "delete", "c0", before="y"))
    seen.look("chat", A, [sights("a", "b")[1], Sight.of("new", "x", shown=True)])
    assert seen.news("chat", A) == ""


def test_what_is_oldest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch):
    """Memory stays bounded, by notebooks and by cells."""
    monkeypatch.setattr(room, "MOST_TOGETHER", 5)
    seen = Seen()
    for n in range(4):
        seen.look("chat", f"{n}.ipynb", sights("a", "b"))
    assert [seen.sight("chat", f"{n}.ipynb", "c0") is not None for n in (2, 3)] == [True, True]
    assert [seen.sight("chat", f"{n}.ipynb", "c0") for n in (0, 1)] == [None, None]
    monkeypatch.setattr(room, "MOST_NOTEBOOKS", 2)
    seen.look("chat", "more.ipynb", sights("a"))
    assert len(seen._notebooks) == 2
    monkeypatch.setattr(room, "MOST_CELLS", 1)
    seen.look("chat", "more.ipynb", sights("a", "b"))
    assert seen.sight("chat", "more.ipynb", "c1") is None
