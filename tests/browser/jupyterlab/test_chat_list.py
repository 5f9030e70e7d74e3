"""The list of chats: titles, states, and what can be done with each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)
SHORT = Script(tokens=["An ", "answer."])


def _row(chat: ChatPage, title: str) -> Locator:
    return chat.page.locator(".jp-StopChat-chatRow").filter(has_text=title)


def _open_list(chat: ChatPage) -> None:
    chat.page.get_by_role("button", name="Chats", exact=True).click()


def _new_chat(chat: ChatPage) -> None:
    chat.page.get_by_role("button", name="New chat").click()
    expect(chat.messages).to_have_count(0)


def _title(chat: ChatPage) -> Locator:
    return chat.page.locator(".jp-StopChat-title")


def test_a_title_is_awaited_as_a_skeleton_and_comes(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """L9, L10: also for a turn that was stopped."""
    provider.script = LONG
    chat.ask("Tell me about lighthouses")
    chat.wait_for_text(10)
    skeleton = chat.page.locator(".jp-StopChat-header .jp-StopChat-skeleton")
    expect(skeleton).to_have_attribute("aria-label", "Title pending")
    _open_list(chat)
    expect(
        chat.page.locator(".jp-StopChat-chatRow").first.locator(".jp-StopChat-skeleton")
    ).to_be_visible()
    chat.shot("list-skeleton")
    chat.page.keyboard.press("Escape")
    chat.expect_mode("stop")
    chat.button.click()
    chat.expect_mode("send")
    expect(_title(chat)).to_have_text("Tell me about lighthouses")
    expect(skeleton).to_have_count(0)


def test_chats_show_their_state_and_go_on_when_they_are_left(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """L10, J4, B5: generating, unread, stopped, failed."""
    script = Script(tokens=["Slow ", "answer."], stall_after=1)
    provider.script = script
    chat.ask("Slow question")
    chat.wait_for_text(4)
    _new_chat(chat)
    provider.script = LONG
    chat.ask("Stopped question")
    chat.wait_for_text(10)
    chat.button.click()
    chat.expect_mode("send")
    _new_chat(chat)
    provider.script = Script(trouble="bad_key")
    chat.ask("Failed question")
    expect(chat.failed_line).to_be_visible()
    _open_list(chat)
    expect(chat.page.locator("[data-dot=generating]")).to_have_count(1)
    expect(_row(chat, "Stopped question").locator("[data-dot=stopped]")).to_be_visible()
    expect(_row(chat, "Failed question").locator("[data-dot=failed]")).to_be_visible()
    script.resume.set()
    expect(_row(chat, "Slow question").locator("[data-dot=unread]")).to_be_visible()
    chat.shot("list-states")
    _row(chat, "Slow question").locator(".jp-StopChat-chat").click()
    expect(chat.reply()).to_have_text("Slow answer.")
    expect(chat.input).to_be_focused()
    _open_list(chat)
    expect(_row(chat, "Slow question").locator(".jp-StopChat-dot")).to_have_count(0)


def test_a_chat_is_renamed_found_and_deleted(chat: ChatPage, provider: OpenAIProvider) -> None:
    """L10: and it is gone for good, after a reload as well."""
    provider.script = SHORT
    chat.ask("A question to be renamed")
    chat.expect_mode("send")
    expect(_title(chat)).to_have_text("A question to be renamed")
    _title(chat).get_by_role("button").click()
    box = chat.page.get_by_role("textbox", name="Title")
    expect(box).to_be_focused()
    box.fill("Lanterns")
    box.press("Enter")
    expect(_title(chat)).to_have_text("Lanterns")
    expect(chat.input).to_be_focused()
    chat.load_again()
    expect(_title(chat)).to_have_text("Lanterns")
    _open_list(chat)
    search = chat.page.get_by_role("searchbox", name="Search chats")
    expect(search).to_be_focused()
    search.fill("lantern")
    expect(chat.page.locator(".jp-StopChat-chatRow")).to_have_count(1)
    search.fill("")
    delete = _row(chat, "Lanterns").get_by_role("button", name="Delete")
    delete.click()
    chat.page.locator(".jp-Dialog").get_by_role("button", name="Cancel").click()
    expect(_row(chat, "Lanterns")).to_have_count(1)
    delete.click()
    chat.page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    expect(_row(chat, "Lanterns")).to_have_count(0)
    expect(chat.messages).to_have_count(0)
    chat.load_again()
    expect(chat.messages).to_have_count(0)


def test_deleting_stops_what_is_made(chat: ChatPage, provider: OpenAIProvider) -> None:
    """J4, V1."""
    provider.script = LONG
    chat.ask("A question that is deleted")
    chat.wait_for_text(10)
    chat.command("stop-chat:delete")
    chat.page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    expect(chat.messages).to_have_count(0)
    chat.expect_mode("send")
    while not provider.requests[-1].closed.is_set():
        chat.page.wait_for_timeout(20)


@pytest.mark.parametrize("kind", ["Markdown", "Notebook", "JSON"])
def test_a_chat_is_exported(
    chat: ChatPage, provider: OpenAIProvider, kind: str, tmp_path: Path
) -> None:
    """The menu hands the chat over as a file that holds what was said."""
    provider.script = SHORT
    chat.ask("A question to keep")
    chat.expect_mode("send")
    expect(_title(chat)).to_have_text("A question to keep")
    chat.page.get_by_role("button", name="More actions").click()
    with chat.page.expect_download() as waiting:
        chat.page.get_by_role("menuitem", name=f"Export Chat as {kind}").click()
    suffix = {"Markdown": "md", "Notebook": "ipynb", "JSON": "json"}[kind]
    assert waiting.value.suggested_filename == f"A question to keep.{suffix}"
    file = tmp_path / "export"
    waiting.value.save_as(file)
    text = file.read_text()
    assert "A question to keep" in text
    assert "An answer." in text
    if kind != "Markdown":
        json.loads(text)


def test_a_chat_that_is_deleted_elsewhere_leaves_the_view(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """B5: another tab, or a script, has deleted it."""
    provider.script = SHORT
    chat.ask("A question that is deleted elsewhere")
    chat.expect_mode("send")
    expect(_title(chat)).to_have_text("A question that is deleted elsewhere")
    chat.load_again()
    expect(chat.messages).to_have_count(2)
    status = chat.page.evaluate(
        """async () => {
          const [, id] = Object.entries(sessionStorage)
            .find(([key]) => key.startsWith('jupyter-stop-chat:chat'));
          const cookie = document.cookie.match(/_xsrf=([^;]*)/);
          const {baseUrl} = window.jupyterapp.serviceManager.serverSettings;
          const answer = await fetch(`${baseUrl}api/stop-chat/chats/${id}`,
            {method: 'DELETE', headers: {'X-XSRFToken': cookie ? cookie[1] : ''}});
          return answer.status;
        }"""
    )
    assert status == 204
    expect(chat.messages).to_have_count(0)
    expect(_title(chat)).to_have_text("New chat")
