"""A real browser on a real JupyterLab, with a real model and with one that follows a script."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Request, sync_playwright

from tests.aids.weights import local_model_data_dir
from tests.browser.agent_package import write_agent
from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab, page_asking
from tests.browser.watched import forget_forbidden
from tests.providers import OpenAIProvider

__all__ = ["local_model_data_dir"]

#: Where screenshots go, for who looks at a run with `STOP_CHAT_SCREENSHOTS=1`. Git ignores it.
ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "screenshots"

CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine has a name: what a page asks of another host goes nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
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


#: What a text would call that could run something, and how often that was.
CANARY = "window.canaries = 0; window.canary = () => { window.canaries += 1; };"


#: What a failed test left in the page that the others share is nobody's to put away.
SPOILT = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what the page shows when a test fails in it, and keep a screenshot."""
    report = yield
    if report.failed:
        item.session.stash[SPOILT] = True
    pages = [one for one in item.funcargs.values() if isinstance(one, ChatPage)]
    if report.failed and call.when == "call":
        for chat in pages:
            with suppress(Error):  # the page may be gone
                report.sections.append(("the page", chat.page.evaluate(STATE)))
                chat.save_shot(f"failed-{item.name}")
    return report


@pytest.fixture(autouse=True)
def jp_asyncio_loop() -> None:
    """Make no event loop: Playwright runs one of its own in this thread."""


@pytest.fixture(autouse=True)
def jp_server_cleanup() -> None:
    """Clean nothing up: the server here is a process."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium, else Playwright's own.

    Playwright's event loop runs in this thread until the end: no test that has a loop of its own
    may come after (`pytest_collection_modifyitems` sees to it).
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGS)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model on loopback."""
    with OpenAIProvider().in_thread() as made:
        yield made


@pytest.fixture(scope="module")
def provider(shared_provider: OpenAIProvider) -> OpenAIProvider:
    """Return the model on loopback, which says what it says by itself."""
    shared_provider.forget()
    return shared_provider


@pytest.fixture(scope="session")
def shared_lab(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: OpenAIProvider
) -> Iterator[Lab]:
    """Start JupyterLab, its default model the loopback one: a start takes seconds.

    Beside it, a package with an agent is installed.
    """
    packages = tmp_path_factory.mktemp("site")
    write_agent(packages, shared_provider.base_url)
    config = page_asking(shared_provider.base_url)
    made = Lab(tmp_path_factory.mktemp("lab"), config, packages=packages)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def lab(shared_lab: Lab) -> Lab:
    """Return the JupyterLab that all share, without a chat; a module may have one of its own."""
    shared_lab.delete_chats()
    return shared_lab


class Pages:
    """What keeps one page open, whose browser has JupyterLab's files at hand by then."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._lab: Lab | None = None
        self._opened = ExitStack()
        self._page: tuple[ChatPage, Watch] | None = None

    def of(self, lab: Lab) -> tuple[ChatPage, Watch]:
        """Return a page of that JupyterLab."""
        if self._page is None or self._lab is not lab:
            self.close()
            lab.set({})
            self._page = self._opened.enter_context(watched_page(self._browser, lab))
            self._lab = lab
        return self._page

    def tidied(self, lab: Lab) -> tuple[ChatPage, Watch]:
        """Return a page of that JupyterLab, tidied: its load takes longer than most tests."""
        page = self.of(lab)
        page[0].tidy()
        return page

    def close(self) -> None:
        """Close the page."""
        self._opened.close()
        self._page = None


@pytest.fixture(scope="session")
def pages(browser: Browser) -> Iterator[Pages]:
    """Keep a page open."""
    made = Pages(browser)
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_page(pages: Pages, lab: Lab) -> None:
    """Tidy the page before a module's first test."""
    pages.tidied(lab)


@pytest.fixture
def chat(
    pages: Pages, lab: Lab, module_page: None, request: pytest.FixtureRequest
) -> Iterator[ChatPage]:
    """Show a new chat, with nothing in it, in the module's page."""
    if request.session.stash.get(SPOILT, False):
        request.session.stash[SPOILT] = False
        pages.close()
    chat, watch = pages.of(lab)
    chat.begin_anew()
    yield chat
    watch.check()


@pytest.fixture
def closed(pages: Pages, lab: Lab) -> Iterator[None]:
    """Close what a test opened in the main area, and show the sidebar again."""
    yield
    pages.of(lab)[0].close_documents()


@pytest.fixture
def fresh(browser: Browser, lab: Lab) -> Iterator[ChatPage]:
    """Open a page of its own, in a fresh profile: for tests of the start."""
    lab.set({})
    yield from open_chat(browser, lab)


#: JupyterLab's own: a splash shown twice within 200 ms is taken away twice, by a timer that stands
#: alone on the stack. On a slow machine the theme's splash comes so soon after the start's.
SPLASH = re.compile(
    r"NotFoundError: Failed to execute 'removeChild'[^\n]*\n[^\n]*/jlab_core\.[^\n]*"
)
#: JupyterLab's own as well: a document was closed while its kernel began. All that stands on the
#: stack is JupyterLab's.
_OF_JUPYTERLAB = r"\n[^\n]*/jlab_core\.[^\n]*"
DISPOSED = re.compile(
    rf"Error: Disposed\n[^\n]*\._handleNewSession {_OF_JUPYTERLAB[2:]}({_OF_JUPYTERLAB})*"
)
#: And this: a notebook is closed, and in the next frame what is gone is to watch its cells.
WATCHED = re.compile(
    r"TypeError: Cannot read properties of null \(reading 'observe'\)"
    r"(\n    at ([^\n]*/jlab_core\.[^\n]*|[^\n]*<anonymous>\)))+"
)


@dataclass
class Watch:
    """What notes what must not happen in a page: errors, and requests to other hosts."""

    strangers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def note(self, error: Error) -> None:
        """Keep an error of the page, unless it is JupyterLab's own."""
        told = error.stack or str(error)
        if not any(each.fullmatch(told) for each in (SPLASH, DISPOSED, WATCHED)):
            self.errors.append(told)

    def check(self) -> None:
        """Fail if any of it happened."""
        assert self.strangers == []
        assert self.errors == []


@contextmanager
def watched_page(browser: Browser, lab: Lab) -> Iterator[tuple[ChatPage, Watch]]:
    """Open a page in a fresh profile; requests to other hosts are counted."""
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.add_init_script(CANARY)
    page = context.new_page()
    chat = ChatPage(page, lab, ARTIFACTS)
    watch = Watch()

    ours = (f"http://127.0.0.1:{lab.port}/", "data:", "blob:")

    def look(request: Request) -> None:
        if not request.url.startswith((*ours, *chat.allowed)):
            watch.strangers.append(request.url)

    # Not by a route: with one, a browser keeps no copy of what it has loaded.
    page.on("request", look)
    page.on("requestfailed", lambda request: forget_forbidden(request, watch.strangers))
    page.on("pageerror", watch.note)
    chat.load()
    yield chat, watch
    context.close()


def open_chat(browser: Browser, lab: Lab) -> Iterator[ChatPage]:
    """Open one more page in a fresh profile."""
    with watched_page(browser, lab) as (chat, watch):
        yield chat
        watch.check()
