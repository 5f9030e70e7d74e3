"""A real browser on a real JupyterLab, with a real model and with one that follows a script."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Route, sync_playwright

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab, page_asking
from tests.providers import OpenAIProvider
from tests.weights import local_model_data_dir

__all__ = ["local_model_data_dir"]

#: Where screenshots go, for who looks at a run. Git ignores it.
ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "screenshots"

CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


#: What a person would look at first when a press or a key had no effect.
STATE = """
() => JSON.stringify({
  focus: document.activeElement?.outerHTML.slice(0, 200),
  inFront: [...document.querySelectorAll('.jp-Dialog, .lm-Menu, #jupyterlab-splash')].map(
    node => node.className + ': ' + node.textContent.slice(0, 200)),
  panels: [...document.querySelectorAll('.jp-StopChat-panel')].map(
    node => node.textContent.slice(-400)),
}, null, 1)
"""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what the page shows when a test fails in it, and keep a screenshot."""
    report = yield
    pages = [one for one in item.funcargs.values() if isinstance(one, ChatPage)]
    if report.failed and call.when == "call":
        for chat in pages:
            with suppress(Error):  # the page may be gone
                report.sections.append(("the page", chat.page.evaluate(STATE)))
                chat.shot(f"failed-{item.name}")
    return report


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """Make no event loop: Playwright runs one of its own in this thread."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Clean nothing up: the server here is a process."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, else Playwright's own.

    For each module anew: Playwright's event loop runs in this thread until it is closed, and no
    other test could run one meanwhile.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model on loopback."""
    with OpenAIProvider().in_thread() as made:
        yield made


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, provider: OpenAIProvider, request: Any
) -> Iterator[Lab]:
    """Start JupyterLab, its default model the loopback one."""
    made = Lab(tmp_path_factory.mktemp("lab"), page_asking(provider.base_url))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def module_page(browser: Browser, lab: Lab) -> Iterator[tuple[ChatPage, Watch]]:
    """Open a page once: to load JupyterLab takes longer than most tests."""
    lab.set({})
    with watched_page(browser, lab) as opened:
        yield opened


@pytest.fixture
def chat(module_page: tuple[ChatPage, Watch]) -> Iterator[ChatPage]:
    """Show a new chat, with nothing in it, in the module's page."""
    chat, watch = module_page
    chat.begin_anew()
    yield chat
    watch.check()


@pytest.fixture
def fresh(browser: Browser, lab: Lab) -> Iterator[ChatPage]:
    """Open a page of its own, in a fresh profile: for tests of tabs, notebooks and the start."""
    lab.set({})
    yield from open_chat(browser, lab)


#: JupyterLab's own: a splash shown twice within 200 ms is taken away twice, by a timer that stands
#: alone on the stack. On a slow machine the theme's splash comes so soon after the start's.
SPLASH = re.compile(
    r"NotFoundError: Failed to execute 'removeChild'[^\n]*\n[^\n]*/jlab_core\.[^\n]*"
)


@dataclass
class Watch:
    """What notes what must not happen in a page: errors, and requests to other hosts."""

    strangers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, error: Error) -> None:
        """Keep an error of the page, unless it is JupyterLab's own."""
        told = error.stack or str(error)
        if SPLASH.fullmatch(told) is None:
            self.errors.append(told)

    def check(self) -> None:
        """Fail if any of it happened."""
        assert self.strangers == []
        assert self.errors == []


@contextmanager
def watched_page(browser: Browser, lab: Lab) -> Iterator[tuple[ChatPage, Watch]]:
    """Open a page in a fresh profile; requests to other hosts are counted and refused."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    watch = Watch()

    def only_ours(route: Route) -> None:
        if f"//127.0.0.1:{lab.port}/" in route.request.url:
            route.continue_()
        else:
            watch.strangers.append(route.request.url)
            route.abort()

    page.route("**/*", only_ours)
    page.on("pageerror", watch.note)
    chat = ChatPage(page, lab, ARTIFACTS)
    chat.load()
    yield chat, watch
    context.close()


def open_chat(browser: Browser, lab: Lab) -> Iterator[ChatPage]:
    """Open one more page in a fresh profile."""
    with watched_page(browser, lab) as (chat, watch):
        yield chat
        watch.check()
