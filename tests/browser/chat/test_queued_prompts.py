"""Prompts that wait while a reply is made."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)


def _queue_three(chat: ChatPage, provider: OpenAIProvider) -> None:
    provider.script = LONG
    chat.ask("The first prompt")
    chat.wait_for_text(10)
    for name in ("alpha", "beta", "gamma"):
        chat.ask(f"Prompt {name}")
    _expect(chat, "alpha", "beta", "gamma")


def _expect(chat: ChatPage, *names: str) -> None:
    expect(chat.queue).to_have_text([f"Prompt {name}" for name in names])


def test_the_queue_is_put_in_order_changed_and_shortened(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """B10, V6, U25: by the keyboard alone; and a reload shows the same."""
    _queue_three(chat, provider)
    chat.drop_file("first.txt", "The first file.")
    chat.drop_file("second.txt", "The second file.")
    chat.ask("Prompt files")
    last = chat.queue.nth(3)
    expect(last).to_contain_text("2 attachments")
    last.get_by_role("button", name="Edit").press("Enter")
    chips = last.locator(".jp-StopChat-attachment")
    expect(chips).to_contain_text(["first.txt", "second.txt"])
    chips.first.get_by_role("button", name="Remove first.txt").press("Enter")
    chat.shot("queue-editing-attached")
    last.get_by_role("textbox").press("Enter")
    expect(chat.queue.nth(3)).to_contain_text("1 attachment")
    chat.queue.nth(3).get_by_role("button", name="Remove").press("Enter")
    sooner = chat.queue.nth(1).get_by_role("button", name="Send sooner")
    sooner.focus()
    sooner.press("Enter")
    _expect(chat, "beta", "alpha", "gamma")
    chat.queue.nth(0).get_by_role("button", name="Send later").press("Enter")
    _expect(chat, "alpha", "beta", "gamma")
    edit = chat.queue.nth(2).get_by_role("button", name="Edit")
    edit.press("Enter")
    editor = chat.page.get_by_role("textbox", name="Change the prompt")
    expect(editor).to_be_focused()
    chat.shot("queue-editing")
    editor.fill("Prompt delta")
    editor.press("Enter")
    _expect(chat, "alpha", "beta", "delta")
    chat.queue.nth(1).get_by_role("button", name="Remove").press("Enter")
    _expect(chat, "alpha", "delta")
    expect(chat.input).to_be_focused()
    chat.expect_mode("stop")
    chat.load_again()
    _expect(chat, "alpha", "delta")
    chat.button.click()
    chat.expect_mode("send")


def test_stop_pauses_the_queue_and_send_next_resumes_it(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """B10: and it is paused still after a reload."""
    _queue_three(chat, provider)
    chat.button.click()
    chat.expect_mode("send")
    resume = chat.page.get_by_role("button", name="Send next")
    expect(resume).to_be_visible()
    _expect(chat, "alpha", "beta", "gamma")
    chat.shot("queue-paused")
    chat.load_again()
    _expect(chat, "alpha", "beta", "gamma")
    provider.script = Script(tokens=["Done."])
    resume.click()
    expect(chat.queue).to_have_count(0)
    expect(chat.replies).to_have_count(4)
    chat.expect_mode("send")
    asked = [request.body["messages"][-1]["content"] for request in provider.requests[-3:]]
    assert asked == ["Prompt alpha", "Prompt beta", "Prompt gamma"]


def test_a_second_esc_clears_the_queue(chat: ChatPage, provider: OpenAIProvider) -> None:
    """B10."""
    _queue_three(chat, provider)
    requests = len(provider.requests)
    chat.input.press("Escape")
    chat.input.press("Escape")
    expect(chat.queue).to_have_count(0)
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()
    expect(chat.input).to_have_value("The first prompt")
    assert len(provider.requests) == requests
