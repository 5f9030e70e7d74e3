"""The Stop button in a real browser, with a model that follows a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)
PROMPT = "Write a long story about a lighthouse"


def test_the_button_turns_into_stop_and_back_and_does_not_move(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """J1."""
    provider.script = LONG
    chat.expect_mode("send")
    chat.input.fill("Hello")
    boxes = [chat.button.bounding_box()]
    chat.hold_stops()
    chat.input.press("Enter")
    chat.expect_mode("stop")
    expect(chat.button).to_have_accessible_name("Stop generating")
    boxes.append(chat.button.bounding_box())
    chat.wait_for_text(20)
    chat.button.click()
    chat.expect_mode("stopping")
    boxes.append(chat.button.bounding_box())
    chat.release_stops()
    chat.expect_mode("send")
    expect(chat.button).to_have_accessible_name("Send")
    boxes.append(chat.button.bounding_box())
    assert all(box == boxes[0] for box in boxes), boxes


def test_stop_before_the_first_word(chat: ChatPage, provider: OpenAIProvider) -> None:
    """J2, V8: from the moment Enter is pressed; the stopped line stands alone."""
    provider.script = Script(tokens=3, stall="before_headers")
    before = len(provider.requests)
    chat.ask(PROMPT)
    chat.expect_mode("stop")
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.input).to_have_value(PROMPT)
    expect(chat.reply()).to_have_text("")
    assert all(request.tokens_sent == 0 for request in provider.requests[before:])


def test_the_text_freezes_at_the_press(chat: ChatPage, provider: OpenAIProvider) -> None:
    """S1, V3, B4: before any answer of the server, while more text arrives."""
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(100)
    chat.hold_stops()
    chat.button.click()
    frozen = chat.text()
    chat.expect_mode("stopping")
    expect(chat.button).to_have_accessible_name("Stopping…")
    expect(chat.page.locator(".jp-StopChat-stoppingLine")).to_have_text("Stopping…")
    expect(chat.status).to_have_text("Stopping")
    sent = provider.tokens_sent
    while provider.tokens_sent < sent + 60:  # a second's worth of text goes on arriving
        chat.page.wait_for_timeout(50)
    assert chat.text() == frozen
    chat.shot("stopping")
    chat.release_stops()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.status).to_have_text("Response stopped by the user")
    assert chat.text() == frozen
    chat.shot("stopped")
    chat.load_again()
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.reply()).to_have_text(frozen)


def test_the_prompt_comes_back(chat: ChatPage, provider: OpenAIProvider) -> None:
    """L6, L7, S2: and the partial reply stays, with the line below it."""
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(50)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.input).to_have_value(PROMPT)
    expect(chat.input).to_be_focused()
    expect(chat.stopped_line).to_be_visible()
    assert chat.text().startswith("t0 t1 t2 t3 t4 t5 t6 t7 t8 t9")


def test_under_discard_the_turn_leaves_and_a_reload_follows_on(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """S2, V4, B5: it is not there again after a reload, which follows the next and can stop it."""
    chat.set({"onStop": "discard"})
    provider.script = Script(tokens=["An ", "answer."])
    chat.ask("First question")
    expect(chat.replies).to_have_count(1)
    chat.expect_mode("send")
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(50)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.messages).to_have_count(2)
    expect(chat.input).to_have_value(PROMPT)
    assert "An answer." in chat.text()
    chat.input.press("Enter")
    expect(chat.replies).to_have_count(2)
    chat.wait_for_text(50)
    before = chat.text()
    chat.load_again()
    expect(chat.messages).to_have_count(4)
    chat.wait_for_text(len(before) + 50)
    assert chat.text().startswith(before[:40])
    chat.expect_mode("stop")
    chat.set(None)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()


def test_a_blank_input_sends_nothing(chat: ChatPage, provider: OpenAIProvider) -> None:
    """L8."""
    for blank in ("", "   ", " \t "):
        chat.ask(blank)
    chat.button.click(force=True)
    chat.expect_mode("send")
    expect(chat.messages).to_have_count(0)
    assert [frame for frame in chat.sent if frame["type"] == "send"] == []


def test_a_real_error_reads_differently(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V3, U31: and it is retried by the person, which makes it no version of its reply."""
    provider.script = Script(trouble="bad_key")
    chat.ask(PROMPT)
    expect(chat.failed_line).to_contain_text("Generation failed: The provider refused the key.")
    expect(chat.stopped_line).to_have_count(0)
    chat.expect_mode("send")
    chat.shot("failed")
    provider.script = Script(tokens=["Now ", "it ", "works."])
    chat.failed_line.get_by_role("button", name="Retry").click()
    expect(chat.reply()).to_contain_text("Now it works.")
    chat.expect_mode("send")
    expect(chat.page.get_by_role("group", name="Versions")).to_have_count(0)


@pytest.mark.parametrize("where", ["input", "list", "edge"])
def test_esc_stops(chat: ChatPage, provider: OpenAIProvider, where: str) -> None:
    """S1, J1: Esc anywhere in the panel is the button's other way."""
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(20)
    if where == "edge":
        chat.panel.click(position={"x": 2, "y": 2})  # beside all controls
        chat.page.keyboard.press("Escape")
    else:
        chat.page.locator(f".jp-StopChat-{where}").press("Escape")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()


def test_a_double_click_on_stop_sends_nothing(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V7, L7: the second click lands on Send, with the prompt back in the input."""
    provider.script = LONG
    for _ in range(5):
        chat.ask(PROMPT)
        chat.wait_for_text(20)
        sends = len([frame for frame in chat.sent if frame["type"] == "send"])
        chat.button.dblclick()
        chat.expect_mode("send")
        expect(chat.input).to_have_value(PROMPT)
        assert len([frame for frame in chat.sent if frame["type"] == "send"]) == sends
        # The guard is 400 ms; only a person's next, slower press may send again.
        chat.page.wait_for_timeout(450)
