"""The model that somebody chose: theirs alone, kept, and never left for one that costs."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers import local
from jupyter_stop_chat.models import BUILT_IN, PROVIDERS, Models, Rules
from jupyter_stop_chat.models import choices as choices_module
from jupyter_stop_chat.models.choices import MOST_RECENT, Choices
from jupyter_stop_chat.models.key_file import KeyFile
from jupyter_stop_chat.settings.private_file import write_anew
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

ANNA = "anna"
Make = Callable[..., Awaitable[Models]]


pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    async def made(**rules: Any) -> Models:
        file = KeyFile(tmp_path / "keys.json", lambda: None)
        models = Models(tmp_path, key_file=file, rules=lambda: Rules(**rules))
        await models.refresh()
        return models

    return made


@pytest.fixture
def local_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "unavailable", lambda *_: None)


@pytest.mark.usefixtures("local_is_ready")
async def test_no_key_leads_away_from_the_local_model(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8: neither one that is given in the page, nor one that the environment has now."""
    models = await make()
    assert models.default_model() == BUILT_IN
    await models.give_key("server", "openai", "sk-mine")
    assert models.default_model() == BUILT_IN
    assert models.choose(None, "server") == BUILT_IN, "also where nobody shows it, as in a cell"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k-0123456")
    assert (await make()).default_model() == BUILT_IN


async def test_a_key_moves_no_model_that_works(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8: not to another provider's either; only who has none that works gets one by a key."""
    models = await make()
    assert models.default_model() == BUILT_IN, "which is not installed"
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k-0123456")
    before = models.default_model()
    assert before is not None
    assert before.startswith("anthropic:")
    await models.give_key("server", "openai", "sk-mine")
    assert models.default_model() == before
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    await models.set_choice("server", None)
    assert str(models.default_model()).startswith("openai:"), "what the key was given for"


async def test_a_choice_is_its_owners_and_outlives_the_server(make: Make) -> None:
    """U8: whatever keys come and go; and what was chosen before is known, newest first."""
    models = await make()
    await models.set_choice("server", "openai:gpt-5")
    await models.set_choice(ANNA, "ollama:llama3")
    await models.give_key("server", "anthropic", "sk-mine")
    for each in (models, await make()):
        assert each.choose(None, "server") == "openai:gpt-5"
        assert each.choose(None, ANNA) == "ollama:llama3"
        assert each.choose("mine:own", "server") == "mine:own", "a prompt may name another"
    await models.set_choice("server", "mistralai:m")
    listed = await (await make()).listed("server", 0.0)
    assert (listed.chosen, listed.default_model) == ("mistralai:m", "mistralai:m")
    assert listed.recent == ("mistralai:m", "openai:gpt-5")
    for number in range(9):
        await models.set_choice("server", f"openai:{number}")
    assert len((await models.listed("server", 0.0)).recent) == MOST_RECENT
    await models.set_choice("server", None)
    listed = await models.listed("server", 0.0)
    assert (listed.chosen, listed.recent[0]) == (None, "openai:8")


def _choose_elsewhere(folder: Path) -> None:
    asyncio.run(Models(folder).set_choice("server", "openai:chosen-elsewhere"))


async def test_a_choice_counts_at_once_in_every_process(make: Make, tmp_path: Path) -> None:
    """U8: a kernel without a server reads what was chosen in the page."""
    models = await make()
    await models.set_choice("server", "openai:chosen-before")
    assert models.choose(None, "server") == "openai:chosen-before"
    process = multiprocessing.get_context("spawn").Process(
        target=_choose_elsewhere, args=(tmp_path,)
    )
    await asyncio.to_thread(process.start)
    await asyncio.to_thread(process.join, 60)
    await models.refresh()
    assert models.choose(None, "server") == "openai:chosen-elsewhere"


async def test_an_administrators_word_goes_before_it(make: Make) -> None:
    """U8: what is not allowed cannot be chosen, and counts no more where it was."""
    await (await make()).set_choice("server", "openai:gpt-5")
    assert (await make(default="ollama:m")).choose(None, "server") == "openai:gpt-5"
    assert (await make(default="ollama:m", locked=True)).choose(None, "server") == "ollama:m"
    narrow = await make(allowed=("ollama:*",), default="ollama:m")
    assert narrow.choose(None, "server") == "ollama:m"
    for strict in (narrow, await make(default="ollama:m", locked=True)):
        listed = await strict.listed("server", 0.0)
        assert (listed.chosen, listed.recent) == (None, ()), "a page would ask for it"
    for wanted, code in (
        ("openai:gpt-5", ErrorCode.MODEL_NOT_ALLOWED),
        ("nothing", ErrorCode.UNKNOWN_MODEL),
        ("openai:", ErrorCode.UNKNOWN_MODEL),
    ):
        with pytest.raises(StopChatError) as caught:
            await narrow.set_choice("server", wanted)
        assert caught.value.code is code


@pytest.mark.parametrize(
    "held",
    [
        "",
        "[]",
        '{"version": 2, "choices": []}',
        '{"version": 1, "choices": [1]}',
        '{"version": 1, "choices": [{"owner": "server", "model": 1, "recent": []}]}',
        '{"version": 1, "choices": [{"owner": "server", "model": "a:b"}]}',
        "[" * 100_000,
    ],
)
async def test_a_damaged_file_is_an_empty_one(
    make: Make, tmp_path: Path, held: str, caplog: pytest.LogCaptureFixture
) -> None:
    """U8: it is told, and the next choice makes a new one."""
    path = tmp_path / "stop-chat" / "models.json"
    path.parent.mkdir()
    path.write_text(held)
    caplog.set_level(logging.WARNING)
    models = await make()
    assert models.choose(None, "server") == BUILT_IN
    assert ("version" in held[:20] and "2" in held[:14]) or caplog.records
    await models.set_choice("server", "openai:gpt-5")
    assert (await make()).choose(None, "server") == "openai:gpt-5"
    assert json.loads(path.read_text())["version"] == 1
    assert path.stat().st_mode & 0o077 == 0


async def test_a_choice_that_cannot_be_kept_is_told(make: Make, tmp_path: Path) -> None:
    """U8."""
    (tmp_path / "stop-chat").write_text("a file where the folder should be")
    with pytest.raises(StopChatError) as caught:
        await (await make()).set_choice("server", "openai:gpt-5")
    assert caught.value.code is ErrorCode.INTERNAL


@pytest.mark.parametrize(
    "line",
    [
        7,
        {"owner": 1, "model": None, "recent": []},
        {"owner": ["a"], "model": None, "recent": []},
        {"owner": "server", "model": 0, "recent": []},
        {"owner": "server", "model": [], "recent": []},
        {"owner": "server", "model": "nothing", "recent": []},
        {"owner": "server", "model": "a:\ud800", "recent": []},
        {"owner": "server", "model": "a:" + "b" * 501, "recent": []},
        {"owner": "server", "model": "a:b", "recent": "abc"},
        {"owner": "server", "model": "a:b", "recent": ["a:\ud800"]},
    ],
)
async def test_a_line_that_is_no_choice_takes_nothing_from_the_others(
    make: Make, tmp_path: Path, line: Any
) -> None:
    """U8: the list of models can be read, and others' choices stay, as does the next one."""
    path = tmp_path / "stop-chat" / "models.json"
    path.parent.mkdir()
    whole = {"owner": "ben", "model": "openai:gpt-5", "recent": ["openai:gpt-5"]}
    path.write_text(json.dumps({"version": 1, "choices": [line, whole]}))
    models = await make()
    assert models.default_model() == BUILT_IN
    (await models.listed("server", 0.0)).model_dump_json()
    assert models.choose(None, "ben") == "openai:gpt-5"
    await models.set_choice("server", "ollama:m")
    again = await make()
    assert [again.choose(None, each) for each in ("server", "ben")] == ["ollama:m", "openai:gpt-5"]
    await models.close()


def test_what_cannot_be_read_now_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8: a disk that fails for a moment takes nobody's choice."""
    path = tmp_path / "models.json"
    choices = Choices(path)
    choices._change("ben", lambda _: "openai:gpt-5")
    choices.look()
    before = path.read_bytes()
    with monkeypatch.context() as patch:

        def fails(*_: Any, **__: Any) -> None:
            raise OSError(24, "Too many open files")

        patch.setattr(Path, "open", fails)
        with pytest.raises(OSError, match="Too many"):
            choices._change("server", lambda _: "ollama:m")
        os.utime(path, (1, 1))
        choices.look()
        assert choices.of("ben").model == "openai:gpt-5"
    assert path.read_bytes() == before


async def test_who_looks_waits_for_no_slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """U8: else a write that takes long would hold up each prompt, and fill the threads."""
    choices = Choices(tmp_path / "models.json")
    begun, go_on = threading.Event(), threading.Event()

    def slow(*given: Any) -> None:
        begun.set()
        assert go_on.wait(30)
        write_anew(*given)

    monkeypatch.setattr(choices_module, "write_anew", slow)
    writing = asyncio.create_task(choices.choose("server", "ollama:m"))
    await asyncio.to_thread(begun.wait, 30)
    try:
        await asyncio.wait_for(asyncio.to_thread(choices.look), 20)
    finally:
        go_on.set()
    await writing
    assert choices.of("server").model == "ollama:m"


def test_processes_that_choose_at_once_take_nothing_from_each_other(tmp_path: Path) -> None:
    """U8: each reads what the other has written before it writes all of it anew."""
    path = tmp_path / "models.json"
    together = threading.Barrier(4)

    def chooses(name: str) -> None:
        own = Choices(path)
        together.wait(30)
        for at in range(5):
            own._change(f"{name}-{at}", lambda _: "ollama:m")

    threads = [threading.Thread(target=chooses, args=(each,)) for each in "abcd"]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(json.loads(path.read_text())["choices"]) == 20


async def test_a_key_is_kept_though_the_choice_cannot_be(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """U6, U8: who gives a key is not told that it was not kept."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k-0123456")
    models = await make()
    assert models.default_model() == f"anthropic:{PROVIDERS['anthropic'].suggested}"
    (tmp_path / "stop-chat").write_text("a file where the folder should be")
    await models.give_key("server", "openai", "sk-mine")
    assert models.keys.given("server", "openai").key is not None
    assert "which model is in use" in caplog.text
