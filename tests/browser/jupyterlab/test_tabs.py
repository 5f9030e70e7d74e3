"""A chat in a tab of the main area, beside the one in the sidebar."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)
PROMPT = "Tell me about lighthouses"
TEXTS = """() => [...document.querySelectorAll('.jp-StopChat-panel')].map(panel =>
  panel.querySelector('[data-role=assistant] .jp-StopChat-body').textContent.trim())"""


#: Waits until JupyterLab has written down what is open, as it does a moment later.
SAVED = """async wanted => {
  const isThere = ({data}) => {
    const open = JSON.stringify(data['layout-restorer:data']?.main ?? '');
    return wanted.every(([where, what]) =>
      (where === 'main' ? open : JSON.stringify(data)).includes(what));
  };
  const {workspaces} = window.jupyterapp.serviceManager;
  while (!(await workspaces.list()).values.some(isThere)) {
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}"""


def _tab(chat: ChatPage) -> Locator:
    return chat.page.locator("#jp-main-dock-panel .jp-StopChat-panel")


def _side(chat: ChatPage) -> Locator:
    return chat.page.locator("#jp-left-stack .jp-StopChat-panel")


def _texts(chat: ChatPage) -> list[str]:
    """Return the newest reply's text as each view shows it, at one moment."""
    found: list[str] = chat.page.evaluate(TEXTS)
    return found


def test_two_views_are_in_step_and_the_tab_comes_back(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """S1, L7, J4, B5: one chat, one draft, one queue; Stop in one freezes both at once."""
    provider.script = LONG
    chat.ask(PROMPT)
    chat.wait_for_text(30)
    chat.command("stop-chat:open-tab")
    tab, side = _tab(chat), _side(chat)
    expect(tab.locator(".jp-StopChat-input")).to_be_focused()
    for view in (tab, side):
        expect(view.locator(".jp-StopChat-button")).to_have_attribute("data-mode", "stop")
    side.locator(".jp-StopChat-input").fill("A draft")
    expect(tab.locator(".jp-StopChat-input")).to_have_value("A draft")
    tab.locator(".jp-StopChat-input").press("Enter")
    expect(side.locator(".jp-StopChat-queued")).to_have_count(1)
    # Esc in the tab: nothing more is drawn in either, before the server has answered.
    chat.hold_stops()
    chat.page.wait_for_function(f"({TEXTS})().every(text => text.length > 60)")
    tab.locator(".jp-StopChat-list").press("Escape")
    for view in (tab, side):
        expect(view.locator(".jp-StopChat-button")).to_have_attribute("data-mode", "stopping")
        expect(view.locator(".jp-StopChat-input")).to_have_value(PROMPT)
    # What one of them had not drawn yet, nobody keeps.
    chat.page.wait_for_function(f"({TEXTS})().every((text, at, all) => text === all[0])")
    frozen = _texts(chat)
    sent = provider.tokens_sent
    while provider.tokens_sent < sent + 40:
        chat.page.wait_for_timeout(50)
    assert _texts(chat) == frozen
    chat.release_stops()
    for view in (tab, side):
        expect(view.locator(".jp-StopChat-stoppedLine")).to_be_visible()
        expect(view.locator(".jp-StopChat-button")).to_have_attribute("data-mode", "send")
    assert _texts(chat) == frozen
    chat.shot("tab")
    # A new chat in the sidebar leaves the tab where it is.
    side.get_by_role("button", name="New chat").click()
    expect(side.locator(".jp-StopChat-message")).to_have_count(0)
    expect(tab.locator(".jp-StopChat-stoppedLine")).to_be_visible()
    expect(chat.page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel")).to_contain_text([PROMPT])
    _workspace_is_saved(chat)
    chat.load_again()
    expect(tab.locator(".jp-StopChat-stoppedLine")).to_be_visible()
    expect(tab.locator(".jp-StopChat-body")).to_have_text(frozen[0])
    expect(tab.locator(".jp-StopChat-queued")).to_have_count(1)
    expect(side.locator(".jp-StopChat-message")).to_have_count(0)


def _workspace_is_saved(chat: ChatPage, *more: tuple[str, str]) -> None:
    """Wait until JupyterLab has written down that the tab is open."""
    chat.page.evaluate(SAVED, [("main", "stop-chat:jupyter-stop-chat-tab"), *more])


@pytest.mark.usefixtures("closed")
def test_a_new_chat_in_a_tab_that_does_not_tell_where_one_is(chat: ChatPage, lab: Lab) -> None:
    """It is still so after a reload; the sidebar's new chat tells it."""
    (lab.folder / "home" / "notes.txt").write_text("Lit at dusk.")
    chat.page.evaluate(
        """async () => {
          const {commands} = window.jupyterapp;
          await commands.execute('stop-chat:open-tab', {chatId: null});
          await commands.execute(
            'docmanager:open', {path: 'notes.txt', options: {mode: 'split-right'}});
        }"""
    )
    tells = [each.locator(".jp-StopChat-place") for each in (_tab(chat), _side(chat))]
    tells[0].get_by_role("button", name="Do not tell where I am").click()
    expect(tells[0]).to_have_attribute("data-told", "false")
    _workspace_is_saved(chat, ("main", "editor:notes.txt"), ("all", "withoutPlace"))
    chat.load_again()
    for each, told in zip(tells, ("false", "true"), strict=True):
        expect(each).to_have_attribute("data-told", told)


def test_a_reply_that_ends_in_a_tab_is_told_of_only_out_of_sight(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """J4: a chat that a tab in sight shows is looked at, whatever the sidebar shows."""
    toast = chat.page.locator(".Toastify__toast").filter(has_text="A reply")
    for told in (False, True):
        script = Script(tokens=["A slow ", "answer."], stall_after=1)
        provider.script = script
        box = _side(chat).locator(".jp-StopChat-input")
        box.fill(f"{PROMPT} {told}")
        box.press("Enter")
        expect(_side(chat).locator(".jp-StopChat-body").last).to_have_text("A slow")
        if not told:
            chat.command("stop-chat:open-tab")
            expect(_tab(chat).locator(".jp-StopChat-body").last).to_have_text("A slow")
        _side(chat).get_by_role("button", name="New chat").click()
        expect(_side(chat).locator(".jp-StopChat-message")).to_have_count(0)
        script.resume.set()
        if told:
            expect(toast).to_contain_text(f"A reply is complete in “{PROMPT} True”.")
        else:
            expect(_tab(chat).locator(".jp-StopChat-body").last).to_have_text("A slow answer.")
            expect(toast).to_have_count(0)


def test_a_chat_that_the_server_does_not_know_yet_opens_in_a_tab(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """S6: it is the same chat, with its draft; not one more."""
    provider.script = Script(tokens=["An ", "answer."])
    _side(chat).locator(".jp-StopChat-input").fill(PROMPT)
    chat.command("stop-chat:open-tab")
    box = _tab(chat).locator(".jp-StopChat-input")
    expect(box).to_have_value(PROMPT)
    box.press("Enter")
    for view in (_tab(chat), _side(chat)):
        expect(view.locator(".jp-StopChat-body")).to_have_text("An answer.")
    chat.command("stop-chat:open-tab")
    expect(_tab(chat)).to_have_count(1)
    expect(chat.page.locator("#jp-main-dock-panel .lm-TabBar-tabLabel")).to_contain_text([PROMPT])
    _workspace_is_saved(chat)
