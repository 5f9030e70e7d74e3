"""Esc and the other keys, and what wants Esc before Stop does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

LONG = Script(tokens=100_000, rate=60)


#: What takes more than a line in the list of models, and a field whose words are cut.
BROKEN = """
() => [...document.querySelectorAll(
    '.jp-StopChat-provider, .jp-StopChat-models .jp-StopChat-primary')]
  .filter(one => one.getBoundingClientRect().height > 30)
  .map(one => one.textContent)
  .concat(
    [...document.querySelectorAll('.jp-StopChat-models input')].filter(input => {
      const words = document.createElement('canvas').getContext('2d');
      words.font = getComputedStyle(input).font;
      return words.measureText(input.placeholder).width > input.clientWidth - 16;
    }).map(input => input.placeholder))
"""


def _begin(chat: ChatPage, provider: OpenAIProvider) -> None:
    provider.script = LONG
    chat.ask("Tell me a story")
    chat.wait_for_text(20)


def _expect_not_stopped(chat: ChatPage) -> None:
    assert chat.sent_of("stop") == []
    chat.expect_mode("stop")


def test_esc_is_not_for_stop_while_something_else_wants_it(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """S1, J1: a menu, a dialog, a field of the panel, an input method that composes."""
    _begin(chat, provider)
    chat.page.get_by_role("button", name="More actions").click()
    expect(chat.page.locator(".lm-Menu")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator(".lm-Menu")).to_have_count(0)
    _expect_not_stopped(chat)
    chat.command("stop-chat:delete")
    expect(chat.page.locator(".jp-Dialog")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator(".jp-Dialog")).to_have_count(0)
    _expect_not_stopped(chat)
    chat.page.get_by_role("button", name="Chats", exact=True).click()
    expect(chat.page.get_by_role("searchbox")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("searchbox")).to_have_count(0)
    expect(chat.input).to_be_focused()
    _expect_not_stopped(chat)
    chat.command("stop-chat:rename")
    expect(chat.page.get_by_role("textbox", name="Title")).to_be_focused()
    chat.page.keyboard.press("Escape")
    expect(chat.input).to_be_focused()
    _expect_not_stopped(chat)
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        chat.input.evaluate(
            """(input, how) => input.dispatchEvent(new KeyboardEvent('keydown',
              {key: 'Escape', bubbles: true, cancelable: true, ...how}))""",
            composing,
        )
    _expect_not_stopped(chat)
    # And then it is for Stop.
    expect(chat.input).to_be_focused()
    chat.page.keyboard.press("Escape")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()


@pytest.mark.usefixtures("closed")
def test_a_launcher_leaves_the_focus_to_who_is_typing(chat: ChatPage) -> None:
    """J1, L8: one that JupyterLab opens by itself; asked for, it has the focus."""
    before = chat.page.locator(".jp-Launcher-body").element_handle()
    chat.input.press_sequentially("Tell me ")
    chat.page.evaluate("window.jupyterapp.commands.execute('application:close-all')")
    chat.page.wait_for_function("before => !before.isConnected", arg=before)
    chat.wait_for_launcher()
    expect(chat.input).to_be_focused()
    chat.page.keyboard.type("a story")
    expect(chat.input).to_have_value("Tell me a story")
    chat.page.keyboard.press("Control+Shift+l")
    expect(chat.page.locator(".jp-Launcher:focus-within")).to_have_count(1)
    expect(chat.input).to_have_value("Tell me a story")


def test_enter_is_not_for_send_while_an_input_method_composes(chat: ChatPage) -> None:
    """L8: the Enter that chooses a word of it sends nothing."""
    chat.input.fill("にほん")
    for composing in ({"isComposing": True}, {"keyCode": 229}):
        chat.input.evaluate(
            """(input, how) => input.dispatchEvent(new KeyboardEvent('keydown',
              {key: 'Enter', bubbles: true, cancelable: true, ...how}))""",
            composing,
        )
    expect(chat.input).to_have_value("にほん")
    assert chat.sent_of("send") == []


@pytest.mark.parametrize("how", ["Shift+Esc", "palette"])
def test_everything_stops(chat: ChatPage, provider: OpenAIProvider, how: str) -> None:
    """J4: in each chat, also where none is shown; each prompt is where it was asked."""
    _begin(chat, provider)
    chat.new_chat()
    chat.ask("Another story")
    chat.wait_for_text(20)
    requests = provider.requests[-2:]
    if how == "palette":
        chat.page.keyboard.press("Control+Shift+C")
        search = chat.page.locator(".lm-CommandPalette-input")
        search.fill("stop all generations")
        search.press("Enter")
    else:
        chat.page.keyboard.press("Shift+Escape")
    chat.expect_mode("send")
    expect(chat.input).to_have_value("Another story")
    for request in requests:
        while not request.closed.is_set():
            chat.page.wait_for_timeout(20)
    chat.page.locator(".jp-StopChat-chatsButton").click()
    row = chat.page.locator(".jp-StopChat-chatRow").filter(has_text="Tell me a story").first
    expect(row.locator("[data-dot=stopped]")).to_be_visible()
    row.locator(".jp-StopChat-chat").click()
    expect(chat.stopped_line).to_be_visible()
    expect(chat.input).to_have_value("Tell me a story")


def test_the_menu_of_the_button_stops_and_sends(chat: ChatPage, provider: OpenAIProvider) -> None:
    """J5, V6, S1, U34: by the keyboard; the button stays Stop, and does not move."""
    expect(chat.input).to_have_attribute("placeholder", "Ask something…")
    _begin(chat, provider)
    expect(chat.input).to_have_attribute("placeholder", "Enter queues a prompt")
    chat.set({"policy": "interrupt", "sendKey": "Ctrl+Enter"})
    expect(chat.input).to_have_attribute("placeholder", "Ctrl+Enter stops this and sends")
    chat.set(None)
    place = chat.button.bounding_box()
    menu = chat.page.get_by_role("button", name="Ways to send")
    expect(menu).to_have_count(0)
    chat.input.fill("Rather this")
    expect(menu).to_be_visible()
    chat.expect_mode("stop")
    assert chat.button.bounding_box() == place
    provider.script = Script(tokens=["Something ", "else."])
    chat.input.press("Tab")
    expect(menu).to_be_focused()
    menu.press("Enter")
    expect(chat.page.get_by_role("menuitem", name="Stop and Send")).to_be_visible()
    chat.shot("stop-and-send")
    chat.page.keyboard.press("Enter")
    expect(chat.reply()).to_have_text("Something else.")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_have_count(1)
    expect(chat.input).to_have_value("")
    expect(chat.chip).to_have_count(0)
    asked = [one["content"] for one in provider.requests[-1].body["messages"]]
    assert asked[1] == "Tell me a story"  # behind the instructions
    assert asked[-1] == "Rather this"


def test_a_reply_is_stopped_by_its_own_menu(chat: ChatPage, provider: OpenAIProvider) -> None:
    """J4, U12: and the newest reply that has ended has Copy and Regenerate, always there."""
    provider.script = Script(tokens=["An ", "answer."])
    chat.ask("First")
    expect(chat.reply()).to_have_text("An answer.")
    chat.expect_mode("send")
    chat.page.mouse.move(0, 0)
    tools = chat.replies.last.locator(".jp-StopChat-replyTools")
    for name in ("Copy the reply", "Regenerate"):
        expect(tools.get_by_role("button", name=name)).to_have_css("opacity", "1")
    chat.shot("reply-tools")
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tools.get_by_role("button", name="Copy the reply").click()
    expect(tools.get_by_role("status")).to_have_text("Copied")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "An answer."
    provider.script = Script(tokens=["Another ", "one."])
    tools.get_by_role("button", name="Regenerate").click()
    expect(chat.reply()).to_have_text("Another one.")
    expect(tools).to_contain_text("2/2")
    chat.expect_mode("send")
    _begin(chat, provider)
    first = chat.replies.first.get_by_role("button", name="Actions for this reply")
    first.focus()
    first.press("Enter")
    stop = chat.page.get_by_role("menuitem", name="Stop This Reply")
    expect(chat.page.get_by_role("menuitem", name="Copy the Reply")).to_be_visible()
    expect(stop).to_be_hidden()
    chat.page.keyboard.press("Escape")
    last = chat.replies.last.get_by_role("button", name="Actions for this reply")
    last.focus()
    last.press("Enter")
    chat.shot("reply-menu")
    stop.click()
    expect(chat.stopped_line).to_be_visible()
    chat.expect_mode("send")


def test_the_input_is_as_high_as_its_lines(chat: ChatPage, provider: OpenAIProvider) -> None:
    """Also when they break anew: in a narrower panel, and where a button comes beside them."""
    chat.width(600)
    provider.script = LONG
    chat.ask("Tell me about lighthouses")
    chat.expect_mode("stop")
    fits = "box => box.scrollHeight <= box.clientHeight"
    heights = []
    for words in ("One line", "Some words that do not fit into a single line of 250 pixels"):
        chat.input.fill(words)
        for pixels in (600, 250):
            chat.width(pixels)
            chat.page.wait_for_function(fits, arg=chat.input.element_handle())
            heights.append(chat.input.evaluate("box => box.clientHeight"))
    assert heights[0] == heights[1] == heights[2] < heights[3]
    chat.button.click()
    chat.expect_mode("send")


def test_the_keyboard_leads_to_the_chat_and_its_commands(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """U21, U35, U36, U37: a shortcut, the models, the settings, and the prompts that were sent."""
    provider.script = Script(tokens=["An ", "answer."])
    for prompt in ("First question", "Second question"):
        chat.ask(prompt)
        expect(chat.reply()).to_have_text("An answer.")
        chat.expect_mode("send")
        expect(chat.status).to_have_text("Response complete")
    for key, words in (
        ("ArrowUp", "Second question"),
        ("ArrowUp", "First question"),
        ("ArrowDown", "Second question"),
        ("ArrowDown", ""),
    ):
        chat.input.press(key)
        expect(chat.input).to_have_value(words)
    # From elsewhere, with the panel closed.
    chat.page.evaluate("window.jupyterapp.commands.execute('filebrowser:activate')")
    expect(chat.panel).to_be_hidden()
    chat.page.keyboard.press("Control+Alt+i")
    expect(chat.input).to_be_focused()
    chat.page.keyboard.press("Control+Shift+c")
    palette = chat.page.locator(".jp-ModalCommandPalette")
    chat.page.keyboard.type("stop chat")
    for label in ("Go to the Prompt", "Choose a Model…", "Stop Chat Settings…"):
        expect(palette.locator(".lm-CommandPalette-item", has_text=label)).to_have_count(1)
    expect(
        palette.locator(".lm-CommandPalette-item", has_text="Go to the Prompt")
    ).to_contain_text("Ctrl+Alt+I")
    palette.locator(".lm-CommandPalette-item", has_text="Choose a Model…").click()
    search = chat.page.get_by_role("textbox", name="Search for a model")
    expect(search).to_be_focused()
    # U35: it is whole in a narrow panel: a provider takes one line, and nothing is cut.
    chat.width(250)
    expect(chat.page.locator(".jp-StopChat-choice").first).to_be_visible()
    assert chat.page.evaluate(BROKEN) == []
    chat.shot("models-250")
    chat.width(420)
    search.press("Escape")
    # The settings, from the panel's own menu, which is there in a new chat as well.
    chat.new_chat()
    chat.page.get_by_role("button", name="More actions").click()
    chat.page.get_by_role("menuitem", name="Stop Chat Settings…").click()
    editor = chat.page.locator("#setting-editor, .jp-SettingsPanel").first
    expect(editor).to_contain_text("What Stop does with the turn")
    for words in ("Keep what came so far", "It stops the reply and goes first"):
        expect(editor.locator("option", has_text=words)).to_have_count(1)
    chat.shot("settings")
    chat.page.evaluate("window.jupyterapp.commands.execute('application:close-all')")
