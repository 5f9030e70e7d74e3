"""A JupyterLab with other extensions, with ours and without; `make together` runs it, alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import (
    ARTIFACTS,
    browser,
    jp_asyncio_loop,
    jp_server_cleanup,
    pytest_runtest_makereport,
    shared_provider,
)
from tests.browser.lab import Lab, page_asking
from tests.providers import OpenAIProvider

__all__ = [
    "browser",
    "jp_asyncio_loop",
    "jp_server_cleanup",
    "pytest_runtest_makereport",
    "shared_provider",
]

ROOT = Path(__file__).parents[2]
PYTHON = str(ROOT / ".together" / "bin" / "python")
FACTS = Path(__file__).with_name("facts.js").read_text(encoding="utf-8")
#: What jupyter-collaboration asks where the machine is slow, and what is answered.
SLOW_DOCUMENT, GO_ON_WAITING = "taking some time to load", "Continue waiting"
#: The others' own, by which the page is known to have them.
OTHERS = (
    "@jupyter-ai/persona-manager",
    "@jupyter/collaboration-extension",
    "@jupyter-server/resource-usage",
    "@jupyterlab/git",
    "@plmbr/notebook-intelligence",
    "jupyterlab-chat-extension",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave all of it out unless it is asked for."""
    return None if "together" in config.option.markexpr.split() else True


@dataclass
class Seen:
    """What a page of JupyterLab has and says."""

    places: list[str] = field(default_factory=list)
    styles: dict[str, list[str]] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    #: What it wrote to the console as a warning or an error, and errors that nobody caught.
    console: list[str] = field(default_factory=list)


def listen(page: Page, said: list[str]) -> None:
    """Note what a page says that is wrong."""
    page.on(
        "console",
        lambda message: (
            said.append(f"{message.type}: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on("pageerror", lambda error: said.append(f"uncaught: {error.stack or error}"))


def looked_at(browser: Browser, lab: Lab, name: str) -> Seen:
    """Open a page, and look at each of the others' places in it."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    seen = Seen()
    listen(page, seen.console)
    page.goto(lab.url, wait_until="domcontentloaded")
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
    expect(page.locator(".jp-Launcher-body")).to_be_visible()
    facts = page.evaluate(FACTS)
    seen.places, seen.styles, seen.keys = facts["places"], facts["styles"], facts["keys"]
    listed = page.evaluate(
        "JSON.parse(document.getElementById('jupyter-config-data').textContent)"
        ".federated_extensions.map(each => each.name)"
    )
    seen.extensions = sorted(listed)
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"together-{name}.png")
    context.close()
    return seen


@pytest.fixture(scope="session")
def without(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Seen:
    """Look at the others alone: ours is installed, and off."""
    config = {
        "LabApp": {"expose_app_in_browser": True},
        "ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": False}},
    }
    folder = tmp_path_factory.mktemp("without")
    lab = Lab(folder, config, whole=True)
    lab.python = PYTHON
    labconfig = folder / "config" / "labconfig"
    labconfig.mkdir()
    (labconfig / "page_config.json").write_text(
        '{"disabledExtensions": {"jupyter-stop-chat": true}}'
    )
    lab.start()
    try:
        return looked_at(browser, lab, "without")
    finally:
        lab.stop()


@pytest.fixture(scope="session")
def lab(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: OpenAIProvider, without: Seen
) -> Iterator[Lab]:
    """Start JupyterLab with the others and ours, after the one without: memory is short."""
    config = page_asking(shared_provider.base_url)
    config["StopChatApp"]["open_chat"] = False
    made = Lab(tmp_path_factory.mktemp("with"), config, whole=True)
    made.python = PYTHON
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def beside(browser: Browser, lab: Lab) -> Seen:
    """Look at the others beside ours."""
    return looked_at(browser, lab, "with")


@pytest.fixture
def provider(shared_provider: OpenAIProvider) -> OpenAIProvider:
    """Return the model on loopback, which says what it says by itself."""
    shared_provider.forget()
    return shared_provider


@pytest.fixture
def said() -> list[str]:
    """Return where the page's console is noted."""
    return []


@pytest.fixture
def chat(browser: Browser, lab: Lab, said: list[str]) -> Iterator[ChatPage]:
    """Open the chat in a page with all of them."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    made = ChatPage(context.new_page(), lab, ARTIFACTS)
    listen(made.page, said)
    # Where the machine is slow, jupyter-collaboration asks what to do about a document.
    slow = made.page.get_by_role("dialog").filter(has_text=SLOW_DOCUMENT)
    made.page.add_locator_handler(
        slow, lambda: slow.get_by_role("button", name=GO_ON_WAITING).click()
    )
    made.page.goto(lab.url, wait_until="domcontentloaded")
    made.page.locator("#jupyterlab-splash").wait_for(state="detached")
    made.wait_for_launcher()
    made.command("stop-chat:open")
    expect(made.input).to_be_editable()
    yield made
    context.close()
