"""A JupyterHub and a browser in front of its proxy; `make hub` runs what is here, alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from textwrap import dedent

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import (
    ARTIFACTS,
    browser,
    jp_asyncio_loop,
    jp_server_cleanup,
    pytest_runtest_makereport,
    shared_provider,
)
from tests.browser.lab import page_asking
from tests.hub.hub import ROOT, Hub
from tests.providers import OpenAIProvider

__all__ = [
    "browser",
    "jp_asyncio_loop",
    "jp_server_cleanup",
    "pytest_runtest_makereport",
    "shared_provider",
]

#: Press the button, and return after how many milliseconds it sends again.
PRESS = """
() => new Promise(resolve => {
  const button = document.querySelector('.jp-StopChat-button');
  const began = performance.now();
  const observer = new MutationObserver(() => {
    if (button.dataset.mode === 'send') {
      observer.disconnect();
      resolve(performance.now() - began);
    }
  });
  observer.observe(button, {attributes: true});
  button.click();
})
"""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave all of it out unless it is asked for."""
    return None if "hub" in config.option.markexpr.split() else True


def shown(page: str, beginning: str) -> str:
    """Return the Python that a page of the documentation shows, by how it begins."""
    text = (ROOT / "docs" / "running" / f"{page}.md").read_text()
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    (found,) = [block for _, block in blocks if dedent(block).startswith(beginning)]
    return dedent(found)


@pytest.fixture(scope="session")
def hub(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: OpenAIProvider
) -> Iterator[Hub]:
    """Start JupyterHub."""
    config = page_asking(shared_provider.base_url)
    service = shown("deployment", "# /etc/jupyter/shared_chat_config.py")
    # It reads this file alone: no home's.
    service += f"\nfrom traitlets.config import Config\n\nc.merge(Config({config!r}))\n"
    made = Hub(tmp_path_factory.mktemp("hub"), config, service)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def provider(shared_provider: OpenAIProvider) -> OpenAIProvider:
    """Return the model on loopback, which says what it says by itself."""
    shared_provider.forget()
    return shared_provider


class Desk:
    """A person's browser, signed in at the hub."""

    def __init__(self, hub: Hub, context: BrowserContext, person: str) -> None:
        self.hub = hub
        self.context = context
        self.person = person
        page = context.new_page()
        page.goto(f"{hub.url}hub/login")
        page.get_by_label("Username").fill(person)
        page.get_by_label("Password").fill(hub.password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/hub/login" not in url)
        page.close()

    def chat(self, name: str = "") -> ChatPage:
        """Open JupyterLab of a server of theirs that runs, and its chat."""
        return self.chat_at(self.hub.server(self.person, name))

    def chat_at(self, address: str) -> ChatPage:
        """Open JupyterLab of a server by its address, and its chat."""
        made = ChatPage(self.context.new_page(), Lab(address), ARTIFACTS)
        made.load()
        return made


class Lab:
    """What a page asks about the JupyterLab that it shows."""

    def __init__(self, root: str) -> None:
        self.root = root

    @property
    def url(self) -> str:
        """Return the page's address, as it is without what was open before."""
        return f"{self.root}lab?reset"


@pytest.fixture
def desk(hub: Hub, browser: Browser) -> Iterator[Callable[[str], Desk]]:
    """Sign people in, each with a browser of their own; their servers run."""
    with ExitStack() as opened:

        def sign_in(person: str) -> Desk:
            hub.start_server(person)
            context = browser.new_context(viewport={"width": 1200, "height": 800})
            opened.callback(context.close)
            return Desk(hub, context, person)

        yield sign_in
