"""The states of a chat, as docs/pictures.md shows them; each is decided by tests of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.agent_package import write_agent
from tests.browser.axe import AXE, violations
from tests.browser.cells.notebook import NotebookPage
from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab, page_asking
from tests.providers import OpenAIProvider, Script

pytestmark = [
    pytest.mark.browser,
    pytest.mark.stress,
    pytest.mark.usefixtures("closed"),
]

PROMPT = "What is a closure?"
#: What is told of it, over and over: nobody waits for its end.
WORDS = [
    f"{word} "
    for word in (
        "A closure is a function that keeps the names of the place in which it was made. " * 40
    ).split()
]
LONG = Script(tokens=WORDS, stall_after=30)
CODE = "squares = [n * n for n in range(10)]\nprint(squares)"


@pytest.fixture(scope="module")
def ship(tmp_path_factory: pytest.TempPathFactory, shared_provider: OpenAIProvider) -> Path:
    """Install a package whose model goes on until this file is there."""
    return write_agent(tmp_path_factory.mktemp("site"), shared_provider.base_url)


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, shared_provider: OpenAIProvider, ship: Path
) -> Iterator[Lab]:
    """Start JupyterLab beside that package."""
    config = page_asking(shared_provider.base_url)
    made = Lab(tmp_path_factory.mktemp("lab"), config, packages=ship.parent)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def page(chat: ChatPage, provider: OpenAIProvider) -> Iterator[ChatPage]:
    """Show the chat in a window that a picture has room for."""
    chat.page.set_viewport_size({"width": 900, "height": 560})
    chat.width(420)
    chat.page.evaluate(AXE.read_text())
    yield chat
    provider.forget()
    chat.page.set_viewport_size({"width": 1200, "height": 800})


def look(chat: ChatPage, name: str) -> None:
    """Look at what is there now: axe-core, and who reads the screenshots."""
    chat.page.mouse.move(890, 550)
    assert violations(chat) == [], name
    chat.shot(f"chat-{name}")


def test_before_the_first_word_and_while_it_is_stopped(
    page: ChatPage, provider: OpenAIProvider
) -> None:
    """V3, V8: waited for, stopping, stopped."""
    provider.script = Script(stall="before_headers")
    page.ask(PROMPT)
    page.expect_mode("stop")
    expect(page.replies).to_have_count(1)
    look(page, "1-waiting")
    page.hold_stops()
    page.button.click()
    page.expect_mode("stopping")
    look(page, "2-stopping")
    page.release_stops()
    page.expect_mode("send")
    expect(page.stopped_line).to_contain_text("Response stopped by the user")
    look(page, "3-stopped")


def test_a_server_that_cannot_be_reached(page: ChatPage, provider: OpenAIProvider) -> None:
    """V3: no stop is claimed that did not happen."""
    provider.script = LONG
    page.ask(PROMPT)
    page.wait_for_text(80)
    page.cut_connection()
    expect(page.banner).to_contain_text("Connection lost")
    page.button.click()
    expect(page.failed_line).to_contain_text("Could not stop")
    look(page, "4-could-not-stop")
    page.mend_connection()
    page.banner.get_by_role("button", name="Reconnect now").click()
    expect(page.banner).to_have_count(0)
    page.failed_line.get_by_role("button", name="Retry").click()
    expect(page.stopped_line).to_contain_text("Response stopped by the user")


def test_prompts_that_wait(page: ChatPage, provider: OpenAIProvider) -> None:
    """B10: above the input; Stop pauses them."""
    provider.script = LONG
    page.ask(PROMPT)
    page.wait_for_text(80)
    for words in ("Show me one in Python", "And one in JavaScript"):
        page.ask(words)
    expect(page.queue).to_have_count(2)
    look(page, "5-queue")
    page.button.click()
    page.expect_mode("send")
    expect(page.panel.get_by_role("button", name="Send next")).to_be_visible()
    look(page, "6-queue-paused")
    page.page.keyboard.press("Escape")
    page.command("stop-chat:clear-queue")
    expect(page.queue).to_have_count(0)


def test_what_a_provider_refuses_and_what_it_cuts(
    page: ChatPage, provider: OpenAIProvider
) -> None:
    """T1, V3: a failure with what helps, and an answer that was cut at the model's limit."""
    provider.script = Script(trouble="bad_key")
    page.ask(PROMPT)
    page.expect_mode("send")
    expect(page.failed_line).to_be_visible()
    look(page, "7-failed")
    page.new_chat()
    provider.script = Script(tokens=WORDS[:40], finish="length")
    page.ask(PROMPT)
    page.expect_mode("send")
    expect(page.stopped_line).to_contain_text("Response cut at the model’s limit")
    look(page, "8-cut")


def test_in_a_cell(page: ChatPage, provider: OpenAIProvider) -> None:
    """C6, C9: a prompt in a cell, and its code as a change to decide on."""
    notebook = NotebookPage(page)
    notebook.open("n = 10", "")
    notebook.select(1)
    page.page.get_by_role("button", name="Write cell 2 with the chat").click()
    expect(notebook.field).to_be_focused()
    page.page.keyboard.type("the squares of numbers")
    provider.script = Script(tokens=[f"Here:\n\n```python\n{CODE}\n```\n"])
    page.page.keyboard.press("Enter")
    accept = notebook.bar.get_by_role("button", name="Accept the change of cell 2")
    expect(accept).to_be_visible()
    look(page, "9-in-a-cell")
    accept.click()
    notebook.expect_sources("n = 10", CODE)


# The last one: what is chosen stays chosen, for all chats.
def test_a_model_that_cannot_be_stopped(page: ChatPage, ship: Path) -> None:
    """J3: what is shown has ended; the receipt says what has not."""
    page.page.locator("button.jp-StopChat-model").click()
    search = page.page.locator(".jp-StopChat-models .jp-StopChat-search")
    expect(search).to_be_focused()
    look(page, "10-models")
    search.fill("stubborn:any")
    page.page.keyboard.press("Enter")
    page.ask("Stop it!")
    expect(page.reply()).to_have_text("It never ends:")
    page.button.click()
    page.expect_mode("send")
    page.set({"showReceipt": True})
    expect(page.stopped_line).to_contain_text("finish")
    look(page, "11-still-finishing")
    ship.touch()
