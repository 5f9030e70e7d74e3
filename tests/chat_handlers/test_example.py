"""The example in `docs/building/chat-handlers.md` is what it says."""

from __future__ import annotations

import asyncio
import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from jupyter_stop_chat.models import ENTRY_POINTS, Models, catalogue
from jupyter_stop_chat.testing import check_stops
from jupyter_stop_chat.wire.objects import MessageState
from tests.engine.bench import MODEL, bench_in_memory

PAGE = Path(__file__).resolve().parents[2] / "docs" / "building" / "chat-handlers.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import the example, as the package that the page speaks of."""
    module = ModuleType("my_package")
    exec(compile(blocks("python")[0], "my_package", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "my_package", module)
    return module


def test_the_example_has_twenty_lines() -> None:
    lines = [line for line in blocks("python")[0].splitlines() if line.strip()]
    assert len(lines) <= 20


async def test_the_example_is_found_by_its_entry_point(
    example: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (written,) = re.findall(r'entry-points\."(.*?)"\]\n(\w+) = "(.*?)"', blocks("toml")[0])
    group, name, value = written
    assert group == ENTRY_POINTS

    def entry_points(group: str) -> list[EntryPoint]:
        return [EntryPoint(name, value, group)] if group == ENTRY_POINTS else []

    monkeypatch.setattr(catalogue, "entry_points", entry_points)
    models = Models(tmp_path)
    handler, model = await models.resolve("echo:anything")
    assert (type(handler).__name__, model) == ("Echo", "anything")
    await models.close()


async def test_the_example_answers_and_stops(example: Any) -> None:
    """V1, B2: to its end, and stopped in the middle, in the engine."""
    async with bench_in_memory() as b:
        b.handlers[MODEL] = example.make("anything")
        message = await b.end(await b.send("one two three"))
        assert (message.state, message.text) == (MessageState.COMPLETED, "one two three ")
        assert message.usage is not None
        assert message.usage.output_tokens == 3
        accepted = await b.send("word " * 1000)
        await b.shown(accepted, "word ")
        (result,) = await b.stop(message_id=accepted.message.id)
        assert result.receipt is not None
        assert result.receipt.provider == "closed"


async def test_the_check_that_the_page_recommends(example: Any) -> None:
    scope: dict[str, Any] = {}
    exec(compile(blocks("python")[1], "test_my_package", "exec"), scope)
    await asyncio.wait_for(scope["test_stop"](), 60)
    assert scope["check_stops"] is check_stops
