"""Replies that end where nobody looks: who is told, and what a stopped one never does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)


def _told(chat: ChatPage, words: str) -> None:
    expect(chat.page.locator(".Toastify__toast").filter(has_text=words)).to_be_visible()


def _wait_for_nothing(chat: ChatPage) -> None:
    expect(chat.page.locator(".Toastify__toast").filter(has_text="reply")).to_have_count(0)


def test_a_reply_that_is_complete_elsewhere_is_told_of(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """J4, B5: in another chat, and while the panel is closed; the notification opens it."""
    script = Script(tokens=["A slow ", "answer."], stall_after=1)
    provider.script = script
    chat.ask("A question about lighthouses")
    chat.wait_for_text(6)
    chat.new_chat()
    script.resume.set()
    _told(chat, "A reply is complete in “A question about lighthouses”.")
    chat.shot("notification")
    toast = chat.page.locator(".Toastify__toast").filter(has_text="lighthouses")
    toast.get_by_role("button", name="Open").click()
    expect(chat.reply()).to_have_text("A slow answer.")
    chat.page.locator(".jp-StopChat-chatsButton").click()
    expect(chat.page.locator("[data-dot=unread]")).to_have_count(0)
    chat.page.keyboard.press("Escape")
    # The panel is closed, and the model fails.
    failing = Script(tokens=3, stall="before_headers", trouble="bad_key")
    provider.script = failing
    chat.new_chat()
    chat.ask("A question about buoys")
    chat.expect_mode("stop")
    chat.page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    expect(chat.panel).to_be_hidden()
    failing.resume.set()
    _told(chat, "A reply has failed in “A question about buoys”.")
    toast = chat.page.locator(".Toastify__toast").filter(has_text="buoys")
    toast.get_by_role("button", name="Open").click()
    expect(chat.panel).to_be_visible()
    expect(chat.failed_line).to_be_visible()


def test_what_is_looked_at_is_not_told_of(chat: ChatPage, provider: OpenAIProvider) -> None:
    """J4: nor anything at all, when that is what is set."""
    provider.script = Script(tokens=["An answer."])
    chat.ask("A question")
    expect(chat.reply()).to_have_text("An answer.")
    _wait_for_nothing(chat)
    chat.set({"notifications": False})
    script = Script(tokens=["A slow ", "answer."], stall_after=1)
    provider.script = script
    chat.ask("Another one")
    chat.wait_for_text(6)
    chat.new_chat()
    script.resume.set()
    chat.page.locator(".jp-StopChat-chatsButton").click()
    expect(chat.page.locator("[data-dot=unread]").first).to_be_visible()
    _wait_for_nothing(chat)
    chat.page.keyboard.press("Escape")


def test_a_stopped_turn_does_nothing_of_what_a_completed_one_does(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """V5, V3: no notification, no "complete", no unread dot, nothing that is asked by itself."""
    chat.page.evaluate(
        """() => {
          window.said = [];
          new MutationObserver(() => window.said.push(
            document.querySelector('.jp-StopChat-status').textContent)
          ).observe(document.querySelector('.jp-StopChat-panel'),
            {subtree: true, childList: true, characterData: true});
        }"""
    )
    provider.script = LONG
    chat.ask("A question that is stopped")
    chat.wait_for_text(20)
    chat.ask("What waits")
    expect(chat.queue).to_have_count(1)
    requests = len(provider.requests)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.status).to_have_text("Response stopped by the user")
    said = chat.page.evaluate("window.said")
    assert "Response stopped by the user" in said
    assert "Response complete" not in said
    # What waits goes on waiting, and nobody goes on by themselves.
    expect(chat.page.get_by_role("button", name="Send next")).to_be_visible()
    assert len(provider.requests) == requests
    assert chat.sent_of("continue") == chat.sent_of("regenerate") == []
    # Stopped out of sight, it is not told of either.
    chat.new_chat()
    provider.script = LONG
    chat.ask("Another that is stopped")
    chat.wait_for_text(20)
    chat.new_chat()
    chat.command("stop-chat:stop-all")
    chat.page.locator(".jp-StopChat-chatsButton").click()
    row = chat.page.locator(".jp-StopChat-chatRow").filter(has_text="Another that is stopped")
    expect(row.locator("[data-dot=stopped]")).to_be_visible()
    expect(row.locator("[data-dot=unread]")).to_have_count(0)
    _wait_for_nothing(chat)
    chat.page.keyboard.press("Escape")
