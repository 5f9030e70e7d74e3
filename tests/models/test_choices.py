"""The model that somebody chose: theirs alone, kept, and never left for one that costs."""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers import local
from jupyter_stop_chat.models import BUILT_IN, PROVIDERS, Models, Rules
from jupyter_stop_chat.models.choices import MOST_RECENT
from jupyter_stop_chat.models.key_file import KeyFile
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

ANNA = "anna"
Make = Callable[..., Awaitable[Models]]


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in PROVIDERS.values():
        for key in provider.keys:
            monkeypatch.delenv(key, raising=False)


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
    assert (await narrow.listed("server", 0.0)).recent == ()
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
