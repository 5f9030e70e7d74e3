"""How a reply ended is said below it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser


def test_how_a_reply_ended_is_marked(chat: ChatPage, provider: OpenAIProvider) -> None:
    """T1, T4, T7: cut at a limit with Continue; broken off by an error; thinking shown."""
    provider.script = Script(
        tokens=["It begins ", "well"], reasoning=["Six ", "times seven."], finish="length"
    )
    chat.ask("Tell me")
    chat.expect_mode("send")
    line = chat.stopped_line
    expect(line).to_contain_text("Response cut at the model’s limit")
    expect(line.get_by_role("button", name="Continue")).to_be_enabled()
    chat.shot("cut-at-the-limit")
    provider.script = Script(tokens=[" and ends."])
    line.get_by_role("button", name="Continue").click()
    expect(chat.reply()).to_contain_text("It begins well and ends.")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_have_count(0)
    provider.script = Script(tokens=["One ", "two"], finish="error")
    chat.ask("And now?")
    chat.expect_mode("send")
    failed = chat.page.locator(".jp-StopChat-failedLine")
    expect(failed).to_contain_text("Generation failed")
    expect(failed.get_by_role("button", name="Continue")).to_be_enabled()
    chat.shot("error-in-the-stream")


def test_a_reply_that_broke_off_goes_on(chat: ChatPage, provider: OpenAIProvider) -> None:
    """T2: it is not complete, and it has not failed."""
    provider.script = Script(tokens=["```python\n", "x = 1\n"], ends_early=True)
    chat.ask("Write it")
    chat.expect_mode("send")
    line = chat.stopped_line
    expect(line).to_contain_text("broke off")
    expect(chat.page.locator(".jp-StopChat-failedLine")).to_have_count(0)
    expect(chat.reply().locator("pre")).to_contain_text("x = 1")
    expect(chat.status).to_have_text("The connection broke off before the response ended")
    chat.page.locator(".jp-StopChat-chatsButton").click()
    dot = chat.page.locator(".jp-StopChat-chatRow").first.locator(".jp-StopChat-dot")
    expect(dot).to_have_attribute("aria-label", "Ended early")
    chat.page.keyboard.press("Escape")
    chat.shot("broke-off")
    provider.script = Script(tokens=["y = 2\n```\n\nDone."])
    line.get_by_role("button", name="Continue").click()
    expect(chat.reply()).to_contain_text("Done.")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_have_count(0)
    expect(chat.reply().locator("pre")).to_contain_text("y = 2")


def test_a_connection_that_is_cut(chat: ChatPage, provider: OpenAIProvider) -> None:
    """U13: that is what is said, with Continue where there is text, and no box without code."""
    provider.script = Script(tokens=["Words:\n\n", "```python\n", "never"], drop_after=2)
    chat.ask("Write it")
    chat.expect_mode("send")
    line = chat.failed_line
    expect(line).to_contain_text("The connection broke off before the response ended")
    expect(chat.reply()).to_have_text("Words:")
    expect(chat.reply().locator("pre, .jp-StopChat-code")).to_have_count(0)
    provider.script = Script(tokens=["x = 1\n", "```\n"])
    line.get_by_role("button", name="Continue").click()
    expect(chat.reply().locator("pre")).to_have_text("x = 1\n")
    chat.expect_mode("send")
    provider.script = Script(tokens=["never"], reasoning=["Hm."], drop_after=0)
    chat.ask("Think of it")
    chat.expect_mode("send")
    expect(line).to_contain_text("The connection broke off before the response ended")
    expect(line.get_by_role("button", name="Retry")).to_be_enabled()
    expect(line.get_by_role("button", name="Continue")).to_have_count(0)
