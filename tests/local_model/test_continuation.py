"""Where a partial reply and its continuation meet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.local_model.continuation import Joint


@pytest.mark.parametrize(
    ("prefix", "chunks", "joined"),
    [
        ("one, ", [" two"], "one, two"),
        ("one,", [" two"], "one, two"),
        ("one, ", ["\n", "two"], "one, \ntwo"),
        ("one \n", [" ", "\n", "\n", "two"], "one \n\ntwo"),
        ("one ", ["two"], "one two"),
        ("one ", [" ", " two"], "one  two"),
        ("  ", [" hello"], "   hello"),
        ("", [" hello"], " hello"),
    ],
)
def test_space_is_not_doubled(prefix: str, chunks: list[str], joined: str) -> None:
    joint = Joint(prefix)
    assert prefix + "".join(joint.feed(chunk) for chunk in chunks) == joined


@given(st.text(" \nab"), st.text(" \nab", min_size=1))
def test_it_does_not_matter_how_it_is_cut(prefix: str, text: str) -> None:
    joint = Joint(prefix)
    assert "".join(map(joint.feed, text)) == Joint(prefix).feed(text)


@given(st.text(" \nab"), st.text(" \nab"))
def test_a_reply_that_is_cut_anywhere_is_whole_again(before: str, after: str) -> None:
    """A model that goes on exactly where the template cut gives the text it would have given."""
    whole = before + after
    joint = Joint(before)
    if joint.prefix:
        assert before + joint.feed(whole[len(joint.prefix) :]) == whole
