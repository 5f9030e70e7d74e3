"""Models of any name are asked for: what is built for them does not pile up."""

from __future__ import annotations

import asyncio
import gc
import weakref
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.models import Models
from jupyter_stop_chat.models.kept import MOST_KEPT
from jupyter_stop_chat.testing import ScriptedHandler


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path)


async def _in_a_task(models: Models, model_id: str) -> Any:
    """Ask for a model as a reply does: in a task of its own, which then ends."""
    return (await asyncio.create_task(models.resolve(model_id)))[0]


async def _rest() -> None:
    """Let what was begun come to its end."""
    names = {"stop-chat retire"}
    while ending := [each for each in asyncio.all_tasks() if each.get_name() in names]:
        await asyncio.wait(ending)


@pytest.mark.parametrize("ask", [_in_a_task, Models.resolve], ids=["tasks", "one task"])
async def test_names_without_end_keep_no_handler_each(models: Models, ask: Any) -> None:
    """The least recently used are dropped and closed, and built anew when they are wanted."""
    made: list[ScriptedHandler] = []

    def build(name: str) -> ScriptedHandler:
        made.append(ScriptedHandler([name]))
        return made[-1]

    models.register("mine", build)
    for number in range(3 * MOST_KEPT):
        await ask(models, f"mine:{number}")
        await ask(models, "mine:0")
    await _rest()
    assert len(models._handlers) == MOST_KEPT
    assert [each.closed for each in made] == [
        0 < number <= 2 * MOST_KEPT for number in range(3 * MOST_KEPT)
    ]
    await ask(models, "mine:1")
    assert len(made) == 3 * MOST_KEPT + 1
    assert len(models._handlers._users) <= 1, "the ended tasks are forgotten"
    await models.close()


async def test_a_model_that_makes_a_reply_is_not_dropped(models: Models) -> None:
    made: dict[str, ScriptedHandler] = {}
    models.register("mine", lambda name: made.setdefault(name, ScriptedHandler([name])))
    go_on = asyncio.Event()
    resolved = asyncio.Event()

    async def reply() -> None:
        await models.resolve("mine:busy")
        resolved.set()
        await go_on.wait()

    replying = asyncio.create_task(reply())
    await resolved.wait()
    for number in range(2 * MOST_KEPT):
        await _in_a_task(models, f"mine:{number}")
    await _rest()
    assert not made["busy"].closed
    assert made["0"].closed
    go_on.set()
    await replying
    for number in range(2 * MOST_KEPT):
        await _in_a_task(models, f"mine:more-{number}")
    await _rest()
    assert made["busy"].closed
    await models.close()


async def test_more_replies_at_once_than_are_kept(models: Models) -> None:
    """All of them keep their models; afterwards there are as many as are kept."""
    made: list[ScriptedHandler] = []
    models.register("mine", lambda name: made.append(ScriptedHandler([name])) or made[-1])
    go_on, all_asked = asyncio.Event(), asyncio.Event()
    asked: list[int] = []

    async def reply(number: int) -> None:
        await models.resolve(f"mine:{number}")
        asked.append(number)
        if len(asked) == 2 * MOST_KEPT:
            all_asked.set()
        await go_on.wait()

    replies = [asyncio.create_task(reply(number)) for number in range(2 * MOST_KEPT)]
    await all_asked.wait()
    assert not any(each.closed for each in made)
    go_on.set()
    await asyncio.gather(*replies)
    await asyncio.sleep(0)
    await _rest()
    assert len(models._handlers) == MOST_KEPT
    assert sum(each.closed for each in made) == MOST_KEPT
    await models.close()


async def test_one_handler_for_all_names_is_closed_once_and_last(models: Models) -> None:
    handler = ScriptedHandler(["x"])
    models.register("mine", lambda name: handler)
    for number in range(2 * MOST_KEPT):
        await _in_a_task(models, f"mine:{number}")
    await _rest()
    assert len(models._handlers) == MOST_KEPT
    assert not handler.closed
    await models.close()


async def test_models_of_langchain_are_let_go_of(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing holds them any more, and no connection that others use is closed."""
    pytest.importorskip("langchain_openai")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
    first = weakref.ref(await _in_a_task(models, "openai:any-0"))
    for number in range(1, MOST_KEPT + 2):
        await _in_a_task(models, f"openai:any-{number}")
    await _rest()
    gc.collect()
    assert first() is None
    assert len(models._handlers) == MOST_KEPT
    await models.close()
