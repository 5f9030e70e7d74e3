"""The panel as axe-core sees it, in both themes, and as a person does, in screenshots."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
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


def _violations(chat: ChatPage) -> list[str]:
    found: list[str] = chat.page.evaluate(
        """async () => {
          const {violations, incomplete} = await axe.run('.jp-StopChat-panel');
          // What it cannot tell for itself is a question, but never about plain code or text.
          const unsure = incomplete.filter(one => one.id === 'color-contrast');
          return [...violations, ...unsure].flatMap(one => one.nodes.map(node =>
            `${one.id}: ${node.target} ${node.html.slice(0, 120)} ${node.failureSummary}`));
        }"""
    )
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing(chat: ChatPage, provider: OpenAIProvider, theme: str) -> None:
    """L6: every state of the panel, by axe-core's rules, contrast among them."""
    chat.page.evaluate(AXE.read_text())
    chat.theme(THEMES[theme])
    assert _violations(chat) == []
    chat.shot(f"{theme}-greeting")
    chat.width(600)
    provider.script = Script(tokens=[REPLY])
    chat.ask("What is a generator?")
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    chat.expect_mode("send")
    expect(chat.page.locator("mjx-container").first).to_be_attached()
    chat.page.wait_for_timeout(300)
    chat.shot(f"{theme}-600-answer")
    assert _violations(chat) == []
    provider.script = LONG
    chat.ask("And what is a coroutine, in a few thousand words?")
    chat.wait_for_text(60)
    chat.ask("A prompt that waits, and that is too long for its one line of the queue")
    expect(chat.queue).to_have_count(1)
    assert _violations(chat) == []
    chat.input.fill("Something newer")
    chat.button.click()
    expect(chat.chip).to_be_visible()
    expect(chat.stopped_line).to_be_visible()
    chat.shot(f"{theme}-600-stopped")
    assert _violations(chat) == []
    chat.width(250)
    chat.shot(f"{theme}-250-stopped")
    assert _violations(chat) == []
    chat.page.locator(".jp-StopChat-chatsButton").click()
    expect(chat.page.locator(".jp-StopChat-chatRow").first).to_be_visible()
    chat.shot(f"{theme}-250-chats")
    assert _violations(chat) == []
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
    assert _violations(chat) == []


def test_the_keyboard_alone_reaches_everything(chat: ChatPage, provider: OpenAIProvider) -> None:
    """J1, L6: Tab goes through each control of the panel, and leaves it again."""
    provider.script = Script(tokens=["Code:\n\n```python\nx\n```\n"])
    chat.ask("Write code")
    chat.expect_mode("send")
    chat.page.locator(".jp-StopChat-chatsButton").focus()
    reached = []
    for _ in range(40):
        name = chat.page.evaluate(
            """() => {
              const at = document.activeElement;
              return at?.closest('.jp-StopChat-panel')
                ? at.getAttribute('aria-label') ?? at.title ?? at.textContent : null;
            }"""
        )
        if name is None:
            break
        reached.append(name)
        chat.page.keyboard.press("Tab")
    wanted = ["Chats", "More actions", "New chat", "Messages", "Copy", "Prompt", "Send"]
    assert [name for name in reached if name in wanted] == wanted
    assert len(reached) < 40
