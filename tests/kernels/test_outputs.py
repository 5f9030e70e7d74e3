"""Outputs are put together as a notebook has them, and bounded."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.kernels.heard import uncut
from jupyter_stop_chat.kernels.outputs import LONGEST_ERROR, MOST_OUTPUTS, Outputs


def heard(outputs: Outputs, *messages: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Take messages as a run does."""
    for kind, content in messages:
        size = len(str(content))
        if outputs.full(kind, size):
            outputs.leave_out(size)
        else:
            outputs.add(kind, content, size)
    return outputs.built()


def text(words: str, name: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "stream", {"name": name, "text": words}


def shown(words: str, name: str | None = None, kind: str = "display_data") -> tuple[str, Any]:
    transient = {"display_id": name} if name else {}
    return kind, {"data": {"text/plain": words}, "metadata": {}, "transient": transient}


def test_pieces_of_a_stream_are_joined_and_streams_are_not() -> None:
    """N5."""
    built = heard(Outputs(), text("a"), text("b"), text("c", "stderr"), text("d"))
    assert [(each["name"], each["text"]) for each in built] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


def test_clearing_waits_for_what_comes_next_where_it_is_told_to() -> None:
    outputs = Outputs()
    assert len(heard(outputs, text("a"), ("clear_output", {"wait": True}))) == 1
    assert heard(outputs, text("b"))[0]["text"] == "b"
    assert heard(outputs, ("clear_output", {"wait": False})) == []


def test_what_bears_a_name_is_shown_anew_in_its_place() -> None:
    outputs = Outputs()
    update = shown("new", "x", "update_display_data")
    built = heard(outputs, shown("old", "x"), shown("other", "y"), update)
    assert [each["data"]["text/plain"] for each in built] == ["new", "other"]
    assert "transient" not in built[0]


def test_of_a_long_stream_the_beginning_is_kept_and_the_rest_counted() -> None:
    """N5."""
    outputs = Outputs(10)
    assert heard(outputs, text("a" * 7), text("b" * 7))[0]["text"] == "a" * 7 + "b" * 3
    heard(outputs, shown("c"))
    assert outputs.left_out > 4
    heard(outputs, ("clear_output", {"wait": False}))
    assert (outputs.left_out, heard(outputs, text("new"))[0]["text"]) == (0, "new")


def test_many_small_outputs_are_bounded_as_well() -> None:
    """N5: of two streams in turns, each piece is an output; the error is told all the same."""
    outputs = Outputs()
    names = ("stdout", "stderr")
    built = heard(outputs, *(text("x", names[n % 2]) for n in range(MOST_OUTPUTS + 1000)))
    assert (len(built), outputs.left_out > 0) == (MOST_OUTPUTS, True)
    heard(outputs, shown("y"), shown("z", "z"))
    built = heard(outputs, ("error", {"ename": "E", "evalue": "v", "traceback": []}))
    assert (len(built), built[-1]["ename"]) == (MOST_OUTPUTS + 1, "E")


def test_what_is_too_large_clears_what_waited_for_it() -> None:
    """N5: and is not read."""
    outputs = Outputs(100)
    heard(outputs, text("a"), ("clear_output", {"wait": True}))
    assert heard(outputs, shown("b" * 200)) == []
    assert outputs.left_out > 200


@given(st.text(st.sampled_from('aäu0\\\n"\U0001f600\ud83d'), max_size=8))
def test_what_a_text_begins_with_can_be_read_wherever_it_is_cut(words: str) -> None:
    """N5."""
    for ascii_ in (True, False):
        whole = json.dumps(words, ensure_ascii=ascii_)[:-1]
        for end in range(1, len(whole) + 1):
            begins = json.loads(uncut(whole[:end]) + '"')
            assert words.encode("utf-16", "surrogatepass").startswith(
                begins.encode("utf-16", "surrogatepass")
            )


def test_an_error_is_told_however_full_it_is() -> None:
    """N5: of a huge one, its name and its first words."""
    outputs = Outputs(10)
    huge = {"ename": "E", "evalue": "v" * LONGEST_ERROR, "traceback": ["t"]}
    built = heard(outputs, text("a" * 20), ("error", huge))
    assert (built[-1]["ename"], built[-1]["traceback"]) == ("E", [])
    assert len(built[-1]["evalue"]) < 10_000


_MESSAGES = st.one_of(
    st.builds(text, st.text(max_size=30), st.sampled_from(["stdout", "stderr"])),
    st.builds(
        shown,
        st.text(max_size=30),
        st.sampled_from([None, "x", "y"]),
        st.sampled_from(["display_data", "update_display_data"]),
    ),
    st.builds(lambda wait: ("clear_output", {"wait": wait}), st.booleans()),
    st.just(("execute_result", {"data": {"text/plain": "1"}, "execution_count": 1})),
    st.just(("error", {"ename": "E", "evalue": "v", "traceback": ["t"]})),
)


@pytest.mark.may_hold_the_loop("nbformat's check")
@given(st.lists(_MESSAGES, max_size=30), st.integers(0, 400))
def test_whatever_comes_is_a_notebooks_and_within_the_bound(
    messages: list[tuple[str, dict[str, Any]]], most: int
) -> None:
    """N5, N6."""
    built = heard(Outputs(most), *messages)
    cell: Any = nbformat.v4.new_code_cell("x", outputs=nbformat.from_dict(built))
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    told = [each for each in built if each["output_type"] != "error"]
    assert sum(len(each.get("text", "")) for each in told) <= most
