"""The panel as axe-core sees it, in both themes, and as a person does, in screenshots."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import AXE, FIELDS, OURS, THEMES, violations
from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

REPLY = """A **generator** is a function that *yields*; see [the manual](https://example.org).

```python
def count(limit: int):
    \"\"\"Yield the numbers below a limit, one after the other, and nothing else at all.\"\"\"
    for n in range(limit):
        yield n  # lazily
```

| call | result |
|---|---:|
| `count(3)` | 0, 1, 2 |

1. It keeps its place, with $x^2$ in it.
2. It ends at \\( n = 3 \\).

> And so on.
"""
LONG = Script(tokens=100_000, rate=60)


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(chat: ChatPage, provider: OpenAIProvider, theme: str) -> None:
    """L6: every state of the panel, by axe-core's rules, contrast among them."""
    chat.page.evaluate(AXE.read_text())
    chat.theme(THEMES[theme])
    assert violations(chat) == []
    chat.shot(f"{theme}-greeting")
    chat.width(600)
    provider.script = Script(tokens=[REPLY])
    chat.ask("What is a generator?")
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    chat.expect_mode("send")
    expect(chat.page.locator("mjx-container").first).to_be_attached()
    chat.page.wait_for_timeout(300)
    chat.shot(f"{theme}-600-answer")
    assert violations(chat) == []
    provider.script = LONG
    chat.ask("And what is a coroutine, in a few thousand words?")
    chat.wait_for_text(60)
    chat.ask("A prompt that waits, and that is too long for its one line of the queue")
    expect(chat.queue).to_have_count(1)
    assert violations(chat) == []
    chat.input.fill("Something newer")
    chat.button.click()
    expect(chat.chip).to_be_visible()
    expect(chat.stopped_line).to_be_visible()
    chat.shot(f"{theme}-600-stopped")
    assert violations(chat) == []
    chat.width(250)
    chat.shot(f"{theme}-250-stopped")
    assert violations(chat) == []
    chat.page.locator(".jp-StopChat-chatsButton").click()
    expect(chat.page.locator(".jp-StopChat-chatRow").first).to_be_visible()
    chat.shot(f"{theme}-250-chats")
    assert violations(chat) == []
    chat.page.keyboard.press("Escape")
    chat.page.get_by_role("button", name="Send next").click()
    chat.expect_mode("stop")
    chat.button.click()
    chat.expect_mode("send")
    provider.script = Script(trouble="bad_key")
    chat.input.fill("One that fails")
    chat.page.wait_for_timeout(450)  # the guard against a double click on Stop
    chat.button.click()
    expect(chat.failed_line).to_be_visible()
    chat.shot(f"{theme}-250-failed")
    assert violations(chat) == []


@pytest.mark.parametrize(
    ("theme", "widths"),
    [
        ("light", (250,)),
        *(pytest.param(each, (250, 600), marks=pytest.mark.stress) for each in ("light", "dark")),
    ],
)
def test_axe_finds_nothing_in_what_opens(
    chat: ChatPage, provider: OpenAIProvider, theme: str, widths: tuple[int, ...]
) -> None:
    """L6: stopping, attachments, lists, fields and dialogs, each at both widths."""
    page = chat.page
    page.evaluate(AXE.read_text())
    chat.theme(THEMES[theme])

    def look(name: str, where: str = OURS) -> None:
        for pixels in widths:
            chat.width(pixels)
            chat.shot(f"{theme}-{pixels}-{name}")
            assert violations(chat, where) == [], (name, pixels)

    chat.drop_file("what the keeper wrote in the winter of 1911.txt", "The lamp is lit at dusk.")
    expect(chat.attached).to_have_count(1)
    look("attached")
    provider.script = LONG
    chat.ask("Tell me about lighthouses")
    chat.wait_for_text(60)
    page.locator(".jp-StopChat-sentAttachment summary").click()
    look("generating")
    chat.ask("One that waits")
    expect(chat.queue).to_have_count(1)
    chat.queue.get_by_role("button", name="Edit").click()
    look("queue-edited")
    page.locator(".jp-StopChat-editor").get_by_role("button", name="Cancel").click()
    chat.hold_stops()
    chat.button.click()
    chat.expect_mode("stopping")
    look("stopping")
    chat.release_stops()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()
    for pixels in widths:
        chat.width(pixels)
        page.locator(".jp-StopChat-stoppedWords").hover()
        expect(page.locator(".jp-StopChat-receipt")).to_be_visible()
        chat.shot(f"{theme}-{pixels}-receipt")
        assert violations(chat) == []
    page.locator(".jp-StopChat-titleButton").click()
    look("title")
    page.locator(".jp-StopChat-titleInput").press("Escape")
    chat.messages.first.hover()
    chat.messages.first.get_by_role("button", name="Edit").click()
    look("edit")
    page.locator(".jp-StopChat-editor").get_by_role("button", name="Cancel").click()
    page.locator(".jp-StopChat-model").click()
    expect(page.locator(".jp-StopChat-models").get_by_text("smollm2").first).to_be_visible()
    look("models")
    page.locator(".jp-StopChat-models").get_by_role("button", name="Add a key for").first.click()
    expect(page.locator(FIELDS)).to_be_visible()
    look("key", FIELDS)
    chat.leave_dialog()
    page.locator(".jp-StopChat-model").press("Escape")
    chat.cut_connection()
    expect(chat.banner).to_be_visible()
    look("lost")
    chat.mend_connection()
    expect(chat.banner).to_have_count(0)
    chat.command("stop-chat:open-tab")
    expect(page.locator("#jp-main-dock-panel .jp-StopChat-panel")).to_be_visible()
    look("tab", "#jp-main-dock-panel .jp-StopChat-panel")
    page.evaluate("window.jupyterapp.shell.currentWidget.close()")


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_in_thoughts_and_diagrams(
    chat: ChatPage, provider: OpenAIProvider, theme: str
) -> None:
    """L6: unfolded, and drawn."""
    chat.page.evaluate(AXE.read_text())
    chat.theme(THEMES[theme])
    diagram = "```mermaid\ngraph TD\nA[Read] --> B[Parse]\n```\n\nThe end."
    provider.script = Script(reasoning=["Ships come ", "at dusk."], tokens=[diagram])
    chat.ask("What comes?")
    expect(chat.reply()).to_contain_text("The end.")
    chat.expect_mode("send")
    expect(chat.reply().locator(".jp-StopChat-diagram img")).to_have_count(1)
    thoughts = chat.replies.last.locator(".jp-StopChat-reasoning")
    thoughts.locator("summary").click()
    expect(thoughts.locator("div")).to_be_visible()
    for pixels in (250, 600):
        chat.width(pixels)
        chat.shot(f"{theme}-{pixels}-thoughts")
        assert violations(chat) == []


def test_the_keyboard_alone_reaches_everything(chat: ChatPage, provider: OpenAIProvider) -> None:
    """J1, L6, U33: Tab goes through each control of the panel, with one stop a message."""
    provider.script = Script(tokens=["Code:\n\n```python\n", "x\n", "```\n"])
    chat.ask("Write code")
    chat.expect_mode("send")
    chat.page.locator(".jp-StopChat-chatsButton").focus()
    wanted = ["Chats", "More actions", "New chat", "Messages", "You", "Reply", "Prompt", "Send"]
    wanted.append("Agent")
    reached = _path(chat, ["Tab"] * 13)
    assert [name for name in reached if name in wanted] == wanted[1:]
    assert None in reached
    chat.input.focus()
    # The arrows lead through a message, and pages from one to the next.
    assert _path(chat, ["Shift+Tab"]) == ["Reply"]
    chat.shot("message-focused")
    reached = _path(chat, ["ArrowRight"] * 9)
    tools = ["Wrap long lines", "Copy", "Insert", "Replace", "New cell"]
    assert [str(name).startswith(tool) for name, tool in zip(reached, tools, strict=False)] == [
        True
    ] * len(tools)
    assert reached[5:] == ["x", "Copy the reply", "Regenerate", "Actions for this reply"]
    assert _path(chat, ["PageUp", "ArrowRight", "PageDown", "Tab"]) == [
        "You",
        "Edit",
        "Reply",
        "Prompt",
    ]


def _path(chat: ChatPage, keys: list[str]) -> list[str | None]:
    """Press keys, and return the name of what has the focus after each; None is elsewhere."""
    names: list[str | None] = []
    for key in keys:
        chat.page.keyboard.press(key)
        names.append(
            chat.page.evaluate(
                """() => {
                  const at = document.activeElement;
                  return at?.closest('.jp-StopChat-panel')
                    ? at.getAttribute('aria-label') || at.title || at.textContent : null;
                }"""
            )
        )
    return names
