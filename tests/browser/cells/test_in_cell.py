"""A prompt in a cell: its code comes as a change of the cell, in the notebook's own chat."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import AXE, THEMES, violations
from tests.browser.cells.notebook import NotebookPage
from tests.browser.chat_page import ChatPage
from tests.magics.notebook import eventually
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

BAR = ".jp-StopChat-cellBar"
CODE = "squares = [n * n for n in range(10)]\nprint(squares)"
TOKENS = [
    "Here:\n\n```python\n",
    "squares = [n * n ",
    "for n in range(10)]\n",
    "print(squares)\n```",
    "\n\nThat prints",
    " them.",
]


def test_a_prompt_in_a_cell(chat: ChatPage, provider: OpenAIProvider) -> None:
    """C6, C7, C8, C9: it streams, is stopped, is asked again and accepted."""
    page, notebook = chat.page, NotebookPage(chat)
    notebook.open("n = 10", "")
    notebook.select(1)
    button = page.get_by_role("button", name="Write cell 2 with the chat")
    expect(button).to_be_visible()
    chat.shot("cells-empty")
    page.evaluate(AXE.read_text())
    assert violations(chat, ".jp-StopChat-emptyCell") == []
    button.click()
    field = page.get_by_role("textbox", name="Prompt for cell 2")
    expect(field).to_be_focused()
    expect(button).to_be_hidden()

    # It streams into the cell, and only there.
    script = Script(tokens=TOKENS, stall_after=3)
    provider.script = script
    page.keyboard.type("the squares of numbers")
    page.keyboard.press("Enter")
    expect(notebook.news).to_have_text("squares = [n * n for n in range(10)]")
    chat.shot("cells-streaming")
    assert notebook.sources() == ["n = 10", ""]
    saved = notebook.saved()
    assert "squares" not in saved
    assert "StopChat" not in saved
    request = provider.requests[-1]
    sent = request.body["messages"][-1]["content"]
    assert "the squares of numbers" in sent
    assert "n = 10" in sent
    assert "runs python" in sent

    # Esc stops the model itself, and leaves the cell as it was; the words stay.
    page.keyboard.press("Escape")
    expect(notebook.news).to_have_count(0)
    expect(notebook.bar).to_contain_text("Stopped. The cell is as it was.")
    eventually(request.closed.is_set, "the provider's close")
    assert not request.completed
    expect(field).to_have_value("the squares of numbers")
    expect(field).to_be_focused()
    assert notebook.sources() == ["n = 10", ""]

    # Asked again, with something typed into the cell meanwhile: that stays.
    script = Script(tokens=TOKENS, stall_after=2)
    provider.script = script
    page.keyboard.press("Enter")
    expect(notebook.news).to_contain_text("squares")
    notebook.edit(1, "# mine\n")
    script.resume.set()
    accept = notebook.bar.get_by_role("button", name="Accept the change of cell 2")
    expect(accept).to_be_visible()
    expect(notebook.status).to_have_text("The code is here. Accept it or reject it.")
    for theme, name in THEMES.items():
        chat.theme(name)
        assert violations(chat, BAR) == []
        chat.shot(f"cells-deciding-{theme}")
    chat.theme(THEMES["light"])
    field.focus()
    page.keyboard.press("Control+Enter")
    expect(notebook.bar).to_have_count(0)
    expect(notebook.cell(1)).to_be_focused()
    source = notebook.sources()[1]
    assert "# mine" in source
    assert CODE in source
    assert "squares" in notebook.saved()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+z")
    notebook.expect_sources("n = 10", "# mine\n")

    # The turns stand in a chat of that name, and the sidebar's own chat is another one.
    expect(chat.messages).to_have_count(0)
    chats = chat.lab.ask("GET", "api/stop-chat/chats")["chats"]
    assert [each["title"] for each in chats] == [notebook.path]


MOVE_UP = "window.jupyterapp.commands.execute('notebook:move-cell-up')"
CLOSE_OTHERS = """id => [...window.jupyterapp.shell.widgets('main')]
  .filter(one => one.context && one.id !== id).forEach(one => one.close())"""
NEW_VIEW = "window.jupyterapp.commands.execute('docmanager:clone')"


def _ask(notebook: NotebookPage, at: int, words: str) -> None:
    notebook.select(at)
    notebook.page.keyboard.press("Control+Alt+g")
    field = notebook.page.get_by_role("textbox", name=f"Prompt for cell {at + 1}")
    expect(field).to_be_focused()
    field.fill(words)
    notebook.page.keyboard.press("Enter")


# Without a page at every run: notebookChats, cellPrompt and aboutCell.
@pytest.mark.stress
def test_prompts_outlive_what_happens_to_their_cells(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """C4, C7, C8: two at once, a move, a second view, a reload, no code, a failure, a rewrite."""
    page, notebook = chat.page, NotebookPage(chat)
    notebook.open("a = 1\nb = 2\nc = 3", "", "")
    first = Script(tokens=TOKENS, stall_after=2)
    provider.script = first
    _ask(notebook, 1, "the first")
    expect(notebook.cell(1).locator(".jp-StopChat-newLines")).to_contain_text("squares")
    _ask(notebook, 2, "the second")
    second_bar = notebook.cell(2).locator(".jp-StopChat-cellBar")
    expect(second_bar).to_contain_text("Waits for another reply")

    # A stop of the one lets the other begin.
    second = Script(tokens=TOKENS, stall_after=3)
    provider.script = second
    page.get_by_role("button", name="Stop the code of cell 2").click()
    expect(notebook.cell(1).locator(".jp-StopChat-cellBar")).to_contain_text("Stopped.")
    expect(notebook.cell(2).locator(".jp-StopChat-newLines")).to_contain_text("range(10)")
    notebook.cell(1).get_by_role("textbox", name="Prompt for cell 2").press("Escape")
    expect(notebook.bar).to_have_count(1)

    # It stays with its cell where that is moved, and is in each view of the notebook.
    notebook.select(2)
    page.evaluate(MOVE_UP)
    expect(notebook.cell(1).locator(".jp-StopChat-newLines")).to_contain_text("range(10)")
    page.evaluate(NEW_VIEW)
    expect(page.locator(".jp-NotebookPanel")).to_have_count(2)
    expect(notebook.news).to_have_count(2)
    page.evaluate(CLOSE_OTHERS, notebook.id)
    expect(notebook.news).to_have_count(1)

    # The page is loaded anew in the middle: the words and the code are there again.
    notebook.saved()
    chat.load_again()
    notebook.open_again()
    expect(notebook.field).to_have_value("the second")
    expect(notebook.cell(1).locator(".jp-StopChat-newLines")).to_contain_text("range(10)")
    second.resume.set()
    accept = page.get_by_role("button", name="Accept the change of cell 2")
    expect(accept).to_be_visible()
    assert notebook.sources() == ["a = 1\nb = 2\nc = 3", "", ""]
    accept.click()
    notebook.expect_sources("a = 1\nb = 2\nc = 3", CODE, "")
    expect(notebook.bar).to_have_count(0)

    # An answer without code, and one that fails.
    provider.script = Script(tokens=["Only words."])
    _ask(notebook, 2, "anything")
    expect(notebook.bar).to_contain_text("no block of code")
    expect(notebook.field).to_have_value("anything")
    provider.script = Script(trouble="bad_request")
    page.keyboard.press("Enter")
    expect(notebook.bar).to_contain_text("That failed:")
    expect(notebook.field).to_be_focused()
    page.keyboard.press("Escape")
    expect(notebook.bar).to_have_count(0)

    # A cell that holds something: what the code has not come to stays until then.
    rewrite = Script(
        tokens=["```python\na = 1\n", "b = 22\n", "c = 3\nd = 4\n```\n"], stall_after=2
    )
    provider.script = rewrite
    _ask(notebook, 0, "b twice as long, and d")
    expect(notebook.news).to_contain_text("b = 22")
    expect(notebook.gone).to_have_count(0)
    rewrite.resume.set()
    expect(notebook.gone).to_have_text(["b = 2"])
    page.get_by_role("button", name="Reject change 1 of cell 1").click()
    expect(notebook.gone).to_have_count(0)
    page.get_by_role("button", name="Accept the change of cell 1").click()
    notebook.expect_sources("a = 1\nb = 2\nc = 3\nd = 4", CODE, "")
    chats = chat.lab.ask("GET", "api/stop-chat/chats")["chats"]
    assert [each["title"] for each in chats].count(notebook.path) == 1

    # A copy has cells of the same ids: what is open in the one notebook is none of the other's.
    provider.script = Script(tokens=["```python\na = 5\n```\n"])
    _ask(notebook, 0, "a is 5")
    expect(page.get_by_role("button", name="Accept the change of cell 1")).to_be_visible()
    copy = NotebookPage(chat)
    copy.open("a = 1", "", "")
    copy.select(0)
    assert not page.evaluate("window.jupyterapp.commands.isEnabled('stop-chat:accept-change')")
    page.evaluate("window.jupyterapp.commands.execute('stop-chat:write-cell')")
    expect(page.get_by_role("textbox", name="Prompt for cell 1")).to_be_focused()
    expect(copy.bar).to_have_count(2)
    notebook.expect_sources("a = 1\nb = 2\nc = 3\nd = 4", CODE, "")
