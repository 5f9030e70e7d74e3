"""What a model is told of a cell's outputs, and what is kept of them."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from functools import partial
from typing import Any

import pytest
from PIL import Image

from jupyter_stop_chat.ports.outputs import LARGEST_KEPT
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.tools.runs.keeping import written
from jupyter_stop_chat.tools.runs.outputs import MOST, head_and_tail, told
from tests.tools.notebooks import stream
from tests.tools.runs.bench import RunCall


def display(mime: str, what: Any, **more: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {mime: what, **more}, "metadata": {}}


def error(*frames: str) -> dict[str, Any]:
    return {"output_type": "error", "ename": "E", "evalue": "no", "traceback": list(frames)}


def a_png(width: int = 3000, height: int = 20) -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (stream("a\x1b[1;31mb\x1b[0m"), "Output, stdout:\n```\nab\n```"),
        ({**stream("a"), "name": "stderr"}, "Output, stderr:\n```\na\n```"),
        (stream("1 %\r2 %\r3 %\ndone\r\n"), "Output, stdout:\n```\n3 %\ndone\n```"),
        (stream(["a\n", "b"]), "Output, stdout:\n```\na\nb\n```"),
        (stream("```\nx"), "Output, stdout:\n````\n```\nx\n````"),
        (stream(""), ""),
        (error("\x1b[31mE\x1b[0m: no"), "Error:\n```\nE: no\n```"),
        (error(), "Error:\n```\nE: no\n```"),
        (display("text/plain", "1", **{"text/html": "<b>1</b>"}), "Display:\n```\n1\n```"),
        (display("text/html", "<b>1</b>"), "Display, text/html:\n```\n<b>1</b>\n```"),
        (
            display("application/json", {"a": "ü"}),
            'Display, application/json:\n```\n{"a": "ü"}\n```',
        ),
        (
            {"output_type": "execute_result", "data": {"text/plain": ["4", "2"]}},
            "Result:\n```\n42\n```",
        ),
        (
            display("image/svg+xml", "<svg/>"),
            "[A picture is here, image/svg+xml: it is not shown to you.]",
        ),
        (
            display("image/png", "aGk=", **{"text/plain": "<Figure>"}),
            "[A picture is here, image/png: it is not shown to you.]\n"
            "Display:\n```\n<Figure>\n```",
        ),
        (display("application/vnd.plotly", {}), "[Display: application/vnd.plotly]"),
        ({"output_type": "display_data", "data": None}, ""),
    ],
)
def test_each_kind_is_told_in_words(output, text):
    """N1, N5: without colours, as a terminal leaves it; HTML only where there is nothing else."""
    assert told([output], sees=False).text == text


def test_a_long_traceback_keeps_its_ends():
    """N5."""
    frames = [f"frame {each}" for each in range(50)]
    text = told([error(*frames)], sees=False).text
    assert "frame 0\nframe 1\n[44 frames are left out here]\nframe 46" in text
    assert "frame 49" in text
    assert len(told([error("x" * 10**6)], sees=False).text) < 7000


def test_what_is_long_is_cut_in_the_middle_and_says_so():
    """N5: cut, never refused; what is short beside it stays whole."""
    long = "begin" + "x" * 1_000_000 + "end"
    text = told([stream(long), stream("short"), stream(long)], sees=False).text
    assert len(text) < MOST + 500
    assert text.count("begin") == text.count("end\n```") == 2
    assert "short" in text
    assert text.count("[cut here: ") == 2
    assert head_and_tail("abcdef", 0) == "\n[cut here: 6 characters]\n"


def test_many_outputs_are_told_by_the_first_and_the_last():
    """N5."""
    text = told([stream(f"<{each}>") for each in range(500)], sees=False).text
    assert "<0>" in text
    assert "<499>" in text
    assert "[460 more outputs are left out here]" in text
    assert len(text) < MOST + 5000


def test_pictures_are_shown_to_who_sees_at_most_four():
    """N1."""
    outputs = [display("image/png", "aGk=") for _ in range(6)]
    seen = told(outputs, sees=True)
    assert seen.pictures == (("image/png", "aGk="),) * 4
    assert seen.unseen == 2
    assert "[Picture 4, image/png: it is shown to you.]" in seen.text
    assert told(outputs, sees=False).pictures == ()


async def test_a_picture_is_made_small_for_a_model_that_sees(page, kernel, begin):
    """N1."""
    kernel.ends = [("done", [display("image/png", a_png()), display("image/png", "broken!")])]
    result = await begin(RunCall(page, sees=True))
    (picture,) = result.pictures
    assert Image.open(io.BytesIO(base64.b64decode(picture.data))).width == 1568
    assert "[Picture 1, image/png: it is shown to you.]" in result.text
    assert "[Picture 2: it could not be shown]" in result.text
    for sees in (False, None):
        result = await begin(RunCall(page, sees=sees))
        assert result.pictures == ()
        assert "is not shown to you" in result.text


async def test_outputs_without_end_hold_nobody_up():
    """N5: the watchdog looks at the loop meanwhile."""
    huge = [stream("\x1b[31mä\r" * 3_000_000), *[stream("x" * 1000)] * 20_000]
    text = (await in_thread(partial(told, huge, sees=False))).text
    assert len(text) < MOST + 5000
    kept = await in_thread(written, huge)
    assert len(kept.encode()) <= LARGEST_KEPT


async def test_what_is_too_large_to_keep_goes_and_says_so():
    """N6: the largest first."""
    outputs = [stream("a" * 100), stream("b" * 10_000), stream("c" * 200)]
    kept = json.loads(await asyncio.to_thread(written, outputs, 1000))
    assert [each["text"][:3] for each in kept] == ["aaa", "[An", "ccc"]
    assert "is not kept: it is too large" in kept[1]["text"]
    (odd,) = json.loads(written([display("application/json", {"x": float("nan")})]))
    assert "no notebook could hold it" in odd["text"]
    assert json.loads(written([])) == []
