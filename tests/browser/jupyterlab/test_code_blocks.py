"""The buttons of a code block, and the documents that its code goes into."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

CODE = "x = 6\nprint(x * 7)"
REPLY = f"Try:\n\n```python\n{CODE}\n```\n\nAnd then:\n\n```bash\nls -l\n```\n"

#: Make a file of the server, open it, and wait until it is there.
OPEN = """
async ([type, ext]) => {
  const app = window.jupyterapp;
  const model = await app.serviceManager.contents.newUntitled({type, ext});
  const widget = await app.commands.execute('docmanager:open', {path: model.path});
  await widget.context.ready;
  await widget.revealed;
  if (type === 'notebook') {
    await widget.sessionContext.ready;
  }
  return widget.id;
}
"""
#: Save what is open, and close it: whoever closes it unsaved is asked.
CLOSE = """
async () => {
  for (const widget of [...window.jupyterapp.shell.widgets('main')]) {
    if (widget.context) {
      await widget.context.save();
      widget.close();
    }
  }
}
"""
#: What is open in the main area and no document.
LAUNCHER = "[...window.jupyterapp.shell.widgets('main')].find(widget => !widget.context).id"


@pytest.fixture
def blocks(chat: ChatPage, provider: OpenAIProvider) -> Iterator[Locator]:
    """Return the code blocks of a reply, with no document open."""
    chat.page.evaluate(CLOSE)
    provider.script = Script(tokens=[REPLY])
    chat.ask("Write code")
    chat.expect_mode("send")
    blocks = chat.page.locator(".jp-StopChat-code")
    expect(blocks).to_have_count(2)
    yield blocks
    chat.page.evaluate(CLOSE)


def _open(chat: ChatPage, kind: str, ext: str = "") -> str:
    opened: str = chat.page.evaluate(OPEN, [kind, ext])
    return opened


def _show(chat: ChatPage, document: str) -> None:
    chat.page.evaluate("id => window.jupyterapp.shell.activateById(id)", document)


def _press(block: Locator, name: str) -> None:
    block.get_by_role("button", name=name).click()


def test_code_goes_where_one_looks(chat: ChatPage, blocks: Locator) -> None:
    """U1, U17, U18, U19, U20: a file's caret, a notebook's cell, or a new notebook."""
    page = chat.page
    notice = page.locator(".Toastify__toast")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _press(blocks.first, "Copy")
    expect(chat.toast).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == CODE

    # There is no notebook: one is offered, and made with the code.
    _press(blocks.first, "Insert")
    expect(notice).to_contain_text("No notebook is open")
    notice.get_by_role("button", name="New notebook with this code").click()
    expect(page.locator(".jp-NotebookPanel .jp-CodeCell")).to_have_count(1)
    _expect_cells(chat, [["code", CODE]])
    page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.isReady")
    notebook: str = page.evaluate("window.jupyterapp.shell.currentWidget.id")

    # A cell in the notebook that is looked at has the focus: Shift+Enter runs it.
    _press(blocks.first, "Insert")
    _expect_cells(chat, [["code", CODE]] * 2)
    expect(page.locator(".jp-Notebook .jp-Cell").nth(1)).to_be_focused()
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".jp-OutputArea-output").get_by_text("42")).to_be_visible()

    # A Markdown cell becomes a code cell; what a shell runs has its magic.
    page.evaluate("window.jupyterapp.commands.execute('notebook:change-cell-to-markdown')")
    _press(blocks.nth(1), "Replace")
    _expect_cells(chat, [["code", CODE]] * 2 + [["code", "%%bash\nls -l"]])
    _press(blocks.first, "New cell")
    cells = [["code", CODE]] * 2 + [["code", "%%bash\nls -l"], ["code", CODE]]
    _expect_cells(chat, cells)

    # A file in front gets the code at its caret, and the notebook behind it nothing.
    _open(chat, "file", ".py")
    page.keyboard.type("def f():\n")
    _press(blocks.first, "Insert")
    _expect_file(chat, "def f():\n    x = 6\n    print(x * 7)")
    page.keyboard.type("\nf()")
    _expect_file(chat, "def f():\n    x = 6\n    print(x * 7)\n    f()")
    page.keyboard.press("Control+A")
    _press(blocks.first, "Replace")
    _expect_file(chat, CODE)

    # What goes into a notebook that is hidden is named, and can be taken back.
    _press(blocks.first, "New cell")
    expect(notice).to_contain_text("The code is in “Untitled")
    chat.shot("code-in-hidden-notebook")
    notice.get_by_role("button", name="Undo").click()
    expect(notice).to_have_count(0)
    _show(chat, page.evaluate(LAUNCHER))
    _press(blocks.nth(1), "Replace")
    # A cell is replaced once that is accepted there: the notebook comes in front.
    bar = page.locator(".jp-StopChat-cellBar")
    expect(bar).to_contain_text("A change of cell 4")
    _expect_cells(chat, cells)
    bar.get_by_role("button", name="Accept the change of cell 4").click()
    cells[-1] = ["code", "%%bash\nls -l"]
    _expect_cells(chat, cells)
    expect(notice).to_have_count(0)
    page.evaluate("window.jupyterapp.commands.execute('notebook:change-cell-to-markdown')")
    _show(chat, page.evaluate(LAUNCHER))
    _press(blocks.first, "Replace")
    notice.get_by_role("button", name="Undo").click()
    _show(chat, notebook)
    _expect_cells(chat, [*cells[:-1], ["markdown", "%%bash\nls -l"]])


def test_a_code_block_has_a_head_and_scrolls(chat: ChatPage, provider: OpenAIProvider) -> None:
    """U10, U11, U24: the language and the buttons are always there, and the lines as they are."""
    page = chat.page
    chat.width(250)
    script = Script(tokens=[f"```python\nx = {'1 + ' * 40}1\n", "y = 2\n", "```\n"], stall_after=2)
    provider.script = script
    chat.ask("Write a long line")
    block = page.locator(".jp-StopChat-code")
    expect(block).to_contain_text("y = 2")
    top = "pre => pre.getBoundingClientRect().top - pre.closest('.jp-StopChat-body').offsetTop"
    before = block.locator("pre").evaluate(top)
    script.resume.set()
    chat.expect_mode("send")
    page.mouse.move(0, 0)
    for name in ("Wrap long lines", "Copy", "Insert", "Replace", "New cell"):
        expect(block.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    # It stays where it was while it grew.
    assert block.locator("pre").evaluate(top) == before
    label = "head => getComputedStyle(head, '::before').content"
    assert block.locator(".jp-StopChat-codeHead").evaluate(label) == '"python"'
    sizes = "pre => [pre.scrollWidth > pre.clientWidth, pre.clientHeight < 80]"
    assert block.locator("pre").evaluate(sizes) == [True, True]
    chat.shot("code-250-scrolled")
    switch = block.get_by_role("button", name="Wrap long lines")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert block.locator("pre").evaluate(sizes) == [False, False]
    chat.shot("code-250-wrapped")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    chat.theme("JupyterLab Dark")
    seen = """code => {
      const {borderTopColor, borderTopWidth} = getComputedStyle(code);
      const panel = getComputedStyle(code.closest('.jp-StopChat-panel'));
      return borderTopWidth === '1px' && borderTopColor !== panel.backgroundColor;
    }"""
    assert block.evaluate(seen)


def _expect_file(chat: ChatPage, text: str) -> None:
    chat.page.wait_for_function(
        """text => {
          const {sharedModel} = window.jupyterapp.shell.currentWidget.context.model;
          return sharedModel.getSource() === text;
        }""",
        arg=text,
    )


def _expect_cells(chat: ChatPage, cells: list[list[str]]) -> None:
    """Wait for a notebook's cells, in its model: the page draws only those that are in sight."""
    chat.page.wait_for_function(
        """wanted => {
          const {cells} = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
          return JSON.stringify(cells.map(cell => [cell.cell_type, cell.getSource()])) === wanted;
        }""",
        arg=json.dumps(cells, separators=(",", ":"), ensure_ascii=False),
    )
