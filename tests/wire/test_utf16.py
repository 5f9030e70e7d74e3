"""Text by UTF-16 code units, as JavaScript measures it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.wire.utf16 import (
    SurrogateJoiner,
    TextBuffer,
    utf16_length,
    utf16_slice,
    whole,
)
from tests.examples import examples

ANY = st.text(st.characters(codec=None))
#: What needs no mending: databases refuse NUL as well.
CLEAN = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def units(text: str) -> list[int]:
    raw = text.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]


@given(ANY)
def test_length_and_whole(text: str) -> None:
    assert utf16_length(text) == len(units(text))
    made = whole(text)
    made.encode()
    assert utf16_length(made) == utf16_length(text)
    assert whole(made) == made


@given(CLEAN, st.integers(0, 30), st.none() | st.integers(0, 30))
def test_slice(text: str, start: int, end: int | None) -> None:
    part = utf16_slice(text, start, end)
    part.encode()
    wanted = units(text)[start:end]
    # Half of a pair at an edge is dropped, and only that.
    found = units(part)
    assert len(wanted) - len(found) in (0, 1, 2)
    joined = "".join(map(chr, found))
    assert joined in "".join(map(chr, wanted))


@given(st.lists(ANY))
def test_pairs_that_were_split_are_joined(pieces: list[str]) -> None:
    joiner = SurrogateJoiner()
    out = "".join([*(joiner.feed(piece) for piece in pieces), joiner.end()])
    out.encode()
    assert out == whole("".join(pieces))


@given(CLEAN)
def test_a_stream_of_single_units_comes_out_as_it_was(text: str) -> None:
    joiner = SurrogateJoiner()
    assert "".join([*(joiner.feed(chr(unit)) for unit in units(text)), joiner.end()]) == text


@pytest.mark.parametrize("scale", [1, 1500])
@settings(max_examples=examples(30))
@given(st.data())
def test_a_buffer_is_read_as_it_was_written(scale: int, data: st.DataObject) -> None:
    """B5: with every cursor, whatever the blocks are: nothing lost, nothing doubled."""
    pieces = [piece * scale for piece in data.draw(st.lists(CLEAN, max_size=6))]
    buffer = TextBuffer()
    for piece in pieces:
        buffer.append(piece)
    text = "".join(pieces)
    assert str(buffer) == text
    assert buffer.length == utf16_length(text)
    most = data.draw(st.integers(2, 5 * scale + 2))
    read, cursor = "", 0
    while part := buffer.read(cursor, most):
        assert utf16_length(part) <= most
        read += part
        cursor += utf16_length(part)
    assert read == text
    end = data.draw(st.integers(0, buffer.length + 3))
    buffer.cut(end)
    assert str(buffer) == utf16_slice(text, 0, end)
    assert buffer.length == utf16_length(str(buffer)) <= max(end, 0)
    buffer.append("more")
    assert str(buffer) == utf16_slice(text, 0, end) + "more"


def test_nothing_is_read_behind_the_end() -> None:
    buffer = TextBuffer("abc")
    assert buffer.read(3, 10) == ""
    assert buffer.read(99, 10) == ""
    assert buffer.read(0, 0) == ""


def test_a_long_text_is_read_as_fast_as_a_short_one() -> None:
    """Rule 11: a megabyte in one piece costs a reader of small deltas no more than its length."""

    def cost(text: str) -> float:
        buffer = TextBuffer()
        buffer.append(text)
        began = time.thread_time()
        cursor = 0
        while part := buffer.read(cursor, 4096):
            cursor += utf16_length(part)
        return (time.thread_time() - began) / len(text)

    cost("ü" * 100_000)
    short = min(cost("ü" * 50_000) for _ in range(5))
    long = min(cost("ü" * 2_000_000) for _ in range(3))
    # Were each read to look at the whole piece, it would be forty times as much.
    assert long < 10 * short
