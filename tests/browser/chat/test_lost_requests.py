"""Requests whose connection is lost before they are answered, in the real page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser


# Without a page at every run: lost; and the server's restart in tests/timed.
@pytest.mark.stress
def test_a_reply_that_was_asked_for_anew_survives_a_restart(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """B5, B6: the server goes before it answers; it is made once, and the button is free."""
    provider.script = Script(tokens=["Once."])
    chat.ask("Say something.")
    expect(chat.reply()).to_have_text("Once.")
    provider.script = Script(tokens=["Twice."])
    requests = len(provider.requests)
    chat.hold_answers()
    chat.command("stop-chat:regenerate")
    chat.expect_mode("stop")
    for _ in range(100):
        if len(provider.requests) > requests:
            break
        chat.page.wait_for_timeout(100)
    assert len(provider.requests) == requests + 1
    chat.shot("before-the-restart")
    chat.lab.stop()
    chat._answers = None
    expect(chat.banner).to_be_visible()
    chat.shot("while-the-server-is-away")
    chat.lab.start()
    expect(chat.banner).to_have_count(0)
    chat.expect_mode("send")
    expect(chat.page.locator(".jp-StopChat-versions")).to_contain_text("2/2")
    expect(chat.reply()).to_have_text("Twice.")
    assert len(provider.requests) == requests + 1, "asked of the model once"
    chat.shot("after-the-restart")


def test_what_is_asked_while_the_connection_is_cut_is_done_when_it_is_back(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """B5, U23: a button that was pressed does not do nothing, and says what it waits for."""
    provider.script = Script(tokens=["Once."])
    chat.ask("Say something.")
    expect(chat.reply()).to_have_text("Once.")
    chat.cut_connection()
    expect(chat.banner).to_be_visible()
    provider.script = Script(tokens=["Twice."])
    chat.command("stop-chat:regenerate")
    chat.expect_mode("stop")
    expect(chat.status).to_have_text("Waiting for the connection")
    expect(chat.page.locator(".jp-StopChat-pending")).to_have_text("Waiting for the connection")
    chat.shot("asked-while-cut")
    chat.mend_connection()
    chat.page.get_by_role("button", name="Reconnect now").click()
    expect(chat.page.locator(".jp-StopChat-pending")).to_have_count(0)
    expect(chat.reply()).to_have_text("Twice.")
    chat.expect_mode("send")
