"""The commands that pages show: each can be read by what would run it, and the cheap ones run."""

from __future__ import annotations

import re

import pytest

from jupyter_stop_chat.cli.main import main
from tests.docs.commands import fault_in, lines_of
from tests.docs.pages import ROOT, blocks, spans

#: What a command within a line begins with.
COMMAND = re.compile(r"(?:[A-Z_]+=\S+ )*(?:jupyter|make|pip|python|pytest|docker) [\w-]")


def test_each_command_of_a_block() -> None:
    faults = [
        f"{each}: {line}: {fault}"
        for each in blocks("bash")
        for line in lines_of(each.text)
        if (fault := fault_in(line))
    ]
    assert faults == []


def test_each_command_within_a_line() -> None:
    shown = [(page, text) for page, text in spans() if COMMAND.match(text)]
    assert len(shown) > 40
    faults = [f"{page}: {text}: {fault}" for page, text in shown if (fault := fault_in(text))]
    assert faults == []


@pytest.mark.parametrize(
    "line",
    [
        "make everything",
        'pip install "jupyter-stop-chat[everything]"',
        "jupyter stop-chat install-remote-model",
        "jupyter stop-chat interrupt --server",
        "jupyter lab --StopChatApp.lock_modle=True",
        "jupyter --no-such-dir",
        "python benchmarks/bench_nothing.py",
        "python benchmarks/bench_speed.py --sideways",
        "pytest tests/nowhere",
        "docker compose --file docs/nowhere.yaml up",
        "frobnicate",
    ],
)
def test_what_is_wrong_is_found(line: str) -> None:
    assert fault_in(line)


@pytest.mark.parametrize(
    "command", ["install-local-model", "models", "settings", "interrupt", None]
)
def test_each_of_our_commands_helps(
    command: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*([command] if command else []), "--help"])
    assert end.value.code == 0
    assert f"stop-chat {command or ''}".strip() in capsys.readouterr().out


def test_each_target_is_no_file() -> None:
    """And each target is one, whatever file has its name."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = " ".join(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE))
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    assert set(phony.split()) == targets
