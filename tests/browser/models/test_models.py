"""From nothing to an answer: the local model, then a key, another model, and a wrong key."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import AXE, THEMES, violations
from tests.browser.chat_page import USUAL_WIDTH, ChatPage
from tests.browser.lab import Lab
from tests.browser.models.conftest import only
from tests.providers import OpenAIProvider, Request, Script

pytestmark = [pytest.mark.browser, pytest.mark.local_model]


@pytest.fixture(scope="module")
def lab(bare_lab: Lab) -> Lab:
    """Return the JupyterLab whose local model was installed from the page."""
    return bare_lab


@pytest.fixture(scope="module")
def chat(page_with_model: ChatPage) -> ChatPage:
    """Return the page in which it was: what a test does, the next one finds."""
    page_with_model.width(USUAL_WIDTH)
    return page_with_model


def picker(chat: ChatPage) -> None:
    """Open the list of models."""
    chat.page.locator("button.jp-StopChat-model").click()
    expect(chat.page.get_by_role("dialog", name="Models")).to_be_visible()
    expect(chat.page.locator(".jp-StopChat-choice").first).to_be_visible()


def give(page: Page, **fields: str) -> None:
    """Fill a dialog's fields, and save."""
    dialog = page.locator(".jp-Dialog")
    for name, value in fields.items():
        dialog.locator(f"input[name={name}]").fill(value)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)


def test_a_key_a_model_and_an_answer(chat: ChatPage, lab: Lab) -> None:
    """L5, U2, U6, U8: a wrong key, in the provider's words, and the right one; it is kept."""
    page = chat.page
    chat.command("stop-chat:new")
    chat.width(420)
    with OpenAIProvider(only("sk-right")).in_thread() as provider:
        picker(chat)
        page.get_by_role("button", name="Set up the OpenAI-compatible").click()
        chat.shot("models-4-address")
        give(page, address=provider.base_url, key="sk-wrong")
        # It has one model: that is chosen, as nothing else can be meant.
        expect(page.get_by_role("dialog", name="Models")).to_have_count(0)
        expect(page.locator("button.jp-StopChat-model")).to_contain_text("gpt-test")
        expect(chat.input).to_be_focused()
        picker(chat)
        choice = page.locator(".jp-StopChat-choice[title='openai_compatible:gpt-test']").first
        expect(choice).to_be_enabled()
        chat.shot("models-5-picker-light")
        assert violations(chat) == []
        chat.theme(THEMES["dark"])
        assert violations(chat) == []
        chat.shot("models-5-picker-dark")
        choice.click()
        expect(page.locator("button.jp-StopChat-model")).to_contain_text("gpt-test")
        expect(chat.input).to_be_focused()
        chat.ask("Hello?")
        expect(chat.failed_line).to_contain_text("The provider refused the key")
        assert violations(chat) == []
        chat.shot("models-6-wrong-key-dark")
        assert chat.sent_of("send")[-1]["model"] == "openai_compatible:gpt-test"
        details = chat.failed_line.locator(".jp-StopChat-errorDetails")
        details.locator("summary").click()
        expect(details).to_contain_text("What OpenAI-compatible server said")
        expect(details).to_contain_text("Incorrect API key provided: [key]")
        assert violations(chat) == []
        chat.shot("models-6-details-dark")

        chat.failed_line.get_by_role("button", name="Change the key").click()
        expect(page.locator(".jp-Dialog input[name=key]")).to_have_attribute("type", "password")
        give(page, key="sk-right")
        expect(chat.replies.last).to_have_attribute("data-state", "completed")
        expect(chat.reply()).to_have_text("Good day.")
        chat.theme(THEMES["light"])
    held = page.content() + page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert "sk-right" not in held
    assert "sk-wrong" not in held
    # The choice outlives a reload, and the model is listed as long as its server is known.
    chat.load_again()
    expect(page.locator("button.jp-StopChat-model")).to_contain_text("gpt-test")
    # JupyterLab's own opening moves the focus until it has ended.
    expect(page.locator(".jp-Launcher-body")).to_be_visible()
    expect(chat.input).to_be_focused()
    page.evaluate(AXE.read_text())


def test_by_keyboard_alone(chat: ChatPage) -> None:
    """L6: open, search, choose, and leave it by Esc, which stops nothing."""
    page = chat.page
    button = page.locator("button.jp-StopChat-model")
    button.focus()
    page.keyboard.press("Enter")
    search = page.locator(".jp-StopChat-models .jp-StopChat-search")
    expect(search).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(search).not_to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Models")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-StopChat-choice").first).to_be_visible()
    page.keyboard.type("smol")
    page.keyboard.press("Enter")
    expect(button).to_contain_text("SmolLM2 (local, small)")
    expect(chat.input).to_be_focused()
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".jp-StopChat-choice").first).to_be_visible()
    page.keyboard.type("openai:of-my-own")
    page.keyboard.press("Enter")
    expect(button).to_contain_text("of-my-own")
    chat.ask("Hello?")
    expect(chat.failed_line).to_contain_text("needs a key")
    expect(chat.failed_line.get_by_role("button", name="Add a key")).to_be_visible()
    chat.shot("models-7-missing-key")


def test_a_key_is_tried_and_the_failed_reply_made(chat: ChatPage) -> None:
    """U6, U7, U8: refused in the provider's words, then taken; what is chosen stays on top."""
    page = chat.page
    expect(chat.failed_line).to_contain_text("needs a key")
    chat.failed_line.get_by_role("button", name="Add a key").click()
    dialog = page.locator(".jp-Dialog")
    for _ in range(2):
        expect(dialog.locator("input[name=key]")).to_be_focused()
        dialog.locator("input[name=key]").fill("sk-of-another")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_contain_text("refused the key")
        expect(dialog.get_by_role("alert")).to_contain_text("Incorrect API key provided: [key]")
    chat.shot("models-7-refused-key")
    give(page, key="sk-of-mine")
    expect(page.get_by_text("OpenAI accepts the key.").first).to_be_visible()
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(chat.reply()).to_have_text("Good day.")
    expect(page.locator("button.jp-StopChat-model")).to_contain_text("OpenAI: of-my-own")

    picker(chat)
    models = page.locator(".jp-StopChat-models")
    expect(models.locator(".jp-StopChat-choice").first).to_have_attribute(
        "title", "openai:of-my-own"
    )
    expect(models.locator(".jp-StopChat-choice").first).to_have_attribute("aria-current", "true")
    expect(models.locator(".jp-StopChat-choice[title='openai:gpt-test']")).to_be_visible()
    models.locator(".jp-StopChat-notInstalled summary").click()
    expect(models.locator(".jp-StopChat-notInstalled code").first).to_contain_text("pip install")
    assert violations(chat) == []
    for theme, name in THEMES.items():
        chat.theme(name)
        chat.shot(f"models-7-picker-{theme}")
    chat.theme(THEMES["light"])
    models.locator(".jp-StopChat-choice[title^='anthropic:']").first.click()
    expect(dialog).to_contain_text("Key for Anthropic")
    expect(dialog.get_by_role("link", name="Make a key at Anthropic")).to_have_attribute(
        "rel", "noopener noreferrer"
    )
    chat.shot("models-7-key-dialog")
    dialog.get_by_role("button", name="Cancel").click()
    page.keyboard.press("Escape")
    expect(models).to_have_count(0)


def test_a_provider_that_asks_to_wait(chat: ChatPage) -> None:
    """V3, V8: the page says that it is tried again, and when; a stop ends the wait."""
    page = chat.page
    with OpenAIProvider(
        Script(trouble="rate_limit", headers={"Retry-After": "50"})
    ).in_thread() as p:
        picker(chat)
        page.get_by_role("button", name="Set up the OpenAI-compatible").click()
        give(page, address=p.base_url, key="")
        page.locator(".jp-StopChat-choice[title='openai_compatible:gpt-test']").click()
        chat.ask("Hello?")
        line = chat.replies.last.locator(".jp-StopChat-retryLine")
        expect(line).to_contain_text(re.compile(r"asks to wait. Trying again in (50|4\d) s"))
        assert violations(chat) == []
        chat.shot("models-8-retry")
        chat.button.click()
        expect(chat.stopped_line).to_be_visible()
        expect(line).to_have_count(0)
        chat.expect_mode("send")
        assert len(p.requests) == 1

        p.scripts.append(Script(trouble="overloaded"))
        p.script = Script(tokens=["Good ", "day."])
        chat.ask("Hello again?")
        expect(line).to_contain_text("has a problem of its own. Trying again in 1 s")
        expect(chat.replies.last).to_have_attribute("data-state", "completed")
        expect(chat.reply()).to_have_text("Good day.")
        assert len(p.requests) == 3


def test_a_chat_that_outgrows_its_model(chat: ChatPage) -> None:
    """L5, B9, U39: the page says where what is not sent any more ends, also after a reload."""
    page = chat.page

    def short(request: Request) -> Script:
        if len(request.body["messages"]) > 4:  # instructions, and two turns
            return Script(trouble="context_length")
        return Script(tokens=["Good ", "day."])

    with OpenAIProvider(short).in_thread() as provider:
        picker(chat)
        page.get_by_role("button", name="Set up the OpenAI-compatible").click()
        give(page, address=provider.base_url, key="")
        page.locator(".jp-StopChat-choice[title='openai_compatible:gpt-test']").click()
        chat.command("stop-chat:new")
        expect(chat.messages).to_have_count(0)
        for number in range(1, 4):
            chat.ask(f"Prompt {number} " + "x" * 300)
            expect(chat.replies).to_have_count(number)
            expect(chat.replies.last).to_have_attribute("data-state", "completed")
            chat.expect_mode("send")
        cut = page.locator(".jp-StopChat-cut")
        expect(cut).to_contain_text("The model is told from here on")
        first = provider.requests[-1].body["messages"][1]["content"]
        below = cut.locator("xpath=following-sibling::article[1]")
        expect(below).to_contain_text(first[:8])
        chat.replies.last.hover()
        usage = chat.replies.last.locator(".jp-StopChat-usage")
        expect(usage).to_have_text("OpenAI-compatible server: gpt-test · 7 tokens in, 2 out")
        expect(usage).to_have_css("opacity", "1")
        # U39: on one line, the counts in its tooltip.
        expect(usage).to_have_attribute("title", re.compile(r"gpt-test · 7 tokens in, 2 out$"))
        assert usage.evaluate("line => line.clientHeight < 20")
        assert violations(chat) == []
        chat.shot("models-9-cut")
        chat.load_again()
        expect(cut).to_have_count(1)
        expect(below).to_contain_text(first[:8])


def test_a_wrong_address(chat: ChatPage) -> None:
    """T9, U6: it is called that, changing it is one click away, and the reply is made then."""
    page = chat.page
    chat.command("stop-chat:new")
    with OpenAIProvider(Script(tokens=["Good ", "day."])).in_thread() as provider:
        picker(chat)
        page.get_by_role("button", name="Set up the OpenAI-compatible").click()
        give(page, address=provider.base_url.removesuffix("/v1") + "/elsewhere", key="")
        search = page.locator(".jp-StopChat-models .jp-StopChat-search")
        search.fill("openai_compatible:gpt-test")
        search.press("Enter")
        chat.ask("Hello?")
        expect(chat.failed_line).to_contain_text("No model answers at this address")
        chat.shot("models-10-wrong-address")
        chat.failed_line.get_by_role("button", name="Change the address").click()
        give(page, address=provider.base_url, key="")
        expect(chat.replies.last).to_have_attribute("data-state", "completed")
        expect(chat.reply()).to_have_text("Good day.")
