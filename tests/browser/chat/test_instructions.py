"""What models are told before a chat: written in a dialog, and looked at from a reply."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

RULES = "Use polars.\n\n\tNever pandas: \u201cslow\u201d \U0001f422."


@pytest.fixture(scope="module")
def home(lab: Lab) -> Path:
    """Put a file with its rules where JupyterLab shows them."""
    folder = lab.folder / "home"
    (folder / "study").mkdir()
    (folder / "study" / "AGENTS.md").write_text(RULES)
    (folder / "study" / "look.py").write_text("lamp = 'lit'\n")
    return folder


def _menu(chat: ChatPage, button: str, item: str) -> None:
    chat.page.get_by_role("button", name=button, exact=True).last.click()
    chat.page.get_by_role("menuitem", name=item).click()


def _fields(chat: ChatPage) -> tuple[Locator, Locator]:
    _menu(chat, "More actions", "Instructions…")
    dialog = chat.page.locator(".jp-Dialog")
    return dialog.get_by_label("For all your chats"), dialog.get_by_label("For this chat")


def _ask(chat: ChatPage, provider: OpenAIProvider) -> str:
    """Send a prompt; return what the provider was told before it."""
    provider.script = Script(tokens=["I ", "see."])
    count = chat.replies.count()
    chat.ask("What is this?")
    expect(chat.replies).to_have_count(count + 1)
    chat.expect_mode("send")
    first = provider.requests[-1].body["messages"][0]
    assert first["role"] == "system"
    told: str = first["content"]
    return told


def test_what_is_written_is_sent_and_what_was_sent_is_shown(
    chat: ChatPage, provider: OpenAIProvider, home: Path
) -> None:
    own, this = _fields(chat)
    expect(this).to_be_disabled()
    own.fill("I know R.")
    own.press("Enter")  # a new line, not the end of the dialog
    own.type("Be brief.")
    chat.page.get_by_role("button", name="Save").click()
    chat.page.evaluate(
        """async () => {
          const widget = await window.jupyterapp.commands.execute(
            'docmanager:open', {path: 'study/look.py'});
          await widget.context.ready;
        }"""
    )
    first = _ask(chat, provider)
    assert "From the person, for all chats:\nI know R.\nBe brief." in first
    assert first.endswith(f"From the file study/AGENTS.md:\n{RULES}")
    own, this = _fields(chat)
    expect(own).to_have_value("I know R.\nBe brief.")
    this.fill("Answer in German.")
    chat.shot("instructions")
    chat.page.get_by_role("button", name="Save").click()
    second = _ask(chat, provider)
    assert second == f"{first}\n\nFrom the person, for this chat:\nAnswer in German."
    _menu(chat, "Actions for this reply", "What Was Sent…")
    shown = chat.page.locator(".jp-StopChat-sentTexts pre")
    expect(shown).to_have_count(2)
    asked = provider.requests[-1].body["messages"][-1]["content"]
    assert shown.all_text_contents() == [second, asked]
    chat.shot("what-was-sent")
    chat.theme("JupyterLab Dark")
    chat.shot("what-was-sent-dark")
    chat.theme("JupyterLab Light")
    chat.leave_dialog()
    own, _ = _fields(chat)
    own.fill("")
    chat.page.get_by_role("button", name="Save").click()
    expect(chat.page.locator(".jp-Dialog")).to_have_count(0)


def test_what_cannot_be_saved_stays_in_the_dialog(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    own, _ = _fields(chat)
    own.fill("Not lost.")
    chat.page.route("**/api/stop-chat/instructions*", lambda route: route.abort())
    chat.page.get_by_role("button", name="Save").click()
    expect(chat.page.get_by_role("alert")).to_have_text("The server did not answer. Try again.")
    expect(chat.page.locator(".jp-Dialog").get_by_label("For all")).to_have_value("Not lost.")
    chat.page.unroute("**/api/stop-chat/instructions*")
    chat.leave_dialog()
