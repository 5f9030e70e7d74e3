"""What a model does besides its words: it thinks, and an agent calls tools."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.axe import AXE, violations
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import Pages
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script, ToolUse

pytestmark = pytest.mark.browser

AGENT, USUAL = "lookout:any", "openai:loopback"
THOUGHTS = ["Ships come ", "at dusk."]


@pytest.fixture(scope="module")
def package(lab: Lab) -> Path:
    """Return the folder of the package with the agent."""
    assert lab.packages
    return lab.packages


@pytest.fixture(scope="module", autouse=True)
def agent_is_chosen(pages: Pages, lab: Lab, module_page: None) -> Iterator[None]:
    """Let the agent be what answers, in each new chat."""
    for model in (AGENT, USUAL):
        if model == USUAL:
            yield
            lab.ask("DELETE", "api/stop-chat/models/choice")
        chat, _ = pages.of(lab)
        chat.begin_anew()
        _choose(chat, model)


@pytest.fixture
def ship(package: Path) -> Iterator[Path]:
    """Return the file that the agent's tool waits for."""
    flag = package / "come"
    flag.unlink(missing_ok=True)
    yield flag
    flag.touch()  # a tool that still waits ends


def _thoughts(chat: ChatPage) -> Locator:
    return chat.replies.last.locator(".jp-StopChat-reasoning")


def _tools(chat: ChatPage) -> Locator:
    """Return what tools the newest reply names, and their states."""
    return chat.replies.last.locator(".jp-StopChat-tool > summary")


def test_thoughts_are_folded_away(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V8: "Thinking…" while there is nothing else; and they unfold."""
    script = Script(reasoning=THOUGHTS, tokens=["A ", "ship."], stall_after=0)
    provider.script = script
    chat.ask("What comes?")
    thoughts = _thoughts(chat)
    expect(thoughts.locator("summary")).to_have_text("Thinking…")
    expect(thoughts.locator("div")).to_be_hidden()
    chat.shot("thinking")
    thoughts.locator("summary").click()
    expect(thoughts.locator("div")).to_have_text("Ships come at dusk.")
    chat.shot("thinking-unfolded")
    script.resume.set()
    expect(chat.reply()).to_have_text("A ship.")
    expect(thoughts.locator("summary")).to_have_text("Thoughts")
    chat.expect_mode("send")


def test_stop_while_it_thinks(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V8, V1: the thoughts so far stay, and the provider's connection closes."""
    provider.script = Script(reasoning=THOUGHTS, tokens=["A ", "ship."], stall_after=0)
    chat.ask("What comes?")
    expect(_thoughts(chat)).to_be_visible()
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(_thoughts(chat).locator("summary")).to_have_text("Thoughts")
    expect(chat.input).to_have_value("What comes?")
    expect(chat.reply()).to_have_text("")
    while not provider.requests[-1].closed.is_set():
        chat.page.wait_for_timeout(20)
    # Nothing of it is in the way of the next turn.
    provider.script = Script(tokens=["A ", "gull."])
    chat.input.press("Enter")
    expect(chat.reply()).to_have_text("A gull.")


def test_a_tool_is_one_line_with_its_state(
    chat: ChatPage, provider: OpenAIProvider, ship: Path
) -> None:
    """V8, J7: running, then done or failed; and the words that follow."""
    calls = [
        ToolUse("look_out", {"where": "tower"}),
        ToolUse("look_out", {"nowhere": True}, "call_2"),
    ]
    provider.scripts.append(Script(tokens=["I look. "], tool_calls=calls))
    provider.script = Script(tokens=["A ", "ship."])
    chat.ask("What comes?")
    tools = _tools(chat)
    expect(tools.first).to_have_text("look_out running")
    chat.shot("tools-running")
    ship.touch()
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(tools).to_have_text(["look_out done", "look_out failed"])
    expect(chat.reply()).to_have_text("I look. A ship.")
    chat.expect_mode("send")
    chat.shot("tools")


def test_what_a_tool_was_asked_and_said_unfolds(
    chat: ChatPage, provider: OpenAIProvider, ship: Path
) -> None:
    """V8, L6: by the keyboard, as text, and to be copied; nothing of it is in a tooltip."""
    call = ToolUse("look_out", {"where": "<b>tower</b>"})
    provider.scripts.append(Script(tokens=["I look. "], tool_calls=[call]))
    provider.script = Script(tokens=["A ", "ship."])
    ship.touch()
    chat.ask("What comes?")
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    details = chat.replies.last.locator("details.jp-StopChat-tool")
    asked = details.locator("pre").first
    expect(asked).to_be_hidden()
    details.locator("summary").focus()
    chat.page.keyboard.press("Enter")
    expect(asked).to_be_visible()
    expect(asked).to_contain_text("<b>tower</b>")
    expect(details.get_by_role("button", name="Copy: Arguments")).to_be_visible()
    expect(details.get_by_role("button", name="Copy: Result")).to_be_visible()
    expect(chat.replies.last.locator(".jp-StopChat-tool[title]")).to_have_count(0)
    chat.page.evaluate(AXE.read_text())
    for theme in ("Light", "Dark"):
        chat.theme(f"JupyterLab {theme}")
        chat.shot(f"tool-details-{theme.lower()}")
        assert violations(chat) == []
    chat.theme("JupyterLab Light")


def test_a_tool_that_breaks(chat: ChatPage, provider: OpenAIProvider) -> None:
    """V3, V8: it has failed, nobody stopped it, and nothing of its exception is on the page."""
    call = ToolUse("look_out", {"where": "cellar"})
    provider.scripts.append(Script(tokens=["I look. "], tool_calls=[call]))
    chat.ask("What comes?")
    expect(chat.failed_line).to_contain_text("Generation failed:")
    expect(_tools(chat)).to_have_text("look_out failed")
    expect(chat.reply()).to_have_text("I look.")
    chat.shot("tool-failed")
    assert "cellar-7" not in chat.page.content()
    chat.expect_mode("send")


def test_stop_while_a_tool_runs(chat: ChatPage, provider: OpenAIProvider, ship: Path) -> None:
    """V8, B8, J7: the line says so, no other request is made, and the next turn is valid.

    A reload shows the same, and the thoughts of the reply before it folded away.
    """
    provider.script = Script(reasoning=THOUGHTS, tokens=["A ", "ship."])
    chat.ask("What comes first?")
    expect(chat.reply()).to_have_text("A ship.")
    chat.expect_mode("send")
    call = ToolUse("look_out", {"where": "tower"})
    provider.scripts.append(Script(tokens=["I look. "], tool_calls=[call]))
    provider.script = Script(tokens=["Never."])
    chat.ask("What comes?")
    expect(_tools(chat)).to_have_text("look_out running")
    expect(chat.reply()).to_have_text("I look.")  # what is not drawn yet would not be kept
    requests = len(provider.requests)
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(_tools(chat)).to_have_text("look_out stopped")
    expect(chat.reply()).to_have_text("I look.")
    chat.shot("tool-stopped")
    ship.touch()
    assert len(provider.requests) == requests
    chat.load_again()
    expect(_tools(chat)).to_have_text("look_out stopped")
    first = chat.replies.first
    expect(first.locator(".jp-StopChat-body")).to_have_text("A ship.")
    expect(first.locator(".jp-StopChat-reasoning > summary")).to_have_text("Thoughts")
    expect(first.locator(".jp-StopChat-reasoning > div")).to_be_hidden()
    chat.shot("thoughts")
    provider.script = Script(tokens=["A ", "gull."])
    chat.ask("And now?")
    expect(chat.reply()).to_have_text("A gull.")
    asked = str(provider.requests[-1].body)
    assert "function_call" not in asked


def _choose(chat: ChatPage, model: str) -> None:
    button = chat.page.locator("button.jp-StopChat-model")
    button.click()
    expect(chat.page.locator(".jp-StopChat-models .jp-StopChat-search")).to_be_focused()
    expect(chat.page.locator(".jp-StopChat-choice").first).to_be_visible()
    chat.page.keyboard.type(model)
    chat.page.keyboard.press("Enter")
    expect(button).to_contain_text(model.partition(":")[0], ignore_case=True)


def test_a_model_that_cannot_be_cancelled(chat: ChatPage, package: Path, ship: Path) -> None:
    """J3, B1, B2: its thread goes on; the page and the history do not, and the receipt says so."""
    said = package / "said"
    _choose(chat, "stubborn:any")
    chat.ask("Stop it!")
    expect(chat.reply()).to_have_text("It never ends:")
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.stopped_line).to_contain_text("finish")
    chat.shot("cannot-be-cancelled")
    assert not said.exists()
    ship.touch()
    while not said.exists():
        chat.page.wait_for_timeout(20)
    said.unlink()
    expect(chat.reply()).to_have_text("It never ends:")
    (newest,) = chat.lab.ask("GET", "api/stop-chat/chats?limit=1")["chats"]
    kept = chat.lab.ask("GET", f"api/stop-chat/chats/{newest['id']}")["messages"][-1]
    assert (kept["text"].strip(), kept["state"]) == ("It never ends:", "interrupted")
    _choose(chat, AGENT)
