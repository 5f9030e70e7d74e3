"""The list of chats: titles, states, and what can be done with each."""

from __future__ import annotations

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
    """L10, U26: with the line that was found; and it is gone for good, after a reload as well."""
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
    expect(chat.page.locator(".jp-StopChat-hit")).to_have_count(0)
    search.fill("RENAMED")
    expect(chat.page.locator(".jp-StopChat-hit")).to_have_text("A question to be renamed")
    expect(chat.page.locator(".jp-StopChat-hit mark")).to_have_text("renamed")
    expect(chat.page.locator(".jp-StopChat-chats h3")).to_have_text("Today")
    chat.width(250)
    chat.shot("search-hit-250")
    chat.width(420)
    search.fill("")

    def act(title: str, item: str) -> None:
        _row(chat, title).get_by_role("button", name=f"Actions for {title}").click()
        chat.page.get_by_role("menuitem", name=item).click()

    # A blank title changes nothing.
    for title, found in (("   ", "Lanterns"), (" Lamps ", "Lamps")):
        act("Lanterns", "Rename Chat")
        chat.page.locator(".jp-Dialog input").fill(title)
        chat.page.locator(".jp-Dialog").get_by_role("button", name="Rename").click()
        expect(_row(chat, found)).to_have_count(1)
    act("Lamps", "Delete Chat")
    chat.page.locator(".jp-Dialog").get_by_role("button", name="Cancel").click()
    expect(_row(chat, "Lamps")).to_have_count(1)
    act("Lamps", "Delete Chat")
    chat.page.locator(".jp-Dialog").get_by_role("button", name="Delete").click()
    expect(_row(chat, "Lamps")).to_have_count(0)
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


def test_a_chat_is_exported_and_imported(
    chat: ChatPage, provider: OpenAIProvider, tmp_path: Path
) -> None:
    """U27: as a file that holds what was said, or as a notebook beside the others, opened."""
    provider.script = SHORT
    chat.ask("Is 1/2 a question to keep?")
    chat.expect_mode("send")
    expect(_title(chat)).to_have_text("Is 1/2 a question to keep?")

    def choose(item: str) -> None:
        chat.page.get_by_role("button", name="More actions").click()
        chat.page.get_by_role("menuitem", name=item).click()

    for kind, suffix in (("Markdown", "md"), ("JSON", "json")):
        with chat.page.expect_download() as waiting:
            choose(f"Export Chat as {kind}")
        assert waiting.value.suggested_filename == f"Is 1 2 a question to keep.{suffix}"
        waiting.value.save_as(tmp_path / f"chat.{suffix}")
        text = (tmp_path / f"chat.{suffix}").read_text()
        assert "a question to keep?" in text
        assert "An answer." in text
    for name in ("Is 1 2 a question to keep.ipynb", "Is 1 2 a question to keep (2).ipynb"):
        choose("Export Chat as Notebook")
        shown = chat.page.locator("#jp-main-dock-panel .lm-TabBar-tab.lm-mod-current")
        expect(shown).to_have_text(name)
        assert "An answer." in (chat.lab.folder / "home" / name).read_text()
    expect(chat.page.locator(".jp-Dialog")).to_have_count(0)
    chat.shot("exported-notebook")
    chat.page.evaluate(
        """() => [...window.jupyterapp.shell.widgets('main')]
          .filter(one => one.node.matches('.jp-NotebookPanel')).forEach(one => one.dispose())"""
    )
    # Taken in, it is a chat of its own.
    chat.new_chat()
    with chat.page.expect_file_chooser() as chooser:
        choose("Import Chat")
    chooser.value.set_files(tmp_path / "chat.md")
    trouble = chat.page.locator(".jp-StopChat-notice")
    expect(trouble).to_contain_text("“chat.md” is no chat that was exported as JSON.")
    trouble.get_by_role("button", name="Dismiss").click()
    with chat.page.expect_file_chooser() as chooser:
        choose("Import Chat")
    chooser.value.set_files(tmp_path / "chat.json")
    expect(chat.reply()).to_have_text("An answer.")
    _open_list(chat)
    expect(_row(chat, "Is 1/2 a question to keep?")).to_have_count(2)


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
