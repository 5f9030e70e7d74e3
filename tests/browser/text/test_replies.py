"""What a person does with replies: switch versions, change the prompt, go on."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import open_chat
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)
OPEN_MARKDOWN = [
    "```python\nwhile True:\n    pass",
    "Some **bold words that never",
    "| a | b |\n|---|---|\n| 1 | [a link](https://exam",
    "<div><table><tr><td>a cell",
    "<!-- a comment",
    "$$\\frac{1}{2",
    "- one\n- two `code",
]


@pytest.mark.parametrize("text", OPEN_MARKDOWN)
def test_open_markdown_of_a_stopped_reply_breaks_nothing(
    chat: ChatPage, provider: OpenAIProvider, text: str
) -> None:
    """L11: the line below it, and the next turn, look as they always do."""
    if text == OPEN_MARKDOWN[0]:
        chat.shot("greeting")
    provider.script = Script(tokens=["Before.\n\n", text, "x"], stall_after=2)
    chat.ask("Say something open")
    chat.wait_for_text(8)
    chat.page.wait_for_timeout(200)
    chat.button.click()
    chat.expect_mode("send")
    line = chat.stopped_line
    expect(line).to_be_visible()
    style = line.evaluate(
        """line => {
          const style = getComputedStyle(line.querySelector('.jp-StopChat-stoppedWords'));
          const inside = line.closest('table, pre, code, b, strong, .jp-RenderedHTMLCommon');
          return [style.fontWeight, style.fontFamily === getComputedStyle(
            document.querySelector('.jp-StopChat-panel')).fontFamily, inside === null];
        }"""
    )
    assert style == ["400", True, True]
    provider.script = Script(tokens=["A **plain** answer."])
    chat.ask("And now?")
    expect(chat.reply()).to_have_text("A plain answer.")
    chat.expect_mode("send")


def test_versions_of_a_regenerated_reply(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V9: the same prompt is run again, and each reply can be looked at."""
    provider.script = LONG
    chat.ask("Tell me a story")
    chat.wait_for_text(30)
    chat.button.click()
    chat.expect_mode("send")
    first = chat.text()
    provider.script = Script(tokens=["The ", "second ", "reply."])
    chat.stopped_line.get_by_role("button", name="Regenerate").click()
    expect(chat.reply()).to_have_text("The second reply.")
    chat.expect_mode("send")
    versions = chat.page.get_by_role("group", name="Versions")
    expect(versions).to_contain_text("2/2")
    versions.get_by_role("button", name="Earlier version").click()
    expect(versions).to_contain_text("1/2")
    expect(chat.reply()).to_have_text(first)
    expect(chat.replies).to_have_count(1)
    chat.shot("versions")
    versions.get_by_role("button", name="Later version").click()
    expect(chat.reply()).to_have_text("The second reply.")


def test_continue_goes_on_in_the_same_reply(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V9."""
    provider.script = LONG
    chat.ask("Tell me a story")
    chat.wait_for_text(30)
    chat.button.click()
    chat.expect_mode("send")
    first = chat.text()
    provider.script = Script(tokens=["and so it ended."])
    chat.stopped_line.get_by_role("button", name="Continue").click()
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(chat.replies).to_have_count(1)
    expect(chat.reply()).to_contain_text("and so it ended.")
    assert chat.text().startswith(first)


def test_a_prompt_is_changed_and_asked_again(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V9: the earlier question stays as a version, with its answer."""
    provider.script = Script(tokens=["First ", "answer."])
    chat.ask("A bad question")
    expect(chat.reply()).to_have_text("First answer.")
    chat.expect_mode("send")
    prompt = chat.page.locator(".jp-StopChat-message[data-role=user]")
    prompt.hover()
    prompt.get_by_role("button", name="Edit").click()
    editor = chat.page.get_by_role("textbox", name="Change the prompt")
    expect(editor).to_have_value("A bad question")
    provider.script = Script(tokens=["Second ", "answer."])
    editor.fill("A good question")
    editor.press("Enter")
    expect(chat.reply()).to_have_text("Second answer.")
    expect(prompt).to_have_count(1)
    expect(prompt).to_contain_text("A good question")
    prompt.get_by_role("button", name="Earlier version").click()
    expect(chat.reply()).to_have_text("First answer.")
    expect(prompt).to_contain_text("A bad question")


TABLE = """| call | result | what it means for whoever reads it |
|---|---:|---|
| `count(3)` | 0, 1, 2 | It yields three numbers, one after the other, and ends without a word |
| `count(100000)` | many | Long |

- [ ] To do
- [x] Done

1. [ ] First

   And more.
- Plain
"""


def test_tables_scroll_and_tasks_have_no_bullet(chat: ChatPage, provider: OpenAIProvider) -> None:
    """U22, U40: at 250 pixels."""
    chat.width(250)
    provider.script = Script(tokens=[TABLE])
    chat.ask("Show me a table")
    chat.expect_mode("send")
    table = chat.reply().locator(".jp-StopChat-table")
    expect(table).to_contain_text("Long")
    assert table.evaluate("frame => frame.scrollWidth > frame.clientWidth + 200")
    rows = table.locator("tr").evaluate_all("rows => rows.map(row => row.clientHeight)")
    assert max(rows) < 60
    widest = table.locator("td").nth(2).evaluate("cell => cell.clientWidth")
    assert 200 < widest < 400
    styles = (
        chat.reply()
        .locator("li")
        .evaluate_all("items => items.map(item => getComputedStyle(item).listStyleType)")
    )
    assert styles == ["none", "none", "none", "disc"]
    beside = """item => Math.abs(item.querySelector('input').getBoundingClientRect().top
      - item.querySelector('p').getBoundingClientRect().top) < 10"""
    assert chat.reply().locator("li:has(p)").first.evaluate(beside)
    chat.shot("table-250")


@pytest.mark.stress
def test_a_second_tab_follows_and_can_stop(
    chat: ChatPage, provider: OpenAIProvider, browser: Browser, lab: Lab
) -> None:
    """B5, J4."""
    provider.script = LONG
    chat.ask("Tell me a story")
    chat.wait_for_text(30)
    tabs = open_chat(browser, lab)
    other = next(tabs)
    chat_id = chat.page.evaluate(
        "Object.entries(sessionStorage).find(([key]) => key.startsWith('jupyter-stop-chat:chat'))"
    )
    other.page.evaluate("([key, value]) => sessionStorage.setItem(key, value)", chat_id)
    other.load_again()
    other.wait_for_text(60)
    other.expect_mode("stop")
    other.button.click()
    for page in (chat, other):
        page.expect_mode("send")
        expect(page.stopped_line).to_contain_text("Response stopped by the user")
    # who was ahead is cut to what the one who stopped it had seen
    expect(chat.reply()).to_have_text(other.text())
    assert next(tabs, None) is None


def test_the_connection_is_lost_and_found(chat: ChatPage, provider: OpenAIProvider) -> None:
    """B5: a banner, and the text goes on where it was, nothing lost or doubled."""
    provider.script = LONG
    chat.ask("Tell me a story")
    chat.wait_for_text(30)
    chat.cut_connection()
    expect(chat.banner).to_contain_text("Connection lost")
    chat.shot("connection-lost")
    before = chat.text()
    chat.mend_connection()
    expect(chat.banner).to_have_count(0)
    chat.wait_for_text(len(before) + 100)
    chat.button.click()
    chat.expect_mode("send")
    words = chat.text().split()
    assert words[:-1] == [f"t{n}" for n in range(len(words) - 1)]


@pytest.mark.stress  # without a page the focus and the width are tried at every run
def test_esc_at_the_start_needs_no_click(fresh: ChatPage, provider: OpenAIProvider) -> None:
    """J1: the Launcher opens after the chat and does not keep the focus; later focus is kept.

    U10: and the panel is wide enough for code.
    """
    chat = fresh
    chat.page.wait_for_function(
        "Math.abs(document.querySelector('.jp-StopChat-panel').clientWidth - 350) < 10"
    )
    expect(chat.input).to_be_focused()
    provider.script = LONG
    chat.page.keyboard.type("Tell me a story")
    chat.page.keyboard.press("Enter")
    chat.wait_for_text(10)
    chat.page.keyboard.press("Escape")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()
    chat.page.locator(".jp-Launcher-body").click(position={"x": 5, "y": 5})
    chat.page.wait_for_timeout(300)
    expect(chat.input).not_to_be_focused()
