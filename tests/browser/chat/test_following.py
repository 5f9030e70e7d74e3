"""Where the view is while a reply comes: at its end, or where the person has scrolled to."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat.test_streaming import PARAGRAPHS, PLACES
from tests.browser.chat_page import AT_END, ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser


def test_the_view_follows_the_end(chat: ChatPage, provider: OpenAIProvider) -> None:
    """From the first word to the last, while no one scrolls."""
    provider.script = Script(tokens=PARAGRAPHS, rate=60)
    chat.ask("Tell me much")
    for number in (20, 60, 100):
        expect(chat.reply()).to_contain_text(f"Paragraph {number} has")
        chat.page.wait_for_function(AT_END)
    expect(chat.page.get_by_role("button", name="Go to the end")).to_have_count(0)
    chat.button.click()
    chat.expect_mode("send")
    chat.page.wait_for_function(AT_END)


def test_the_first_reply_ends_in_view(chat: ChatPage, provider: OpenAIProvider) -> None:
    """U5: with the line below it and the title there, however narrow, and when it is continued."""
    for width in (250, 400):
        chat.width(width)
        # A list is drawn anew as a whole with each of its lines.
        numbered = [f"{number}. The end.\n" for number in range(1, 50)]
        for lines, rate in ((PARAGRAPHS[:12], 200), (["".join(numbered[:38]), *numbered[38:]], 8)):
            chat.new_chat()
            provider.script = Script(tokens=[*lines, "The end."], rate=rate)
            chat.ask("A first question")
            expect(chat.reply()).to_contain_text("The end.")
            chat.expect_mode("send")
            expect(chat.page.locator(".jp-StopChat-titleButton")).to_have_text("A first question")
            chat.page.wait_for_function(AT_END)
        provider.script = Script(tokens=[*PARAGRAPHS[20:32], "never"], stall_after=12)
        chat.ask("To be stopped")
        expect(chat.reply()).to_contain_text("Paragraph 31 has")
        chat.button.click()
        expect(chat.stopped_line).to_be_visible()
        chat.page.wait_for_function(AT_END)
        provider.script = Script(tokens=[*PARAGRAPHS[32:44], "The end."], rate=200)
        chat.stopped_line.get_by_role("button", name="Continue").click()
        expect(chat.reply()).to_contain_text("The end.")
        chat.expect_mode("send")
        chat.page.wait_for_function(AT_END)
        chat.shot(f"first-reply-{width}")


def test_nothing_jumps_for_who_has_scrolled_up(chat: ChatPage, provider: OpenAIProvider) -> None:
    """U32: what is read stays where it is while more comes; a round button leads to the end."""
    provider.script = Script(tokens=PARAGRAPHS, rate=60)
    chat.ask("Tell me much")
    expect(chat.reply()).to_contain_text("Paragraph 60 has")
    chat.page.locator(".jp-StopChat-list").hover()
    chat.page.mouse.wheel(0, -1500)
    button = chat.page.get_by_role("button", name="Go to the end: new text")
    expect(button).to_be_visible()
    words = chat.page.evaluate(
        """() => [...document.querySelectorAll('.jp-StopChat-body p')].find(
          one => one.getBoundingClientRect().top > 200).textContent.slice(0, 18)"""
    )
    count = "() => document.querySelectorAll('.jp-StopChat-body p').length"
    before = chat.page.evaluate(count)
    places = chat.page.evaluate(PLACES, {"words": words, "frames": 60})
    assert chat.page.evaluate(count) > before
    assert len(set(places)) == 1, places
    # It stands below the messages, and covers none.
    box, below = button.bounding_box(), chat.page.locator(".jp-StopChat-list").bounding_box()
    assert box
    assert below
    assert box["y"] >= below["y"] + below["height"]
    chat.shot("new-text")
    button.click()
    chat.page.wait_for_function(AT_END)
    expect(button).to_have_count(0)
    chat.button.click()
    chat.expect_mode("send")
    # Also while nothing is made.
    chat.page.locator(".jp-StopChat-list").hover()
    chat.page.mouse.wheel(0, -1500)
    chat.page.get_by_role("button", name="Go to the end", exact=True).click()
    chat.page.wait_for_function(AT_END)
    expect(chat.input).to_be_focused()
