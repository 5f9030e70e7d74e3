"""Where the prompt is after Stop: in exactly one place, whatever happened before and after."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)
PROMPT = "Write a long story about a lighthouse"
DRAFT = "Something newer"


NOTES = "The lamp is lit at dusk."


def _expect_place(chat: ChatPage, *, attached: bool, draft: bool) -> None:
    """See the prompt in the input, or in the chip beside a newer draft, and nowhere else."""
    if not draft:
        expect(chat.input).to_have_value(PROMPT)
        expect(chat.chip).to_have_count(0)
        expect(chat.attached).to_have_count(int(attached))
        return
    expect(chat.input).to_have_value(DRAFT)
    expect(chat.attached).to_have_count(0)
    expect(chat.chip).to_be_visible()


def _ask(chat: ChatPage, *, attached: bool) -> None:
    chat.new_chat()
    if attached:
        chat.drop_file("notes.txt", NOTES)
        expect(chat.attached).to_contain_text("notes.txt")
    chat.ask(PROMPT)
    chat.expect_mode("stop")
    expect(chat.input).to_have_value("")
    expect(chat.attached).to_have_count(0)


@pytest.mark.parametrize(
    ("when", "on_stop"),
    [
        ("not known yet", "keep"),
        pytest.param("not known yet", "discard", marks=pytest.mark.stress),
        pytest.param("before the first word", "keep", marks=pytest.mark.stress),
        pytest.param("before the first word", "discard", marks=pytest.mark.stress),
        ("after it", "keep"),
        pytest.param("after it", "discard", marks=pytest.mark.stress),
    ],
)
def test_the_prompt_comes_back_once(
    chat: ChatPage, provider: OpenAIProvider, on_stop: str, when: str
) -> None:
    """L7, S2, S6, V4: with its attachments, into the input, or a chip beside a newer draft."""
    chat.set({"onStop": on_stop})
    for attached, draft in itertools.product((False, True), repeat=2):
        provider.script = LONG if when == "after it" else Script(stall="before_headers")
        if when == "not known yet":
            chat.new_chat()
            chat.hold_answers()
        _ask(chat, attached=attached)
        if when == "after it":
            chat.wait_for_text(20)
        if draft:
            chat.input.fill(DRAFT)
        chat.button.click()
        # At once, before any answer of the server.
        _expect_place(chat, attached=attached, draft=draft)
        if when == "not known yet":
            chat.expect_mode("stopping")
            chat.release_answers()
        chat.expect_mode("send")
        _expect_place(chat, attached=attached, draft=draft)
        expect(chat.input).to_be_focused()
        if on_stop == "keep":
            expect(chat.stopped_line).to_be_visible()
            sent = chat.page.locator(".jp-StopChat-sentAttachment")
            expect(sent).to_have_count(int(attached))
        else:
            expect(chat.messages).to_have_count(0)
        expect(chat.failed_line).to_have_count(0)
        expect(chat.page.locator(".jp-StopChat-notice")).to_have_count(0)
        if draft:
            chat.chip.click()
            expect(chat.input).to_have_value(PROMPT)
            expect(chat.attached).to_have_count(int(attached))
            # The draft took the chip's place: nothing is lost, nothing is there twice.
            chat.chip.click()
            _expect_place(chat, attached=attached, draft=True)
            chat.chip.click()
        caret = chat.input.evaluate("input => input.selectionStart")
        assert caret == len(PROMPT)
        # It goes out again as it had come.
        provider.script = Script(tokens=["Well."])
        chat.input.press("Enter")
        expect(chat.reply()).to_have_text("Well.")
        chat.expect_mode("send")
        asked = provider.requests[-1].body["messages"][-1]["content"]
        assert (NOTES in asked, asked.count(PROMPT) >= 1) == (attached, True)


@pytest.mark.parametrize("on_stop", ["keep", pytest.param("discard", marks=pytest.mark.stress)])
def test_an_answer_that_won_the_race_takes_the_prompt_back(
    chat: ChatPage, provider: OpenAIProvider, on_stop: str
) -> None:
    """L7, S5, V4: the stop arrives when the reply is complete, so that nothing was stopped."""
    chat.set({"onStop": on_stop})
    for attached, draft in itertools.product((False, True), repeat=2):
        script = Script(tokens=["The ", "whole ", "answer."], stall_after=2)
        provider.script = script
        _ask(chat, attached=attached)
        chat.wait_for_text(9)
        chat.hold_stops()
        if draft:
            chat.input.fill(DRAFT)
        chat.button.click()
        _expect_place(chat, attached=attached, draft=draft)
        script.resume.set()
        expect(chat.replies.last).to_have_attribute("data-state", "completed")
        expect(chat.reply()).to_contain_text("The whole answer.")
        expect(chat.input).to_have_value(DRAFT if draft else "")
        expect(chat.chip).to_have_count(0)
        expect(chat.attached).to_have_count(0)
        expect(chat.stopped_line).to_have_count(0)
        chat.release_stops()
        chat.expect_mode("send")
        expect(chat.reply()).to_contain_text("The whole answer.")
        chat.input.fill("")


def test_a_chip_is_let_go(chat: ChatPage, provider: OpenAIProvider) -> None:
    """L7: who does not want the stopped prompt back needs not keep it."""
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(10)
    chat.input.fill(DRAFT)
    chat.button.click()
    chat.page.get_by_role("button", name="Discard the stopped prompt").click()
    expect(chat.chip).to_have_count(0)
    expect(chat.input).to_have_value(DRAFT)


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
    chat.set({"onStop": "discard"})
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
