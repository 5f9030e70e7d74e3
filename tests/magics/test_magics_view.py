"""What is written of a reply where there is no HTML."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from jupyter_stop_chat.magics.commands import Commands
from jupyter_stop_chat.magics.defaults import Defaults
from jupyter_stop_chat.magics.received import Received
from jupyter_stop_chat.magics.view import view

#: It sets a title, the clipboard, a link, clears the screen, goes back, and turns letters around.
STEERING = (
    "a\x1b]0;x\x07\x1b]52;c;YQ==\x1b\\\x1b]8;;http://x.invalid\x1b\\\x9b2J\rb\x08\u202ec\u2066"
    "\x85\u2028\x00\ud800"
)
#: What is odd and is words.
WORDS = "\ttab\n non-breaking\u00a0blank \u3000 \U0001f469\u200d\U0001f4bb e\u0301 ｆ"


def _is_harmless(text: str) -> bool:
    return all(
        each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cs", "Zl", "Zp"}
        for each in text
    ) and not set("\u202e\u2066") & set(text)


@pytest.mark.parametrize("rich", [True, False])
def test_no_reply_steers_a_terminal(
    rich: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """P3: also as the plain text beside HTML, which a terminal's console shows."""
    shown: list[str] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **_: shown.append(data["text/plain"])
    )
    received = Received()
    made = view(rich=rich, form="raw", quiet=False, note="n")
    for text in (STEERING, WORDS):
        received.take("delta", {"part": "text", "offset": received.length, "text": text})
        made.paint(received)
    made.paint(received, mark=f"Generation failed: {STEERING}")
    text = shown[-1] if rich else capsys.readouterr().out
    assert _is_harmless(text)
    assert WORDS in text


def test_no_message_steers_a_terminal_when_a_chat_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """P3."""

    class _Backends:
        def backend(self, _: object) -> Any:
            return self

        def chat(self, _: str) -> Any:
            message = {
                "id": "m",
                "role": "assistant",
                "state": "completed",
                "text": STEERING + WORDS,
            }
            return {"chat": {"title": STEERING}, "messages": [message]}

    defaults = Defaults()
    defaults.chat_id = "c"
    backends: Any = _Backends()
    Commands(backends, defaults, rich=False).run("show", [])
    text = capsys.readouterr().out
    assert _is_harmless(text)
    assert WORDS in text


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ([], "Nothing was being made."),
        (["already_completed"], "Nothing was being made."),
        (["interrupted"], "1 reply stopped."),
        (["interrupted", "already_failed", "interrupted"], "2 replies stopped."),
        (
            ["made_elsewhere"],
            "1 reply goes on: the other Jupyter server or kernel that makes it has not answered"
            " yet. The stop is left for it.",
        ),
        (
            ["made_elsewhere", "interrupted", "made_elsewhere"],
            "1 reply stopped.\n2 replies go on: the other Jupyter servers or kernels that make"
            " them have not answered yet. The stop is left for them.",
        ),
    ],
)
def test_a_stop_says_what_it_reached(
    outcomes: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """H4: also what another server makes that has not answered."""

    class _Backends:
        def backend(self, _: object) -> Any:
            return self

        def stop(self, _: object) -> Any:
            return [{"message_id": "m", "outcome": each} for each in outcomes]

    backends: Any = _Backends()
    Commands(backends, Defaults(), rich=False).run("stop", [])
    assert capsys.readouterr().out.rstrip() == words
