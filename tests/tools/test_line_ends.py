"""Lines end in a file as they ended there before, and alike for everybody who works on them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.tools.line_ends import like, plain_lines
from tests.examples import examples

LINES = st.lists(st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["\n", "\r\n"])))


@pytest.mark.parametrize(
    ("raw", "text", "made"),
    [
        ("a\nb\n", "a\nc\n", "a\nc\n"),
        ("a\r\nb\r\n", "a\nc\nd\n", "a\r\nc\r\nd\r\n"),
        ("a\r\nb", "a\nb\n", "a\r\nb\r\n"),
        ("a\rb\r", "a\nc\n", "a\rc\r"),
        ("a\rb\nc", "a\rb\nd", "a\rb\nd"),
        ("a\nb\r\nc\nd", "a\nb\nnew\nd", "a\nb\r\nnew\r\nd"),
        ("a\nb\r\nc\n", "new\nb\nc\n", "new\r\nb\r\nc\n"),
        ("a\nb\r\n", "", ""),
        ("", "a\n", "a\n"),
        ("a\r\nb\n", "a\nb", "a\r\nb"),
    ],
)
def test_a_file_keeps_the_ends_of_its_lines(raw, text, made):
    """N1: those of one kind or of several, with and without one behind the last line."""
    assert like(raw, text) == made


@settings(max_examples=examples(200))
@given(LINES, st.text("abc\n", max_size=12), st.sampled_from(["", "x"]))
def test_what_is_written_is_read_again(lines, text, last):
    """N10: whatever a file had, and what is not changed is written as it was."""
    raw = "".join(line + end for line, end in lines) + last
    assert plain_lines(like(raw, text)) == text
    assert like(raw, plain_lines(raw)) == raw
