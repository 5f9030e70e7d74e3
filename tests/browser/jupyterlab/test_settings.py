"""Each setting of the chat, changed while the page is open."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)
PROMPT = "Tell me a story"


def test_a_second_prompt_interrupts(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V6, J5: it goes first, and the reply before it says why it ended."""
    chat.set({"policy": "interrupt"})
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(20)
    provider.script = Script(tokens=["Something ", "else."])
    chat.ask("Rather this")
    expect(chat.reply()).to_have_text("Something else.")
    expect(chat.queue).to_have_count(0)
    expect(chat.stopped_line).to_contain_text("Replaced by a newer prompt")
    expect(chat.input).to_have_value("")
    chat.expect_mode("send")


def test_a_second_prompt_is_refused_and_kept(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V6: in plain words, and nothing of it is lost."""
    chat.set({"policy": "reject"})
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(20)
    chat.ask("Rather this")
    notice = chat.page.locator(".jp-StopChat-notice")
    expect(notice).to_contain_text("A reply is being made in this chat.")
    expect(chat.input).to_have_value("Rather this")
    chat.expect_mode("stop")
    chat.shot("refused")
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    chat.button.click()
    chat.expect_mode("send")


def test_a_second_prompt_waits(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V6: what the server does unless it is set up otherwise."""
    script = Script(tokens=["One."], stall="before_headers")
    provider.script = script
    chat.set({"policy": "queue"})
    chat.ask(PROMPT)
    chat.ask("And then this")
    expect(chat.queue).to_have_count(1)
    provider.script = Script(tokens=["Two."])
    script.resume.set()
    expect(chat.reply()).to_have_text("Two.")
    expect(chat.replies).to_have_count(2)


@pytest.mark.parametrize(
    ("key", "sends", "breaks"),
    [
        ("Enter", "Enter", "Shift+Enter"),
        ("Ctrl+Enter", "Control+Enter", "Enter"),
        ("Shift+Enter", "Shift+Enter", "Enter"),
    ],
)
def test_the_key_that_sends(
    chat: ChatPage, provider: OpenAIProvider, key: str, sends: str, breaks: str
) -> None:
    """J1: the others begin a new line."""
    chat.set({"sendKey": key})
    provider.script = Script(tokens=["Yes."])
    chat.input.fill("One line")
    chat.input.press(breaks)
    expect(chat.input).to_have_value("One line\n")
    chat.input.press_sequentially("and another")
    chat.input.press(sends)
    expect(chat.reply()).to_have_text("Yes.")
    assert [frame["body"] for frame in chat.sent_of("send")] == ["One line\nand another"]


def test_the_prompt_stays_away(chat: ChatPage, provider: OpenAIProvider) -> None:
    """L7: for who does not want it back; it is still in the chat."""
    chat.set({"restorePrompt": False})
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(20)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()
    expect(chat.input).to_have_value("")
    expect(chat.chip).to_have_count(0)
    expect(chat.messages.first).to_contain_text(PROMPT)


def test_the_receipt_is_shown_on_demand_or_always(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """B2, V1: what became of the provider's connection, by pointer and by keyboard."""
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(20)
    chat.button.click()
    chat.expect_mode("send")
    while not provider.requests[-1].closed.is_set():
        chat.page.wait_for_timeout(20)
    receipt = chat.page.locator(".jp-StopChat-receipt")
    expect(receipt).to_contain_text("provider connection closed after")
    expect(receipt).to_contain_text("tokens")
    expect(receipt).to_be_hidden()
    words = chat.page.locator(".jp-StopChat-stoppedWords")
    before = chat.page.get_by_role("button", name="Continue").bounding_box()
    words.hover()
    expect(receipt).to_be_visible()
    chat.shot("receipt")
    assert chat.page.get_by_role("button", name="Continue").bounding_box() == before
    chat.input.hover()
    expect(receipt).to_be_hidden()
    chat.replies.last.focus()
    for _ in range(20):
        chat.page.keyboard.press("ArrowRight")
        if words.evaluate("words => words === document.activeElement"):
            break
    expect(receipt).to_be_visible()
    chat.set({"showReceipt": True})
    chat.input.focus()
    chat.input.hover()
    expect(receipt).to_be_visible()
    chat.shot("receipt-always")


IMAGE = "![a lamp](https://images.invalid/lamp.png)"


def test_remote_images_wait_for_a_click(chat: ChatPage, provider: OpenAIProvider) -> None:
    """A model that writes an image's address tells its host nothing by itself."""
    asked: list[str] = []
    chat.allowed.append("https://images.invalid/")
    chat.page.route(
        "https://images.invalid/**", lambda route: (asked.append(route.request.url), route.abort())
    )
    provider.script = Script(tokens=["Look: ", IMAGE])
    chat.ask(PROMPT)
    chat.expect_mode("send")
    offer = chat.page.get_by_role("button", name="Show remote image from images.invalid")
    expect(offer).to_be_visible()
    chat.shot("remote-image")
    assert asked == []
    with chat.page.expect_request("https://images.invalid/**"):
        offer.click()
    expect(chat.reply().locator("img")).to_have_attribute("referrerpolicy", "no-referrer")
    chat.set({"remoteImages": True})
    with chat.page.expect_request("https://images.invalid/**"):
        chat.ask("And another")
    expect(offer).to_have_count(0)
    chat.page.unroute("https://images.invalid/**")


def test_settings_of_another_release(chat: ChatPage, lab: Lab) -> None:
    """H10: a key that this one does not know undoes nothing of the others."""
    # The first release's, and one that is not known.
    lab.set({"onStop": "keep", "sendKey": "Shift+Enter", "soundAtEnd": "bell"})
    chat.load_again()
    chat.input.fill("One line")
    chat.input.press("Enter")
    expect(chat.input).to_have_value("One line\n")
    chat.input.press("Shift+Enter")
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
