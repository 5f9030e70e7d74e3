"""A model's words run nothing, fetch nothing and steer nothing, in pieces and whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import ARTIFACTS
from tests.browser.hostile_texts import HOSTILE
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

SHOW = Path(__file__).with_name("hostile.js").read_text()

CANARY = "window.canaries = 0; window.canary = () => { window.canaries += 1; };"


class Watched:
    """Be a page whose every request, dialog and new window is noted."""

    def __init__(self, browser: Browser, lab: Lab) -> None:
        self.strangers: list[str] = []
        self.odd: list[str] = []
        self.dialogs: list[str] = []
        self.pages: list[Page] = []
        self._lab = lab
        self.context = browser.new_context(viewport={"width": 1200, "height": 800})
        self.context.route("**/*", self._only_ours)
        self.context.add_init_script(CANARY)
        self.page = self.context.new_page()
        self.context.on("page", self._opened)
        self.page.on("dialog", self._refuse)
        self.chat = ChatPage(self.page, lab, ARTIFACTS)
        self.chat.load()
        self.page.on("request", self._note)

    def expect_nothing(self) -> None:
        """Find that nothing ran, went out, asked, opened or left."""
        assert self.page.evaluate("window.canaries") == 0
        assert self.strangers == []
        assert self.odd == []
        assert self.dialogs == []
        assert self.pages == []
        assert urlsplit(self.page.url).path == "/lab"

    def _only_ours(self, route: Route) -> None:
        if f"//127.0.0.1:{self._lab.port}/" in route.request.url:
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def _note(self, request: Request) -> None:
        # A reply's address must not be asked of our own server either: some do things.
        path = urlsplit(request.url).path
        if "logout" in path or path.endswith(("/x", "/x.png")):
            self.odd.append(request.url)

    def _opened(self, page: Page) -> None:
        self.pages.append(page)

    def _refuse(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def watched(browser: Browser, lab: Lab) -> Iterator[Watched]:
    """Open the page."""
    lab.set({})
    made = Watched(browser, lab)
    yield made
    made.context.close()


def test_nothing_of_a_text_runs_or_is_fetched(watched: Watched) -> None:
    """However it is disguised, in pieces, stopped, and whole."""
    assert len(HOSTILE) >= 60
    found = watched.page.evaluate(SHOW, HOSTILE)
    assert found == []
    watched.expect_nothing()


def test_a_hostile_reply_leaves_the_chat_usable(
    watched: Watched, provider: OpenAIProvider
) -> None:
    """L11: all of it in one reply, from the model to the page and again after a reload."""
    text = "".join(f"\n\n## {name}\n\n{each}\n\n" for name, each in HOSTILE.items())
    pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
    provider.script = Script(tokens=[*pieces, "The end."], rate=400)
    chat = watched.chat
    chat.ask("Say something evil")
    expect(chat.reply()).to_contain_text("The end.")
    chat.expect_mode("send")
    watched.expect_nothing()
    chat.load_again()
    expect(chat.reply()).to_contain_text("The end.")
    watched.expect_nothing()
    # What it drew hides nothing: the button is on top, and Esc is the chat's.
    provider.script = Script(tokens=100_000, rate=60)
    chat.ask("Go on")
    chat.expect_mode("stop")
    expect(chat.replies).to_have_count(2)
    chat.wait_for_text(20)
    top = chat.button.evaluate(
        """button => {
          const {x, y, width, height} = button.getBoundingClientRect();
          return button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
        }"""
    )
    assert top
    # From the input: the launcher takes the focus when it opens, long after a slow reload.
    chat.input.press("Escape")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()


def test_a_link_opens_outside_and_knows_nothing_of_us(
    watched: Watched, provider: OpenAIProvider
) -> None:
    """In a window of its own, without a way back to this one."""
    provider.script = Script(tokens=["[there](", "https://evil.example/)"])
    chat = watched.chat
    chat.ask("Where?")
    chat.expect_mode("send")
    with watched.context.expect_page() as opened:
        chat.reply().get_by_role("link", name="there").click()
    expect(chat.input).to_be_visible()
    assert urlsplit(watched.page.url).path == "/lab"
    assert opened.value.evaluate("window.opener") is None
    assert watched.strangers == ["https://evil.example/"]


def test_a_remote_image_is_fetched_by_a_click_alone(
    watched: Watched, provider: OpenAIProvider
) -> None:
    """And the button says from where."""
    provider.script = Script(tokens=["![a chart](", "https://evil.example/a.png)", " done"])
    chat = watched.chat
    chat.ask("Show me")
    expect(chat.reply()).to_contain_text("done")
    chat.expect_mode("send")
    watched.expect_nothing()
    with watched.page.expect_request("https://evil.example/a.png") as asked:
        chat.reply().get_by_role("button", name="evil.example").click()
    assert "referer" not in asked.value.headers
