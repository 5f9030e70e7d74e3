"""The Python that pages show runs as it stands there, against the real package."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from langchain_core.tools import tool
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from jupyter_stop_chat.api import LangChainHandler, Tool, as_tool, check_stops
from jupyter_stop_chat.app import StopChatApp
from tests.docs.pages import Block, blocks
from tests.providers import OpenAIProvider, Script

CONFIG = re.compile(r"^c\.\w", re.MULTILINE)
#: Classes of others that a page configures.
OTHERS = {"JupyterHub", "ServerApp"}
#: What the pages import as well: imported here, it holds no event loop.
IMPORTED = (LangChainHandler, as_tool, check_stops)


def shown() -> list[Block]:
    """Return the blocks that are run here."""
    return [each for each in blocks("python") if each.runs_here]


CONFIGS = [each for each in shown() if CONFIG.search(each.text)]
MODULES = {
    page: [each for each in shown() if each.page == page and each not in CONFIGS]
    for page in {each.page for each in shown() if each not in CONFIGS}
}


@pytest.mark.parametrize("block", CONFIGS, ids=str)
def test_settings_are_taken(block: Block, tmp_path: Path) -> None:
    """By the loader that reads the file, and by the chat, which refuses what is wrong."""
    (tmp_path / "jupyter_server_config.py").write_text(block.text, encoding="utf-8")
    loaded = PyFileConfigLoader("jupyter_server_config.py", str(tmp_path)).load_config()
    assert loaded
    assert loaded.keys() <= {"StopChatApp", *OTHERS}
    app = StopChatApp()
    app.update_config(Config(StopChatApp=loaded.get("StopChatApp", {})))
    for name in loaded.get("StopChatApp", {}):
        assert app.trait_metadata(name, "config")


def test_a_setting_that_is_wrong_is_not_taken() -> None:
    with pytest.raises(Exception, match=r"there is no StopChatApp\.lock_modle"):
        StopChatApp().update_config(Config(StopChatApp={"lock_modle": True}))


def module(page: str, given: dict[str, Any]) -> ModuleType:
    """Run the blocks of a page one after another, in one module."""
    made = ModuleType(f"shown_in_{Path(page).stem.replace('-', '_')}")
    made.__dict__.update(given)
    for each in MODULES[page]:
        exec(compile(each.text, str(each), "exec"), made.__dict__)
    return made


def test_each_page_is_run() -> None:
    assert MODULES.keys() == {"docs/building/tools.md", "docs/using/providers.md"}


async def test_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one of ours, by the name and the arguments that the page gives it."""

    async def look_up(city: str) -> str:
        return f"rain in {city}"

    made = module("docs/building/tools.md", {"look_up": look_up})
    monkeypatch.setitem(sys.modules, "weather_tools", made)
    (offered,) = made.tools
    assert isinstance(offered, Tool)
    assert (offered.name, offered.touches) == ("forecast", "reads")
    assert list(offered.parameters["properties"]) == ["city"]
    assert await made.forecast.ainvoke({"city": "Bergen"}) == "rain in Bergen"


@pytest.fixture
def openai(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIProvider]:
    """Stand in for OpenAI."""
    with OpenAIProvider(Script(tokens=2000, rate=200)).in_thread() as provider:
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
            monkeypatch.setenv(name, provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
        yield provider


@pytest.mark.may_hold_the_loop("an agent is built here, which the chat does in a thread")
async def test_the_agent_and_the_check_of_its_stop(openai: OpenAIProvider) -> None:
    """V1: what the page has an author put into their tests holds, and what it says of agents."""

    @tool
    async def search(words: str) -> str:
        """Search."""
        return words

    made = module("docs/using/providers.md", {"search": search})
    await made.test_stop()
    report = await check_stops(LangChainHandler(made.make("anything")))
    closed = [phase.provider for phase in report.phases]
    assert closed == ["unconfirmed", "closed", "closed", "closed"]
    assert openai.requests
