"""Where the prompt is after Stop: in exactly one place, whatever happened before and after."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)
PROMPT = "Write a long story about a lighthouse"
DRAFT = "Something newer"


@pytest.mark.parametrize("draft", ["", DRAFT], ids=["draft empty", "draft typed"])
@pytest.mark.parametrize("before", [True, False], ids=["before first token", "after it"])
def test_the_prompt_comes_back_once(
    chat: ChatPage, provider: OpenAIProvider, draft: str, before: bool
) -> None:
    """L7, S2, S6: into the input, or into a chip where the input holds something newer."""
    provider.script = Script(tokens=3, stall="before_headers") if before else LONG
    chat.ask(PROMPT)
    chat.expect_mode("stop")
    if not before:
        chat.wait_for_text(20)
    if draft:
        chat.input.fill(draft)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()
    expect(chat.input).to_be_focused()
    if not draft:
        expect(chat.input).to_have_value(PROMPT)
        expect(chat.chip).to_have_count(0)
        caret = chat.input.evaluate("input => input.selectionStart")
        assert caret == len(PROMPT)
        return
    expect(chat.input).to_have_value(DRAFT)
    expect(chat.chip).to_be_visible()
    chat.chip.click()
    expect(chat.input).to_have_value(PROMPT)
    # The draft took the chip's place: nothing is lost, nothing is there twice.
    chat.chip.click()
    expect(chat.input).to_have_value(DRAFT)


def test_an_answer_that_won_the_race_takes_the_prompt_back(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """L7, S5: the stop arrives when the reply is complete, so that nothing was stopped."""
    script = Script(tokens=["The ", "whole ", "answer."], stall_after=2)
    provider.script = script
    chat.ask(PROMPT)
    chat.wait_for_text(9)
    chat.hold_stops()
    chat.button.click()
    expect(chat.input).to_have_value(PROMPT)
    script.resume.set()
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(chat.reply()).to_contain_text("The whole answer.")
    expect(chat.input).to_have_value("")
    expect(chat.stopped_line).to_have_count(0)
    chat.release_stops()
    chat.expect_mode("send")
    expect(chat.reply()).to_contain_text("The whole answer.")


def test_an_edited_prompt_is_not_taken_back(chat: ChatPage, provider: OpenAIProvider) -> None:
    """L7: what the person has typed since is theirs."""
    script = Script(tokens=["The ", "whole ", "answer."], stall_after=2)
    provider.script = script
    chat.ask(PROMPT)
    chat.wait_for_text(9)
    chat.hold_stops()
    chat.button.click()
    expect(chat.input).to_have_value(PROMPT)
    chat.input.press_sequentially(", please")
    script.resume.set()
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(chat.input).to_have_value(PROMPT + ", please")
    chat.release_stops()


def test_discard_before_the_first_word_leaves_an_empty_new_chat(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """V4, S6."""
    chat.lab.set({"onStop": "discard"})
    chat.load()
    provider.script = Script(tokens=3, stall="before_headers")
    chat.ask(PROMPT)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.messages).to_have_count(0)
    expect(chat.input).to_have_value(PROMPT)


def test_a_server_that_cannot_be_reached_is_not_called_stopped(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """V3, L7: the page tries, says so, and goes on once the server is back."""
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(20)
    chat.cut_connection()
    expect(chat.banner).to_contain_text("Connection lost")
    chat.button.click()
    expect(chat.failed_line).to_contain_text("Could not stop")
    expect(chat.stopped_line).to_have_count(0)
    expect(chat.input).to_have_value("")
    chat.shot("cannot-stop")
    chat.mend_connection()
    chat.banner.get_by_role("button", name="Reconnect now").click()
    expect(chat.banner).to_have_count(0)
    chat.failed_line.get_by_role("button", name="Retry").click()
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.input).to_have_value(PROMPT)


def test_a_prompt_that_never_left_the_page_is_taken_back(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """S6, L7: a new chat that the server never heard of, while there is no connection."""
    requests = len(provider.requests)
    chat.cut_connection()
    expect(chat.banner).to_be_visible()
    chat.ask(PROMPT)
    chat.expect_mode("stop")
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.input).to_have_value(PROMPT)
    expect(chat.messages).to_have_count(0)
    chat.mend_connection()
    expect(chat.banner).to_have_count(0)
    provider.script = Script(tokens=["Hello."])
    chat.input.fill("Another one")
    chat.input.press("Enter")
    expect(chat.reply()).to_have_text("Hello.")
    expect(chat.messages).to_have_count(2)
    assert [frame["body"] for frame in chat.sent_of("send")] == ["Another one"]
    assert len(provider.requests) == requests + 1
