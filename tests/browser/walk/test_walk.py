"""What a person does with the chat in their first two days, by mouse and by keyboard alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import AXE, violations
from tests.browser.chat_page import LIGHT, ChatPage
from tests.browser.conftest import watched_page
from tests.browser.lab import Lab
from tests.browser.walk.hands import Hands, Keyboard, Mouse
from tests.providers import OpenAIProvider, Request, Script

pytestmark = pytest.mark.browser

KEY = "sk-of-mine"
CODE = "prices = [3, 4, 5]\nprint(sum(prices) / len(price))"
CODED = (
    f"This takes the mean of three prices:\n\n```python\n{CODE}\n```\n\nRun it to see the mean."
)
MENDED = (
    "The name `price` is not defined: the list is called `prices`.\n\n"
    "```python\nprint(sum(prices) / len(prices))\n```\n\n"
)
STORY = [f"Sentence {number} of a long explanation. " for number in range(200)]
SHOWN = 12
#: All in which each station is looked at.
THEMES = {
    "light": LIGHT,
    "dark": "JupyterLab Dark",
    "contrast": "JupyterLab Dark High Contrast",
}
WIDTHS = (250, 350, 1000)


class Model:
    """What answers as a model would that one asks about a mean."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.story = Script(tokens=[MENDED, *STORY], stall_after=SHOWN)

    def __call__(self, request: Request) -> Script:
        """Answer one request."""
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return Script(trouble="bad_key")
        said = request.body["messages"]
        self.asked.append(str(said[-1]["content"]))
        if len(said) > 4:  # instructions, and two turns
            return Script(tokens=["And that ", "was all."])
        return self.story if "NameError" in self.asked[-1] else Script(tokens=[CODED])


@pytest.fixture
def model() -> Model:
    """Make what answers."""
    return Model()


@pytest.fixture
def openai(model: Model) -> Iterator[OpenAIProvider]:
    """Stand in for OpenAI, whose models one key alone may see."""
    with OpenAIProvider(model).in_thread() as provider:
        provider.key = KEY
        yield provider


@pytest.fixture
def lab(tmp_path: Path, openai: OpenAIProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Start JupyterLab with nothing set up at all."""
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENAI_BASE_URL", openai.base_url)
    monkeypatch.setenv("OPENAI_API_BASE", openai.base_url)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    config = {
        "StopChatApp": {"open_chat": True, "titles": "prompt"},
        "LabApp": {"expose_app_in_browser": True},
    }
    made = Lab(tmp_path, config, whole=True)
    made.start()
    yield made
    # Jupyter Server never ends where it is ended amid a request for a file: a thread of AnyIO's
    # waits on. Nothing is looked at any more.
    assert made.process is not None
    made.process.kill()
    made.process.wait(20)


# Each step has a test of its own elsewhere, by mouse and by keyboard (`models`, and
# `jupyterlab/test_accessibility`); the whole takes longer than any other test.
@pytest.mark.stress
@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_the_first_two_days(by: str, browser: Browser, lab: Lab, model: Model) -> None:
    """L6, J1, U1, U3, U6, U26, U27: from nothing to a notebook of what was said."""
    with watched_page(browser, lab) as (chat, watch):
        hands = Mouse(chat) if by == "mouse" else Keyboard(chat)
        chat.page.evaluate(AXE.read_text())
        look = Look(chat, by)
        _first_day(chat, hands, look, model)
        watch.check()
    lab.stop()
    _a_day_passes(lab)
    lab.start()
    with watched_page(browser, lab) as (chat, watch):
        hands = Mouse(chat) if by == "mouse" else Keyboard(chat)
        chat.page.evaluate(AXE.read_text())
        _second_day(chat, hands, Look(chat, by))
        watch.check()


class Look:
    """What looks at a station of the walk: axe-core, and who reads the screenshots."""

    def __init__(self, chat: ChatPage, by: str) -> None:
        self._chat = chat
        self._by = by

    def at(self, name: str) -> None:
        """Look at what is there now."""
        assert violations(self._chat) == [], name
        if not os.environ.get("STOP_CHAT_SCREENSHOTS") or self._by != "mouse":
            return
        for theme, of_lab in THEMES.items():
            self._chat.theme(of_lab)
            for width in WIDTHS:
                self._chat.width(width)
                self._chat.shot(f"walk-{name}-{width}-{theme}")
                assert violations(self._chat) == [], (name, theme, width)
        self._chat.theme(LIGHT)
        self._chat.width(420)


def _first_day(chat: ChatPage, hands: Hands, look: Look, model: Model) -> None:
    page = chat.page
    picker = page.locator("button.jp-StopChat-model")
    expect(picker).to_have_text("No model yet")
    look.at("1-nothing")

    hands.to_chat()
    hands.press(picker)
    hands.press(page.get_by_role("button", name="Add a key for OpenAI"))
    field = page.locator(".jp-Dialog input[name=key]")
    expect(field).to_be_focused()
    page.keyboard.type(KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_text("OpenAI accepts the key.").first).to_be_visible()
    hands.press(page.locator(".jp-StopChat-choice[title='openai:gpt-test']"))
    expect(picker).to_contain_text("gpt-test")
    expect(chat.input).to_be_focused()
    look.at("2-key-added")

    page.keyboard.type("How do I take a mean?")
    page.keyboard.press("Enter")
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(chat.reply()).to_contain_text("Run it to see the mean.")
    look.at("3-first-answer")

    hands.press(chat.replies.last.get_by_role("button", name="Insert"))
    notice = page.locator(".Toastify__toast")
    hands.press(notice.get_by_role("button", name="New notebook with this code"))
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell").first
    expect(cell).to_contain_text("prices")
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")
    page.wait_for_function("document.activeElement.closest('.jp-NotebookPanel') !== null")
    page.keyboard.press("Control+Enter")
    expect(cell).to_contain_text("NameError")
    look.at("4-code-run")

    hands.to_chat()
    hands.choose(page.get_by_role("button", name="Attach"), "Attach the Active Cell")
    expect(chat.attached).to_contain_text(["Cell 1 of Untitled.ipynb"])
    hands.to_chat()
    page.keyboard.type("Why does this fail?")
    page.keyboard.press("Enter")
    expect(chat.reply()).to_contain_text(f"Sentence {SHOWN - 2} of")
    # What can be done to an earlier reply is seen where one points to it.
    page.mouse.move(0, 0)
    for tool in chat.replies.first.locator(".jp-StopChat-replyTools > button").all():
        expect(tool).to_have_css("opacity", "0")
    look.at("5-error-asked-about")
    assert "NameError" in model.asked[-1]

    hands.stop()
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.input).to_have_value("Why does this fail?")
    expect(chat.input).to_be_focused()
    look.at("6-stopped")
    chat.input.press("Control+A")
    page.keyboard.press("Delete")

    hands.press(chat.replies.last.get_by_role("button", name="Continue"))
    expect(chat.reply()).to_contain_text("And that was all.")
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    assert chat.replies.count() == 2
    look.at("7-gone-on-with")
    page.evaluate("window.jupyterapp.shell.currentWidget.context.save()")


def _a_day_passes(lab: Lab) -> None:
    """Let all that was written be a day older."""
    with closing(sqlite3.connect(lab.data / "stop-chat" / "chats.sqlite")) as database, database:
        for chat_id, written in database.execute("SELECT id, updated_at FROM chats").fetchall():
            earlier = datetime.fromisoformat(written) - timedelta(days=1)
            database.execute(
                "UPDATE chats SET updated_at = ? WHERE id = ?",
                (earlier.isoformat(timespec="milliseconds").replace("+00:00", "Z"), chat_id),
            )


def _second_day(chat: ChatPage, hands: Hands, look: Look) -> None:
    page = chat.page
    hands.to_chat()
    hands.press(page.get_by_role("button", name="Chats", exact=True))
    expect(page.get_by_role("heading", name="Yesterday")).to_be_visible()
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("long explanation")
    found = page.locator(".jp-StopChat-chat", has_text="How do I take a mean?")
    expect(found).to_contain_text("of a long explanation")
    look.at("8-found-again")
    hands.press(found)
    expect(chat.reply()).to_contain_text("And that was all.")

    hands.choose(page.get_by_role("button", name="More actions"), "Export Chat as Notebook")
    notebook = page.locator(".jp-NotebookPanel")
    expect(notebook).to_contain_text("How do I take a mean?")
    expect(notebook).to_contain_text("And that was all.")
    look.at("9-exported")
