"""What a reply costs, how full the model is, and a day's budget that is used up."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import watched_page
from tests.browser.lab import USUAL, Lab, page_asking
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

MODEL = "openai:gpt-4o-mini"


def _expect_costs(chat: ChatPage, provider: OpenAIProvider) -> None:
    """See what a reply cost, and how full the model is."""
    gauge, words = chat.page.locator(".jp-StopChat-gauge"), chat.page.get_by_role("tooltip")
    provider.script = Script(tokens=["Good ", "day."])
    chat.ask("Hello?")
    chat.expect_mode("send")
    used = chat.page.locator(".jp-StopChat-usage")
    expect(used).to_have_attribute(
        "title", re.compile(r"7 tokens in, 2 out · (about )?<\$0\.0001")
    )
    expect(gauge).to_have_attribute("data-level", "room")
    gauge.get_by_role("button").focus()
    expect(words).to_contain_text("of the 4,000 tokens")
    expect(words).to_contain_text("This chat: about 9 tokens")


def test_what_a_reply_costs(chat: ChatPage, provider: OpenAIProvider) -> None:
    """The figures are seen, and when the model is nearly full."""
    gauge = chat.page.locator(".jp-StopChat-gauge")
    chat.choose_model(MODEL)
    _expect_costs(chat, provider)
    chat.page.keyboard.press("Escape")
    chat.input.fill("x" * 12_000)
    expect(gauge).to_have_attribute("data-level", "nearly")
    expect(gauge).to_contain_text("nearly full")
    chat.input.fill("")
    chat.choose_model(USUAL)


@pytest.fixture(scope="module")
def budget_lab(
    tmp_path_factory: pytest.TempPathFactory, provider: OpenAIProvider
) -> Iterator[Lab]:
    """Start JupyterLab with a budget that one long reply uses up."""
    config = page_asking(provider.base_url)
    config["StopChatApp"] |= {
        "default_model": MODEL,
        "tokens_per_day": 60,
        "budget_per_day": 0.5,
    }
    made = Lab(tmp_path_factory.mktemp("budget"), config)
    made.start()
    yield made
    made.stop()


# A JupyterLab of its own takes longer to start than all of it; each run tries the budget in the
# engine.
@pytest.mark.stress
def test_what_it_costs_until_the_budget_is_used_up(
    browser: Browser, budget_lab: Lab, provider: OpenAIProvider
) -> None:
    """The figures are seen, a stopped reply counts, and then the prompt stays in the input."""
    with watched_page(browser, budget_lab) as (chat, watch):
        _spend(chat, provider)
        watch.check()


def _spend(chat: ChatPage, provider: OpenAIProvider) -> None:
    page = chat.page
    gauge = page.locator(".jp-StopChat-gauge")
    words = page.get_by_role("tooltip")
    _expect_costs(chat, provider)
    expect(words).to_contain_text("Today: about 9 tokens")
    expect(words).to_contain_text("Limit of a day: 60 tokens")
    page.keyboard.press("Escape")
    expect(words).to_have_count(0)

    provider.script = Script(tokens=["word "] * 400, stall_after=100)
    chat.ask("Tell me all")
    expect(chat.reply()).to_contain_text("word word")
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_have_count(1)
    asked = len(provider.requests)
    chat.input.fill("One more thing")
    chat.input.press("Enter")
    notice = page.locator(".jp-StopChat-notice")
    expect(notice).to_have_attribute("data-code", "budget_spent")
    expect(notice).to_contain_text("A new day begins at midnight, UTC")
    expect(chat.input).to_have_value("One more thing")
    assert len(provider.requests) == asked
    gauge.get_by_role("button").focus()
    expect(words).to_contain_text("Used up: a new day begins on")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        chat.theme(theme)
        for width in (250, 900):
            chat.width(width)
            gauge.get_by_role("button").blur()
            gauge.get_by_role("button").focus()
            expect(words).to_be_visible()
            box, around = words.bounding_box(), chat.panel.bounding_box()
            assert box is not None
            assert around is not None
            assert box["x"] >= around["x"]
            assert box["x"] + box["width"] <= around["x"] + around["width"] + 1
            chat.shot(f"cost-{width}-{theme.split()[1].lower()}")
