"""What a cell says of a reply that did not come to its own end."""

from __future__ import annotations

import queue
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from jupyter_stop_chat.documents.endings import advice, ending, interruption
from jupyter_stop_chat.magics.cell import Cell
from jupyter_stop_chat.magics.interrupts import Interrupts
from jupyter_stop_chat.magics.outcome import Interrupted
from jupyter_stop_chat.magics.received import Received
from jupyter_stop_chat.magics.turn import END
from jupyter_stop_chat.wire.objects import FinishReason, Receipt


class _Turn:
    """A turn whose whole reply is there at once."""

    def __init__(self, news: queue.SimpleQueue[Any], state: str, reason: str, stop: Any) -> None:
        message = {"text_length": 2, "finish_reason": reason, "stop": stop}
        news.put(("start", {"message_id": "m", "chat_id": "c"}))
        news.put(("delta", {"part": "text", "offset": 0, "text": "Hi"}))
        news.put((state, {"message": message}))
        news.put(END)

    def begin(self) -> None: ...

    def close(self) -> None: ...


class _View:
    """A view that keeps what was shown last."""

    visible = True
    shown = 2
    last = ("", "")

    def paint(self, received: Received, status: str = "", mark: str = "") -> None:
        self.last = (received.text, mark)


def _run(state: str, reason: str, stop: Any = None) -> tuple[str, str]:
    news: queue.SimpleQueue[Any] = queue.SimpleQueue()
    view = _View()
    turn: Any = _Turn(news, state, reason, stop)
    with Interrupts(news) as interrupts:
        try:
            Cell(turn, view, news).run(interrupts)
        finally:
            text, mark = view.last
    return text, mark


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("length", "Response cut at the model’s limit. Ask it to go on."),
        (
            "content_filter",
            "Response cut by the provider’s content filter. Ask in other words.",
        ),
        ("refusal", "The model refused to answer. Ask in other words."),
    ],
)
def test_one_line_says_why_a_reply_ended(reason: str, said: str) -> None:
    """T1, T5."""
    assert _run("completed", reason) == ("Hi", said)


def test_a_reply_that_broke_off_was_stopped_by_nobody() -> None:
    """T2: the cell ends as interrupted, so that Run All goes no further."""
    with pytest.raises(Interrupted, match="the connection broke off before the response ended"):
        _run("interrupted", "cut_off")


def test_who_interrupted_it_elsewhere_is_said() -> None:
    """T2: without a receipt nobody stopped it."""
    with pytest.raises(Interrupted, match="response interrupted"):
        _run("interrupted", "")
    for reason in get_args(Receipt.model_fields["reason"].annotation):
        with pytest.raises(Interrupted, match=re.escape(interruption(reason)[1:])):
            _run("interrupted", "", {"reason": reason})


def test_a_limit_that_thinking_used_up_is_told_as_that() -> None:
    """T1: there is nothing that could go on."""
    said = "The model’s limit was used up by thinking"
    assert advice("length", " \n") == f"{said}. Raise it, or ask for something shorter."
    assert ending("length", "") == said
    assert (ending(None, ""), advice(None, "Hi")) == ("", "")


def test_the_words_are_those_of_the_sidebar() -> None:
    """T1, T2, T5: whoever reads both must not take them for two things."""
    page = (
        Path(__file__).parents[2] / "labextension" / "src" / "panel" / "messages" / "endWords.ts"
    ).read_text()
    for reason in get_args(FinishReason):
        for text in ("", "Hi"):
            assert ending(reason, text) in page


def test_a_display_that_is_dear_is_made_half_of_the_time_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R5, B6: between two of them, there is time to hear of an interrupt."""
    clock = [100.0]
    monkeypatch.setattr("jupyter_stop_chat.magics.cell.time.monotonic", lambda: clock[0])

    class _Dear(_View):
        def paint(self, received: Received, status: str = "", mark: str = "") -> None:
            clock[0] += 3.0

    cell = Cell(Any, _Dear(), queue.SimpleQueue())  # type: ignore[arg-type]
    cell._paint()
    clock[0] += 1.0
    assert cell._until_paint() == 2.0
