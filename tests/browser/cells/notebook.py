"""A notebook in the page, as a person's hands and eyes have it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage

#: Make a notebook of these cells, open it, and wait for its kernel.
OPEN = """
async ([cells, path]) => {
  const app = window.jupyterapp;
  const made = path ? {path} : await app.serviceManager.contents.newUntitled({type: 'notebook'});
  if (cells) {
    await app.serviceManager.contents.save(made.path, {type: 'notebook', format: 'json', content: {
      nbformat: 4, nbformat_minor: 5,
      metadata: {kernelspec: {name: 'python3', display_name: 'Python 3', language: 'python'}},
      cells}});
  }
  const widget = await app.commands.execute('docmanager:open', {path: made.path});
  await widget.context.ready;
  await widget.revealed;
  await widget.sessionContext.ready;
  return [widget.id, made.path];
}
"""


class NotebookPage:
    """One notebook of a chat's page."""

    def __init__(self, chat: ChatPage) -> None:
        self.chat = chat
        self.page = chat.page
        self.id = self.path = ""
        self.bar = self.page.locator(".jp-StopChat-cellBar")
        self.field = self.page.locator(".jp-StopChat-cellPrompt")
        self.rows = self.page.locator(".jp-StopChat-errorRow")
        self.news = self.page.locator(".jp-StopChat-newLines")
        self.gone = self.page.locator(".jp-StopChat-goneLine")
        self.status = self.page.locator(".jp-StopChat-cellStatus")

    def open(self, *cells: str | tuple[str, dict[str, Any]]) -> None:
        """Make a notebook with these cells, and open it."""
        self.id, self.path = self.page.evaluate(OPEN, [self.written(*cells), None])

    @staticmethod
    def written(*cells: str | tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Return cells as a notebook's file has them."""
        parts = [(each, {}) if isinstance(each, str) else each for each in cells]
        empty = {"cell_type": "code", "outputs": [], "execution_count": None}
        return [
            empty | {"id": f"cell-{n}", "source": source, "metadata": metadata}
            for n, (source, metadata) in enumerate(parts)
        ]

    def open_again(self) -> None:
        """Open it after it was closed, or the page loaded anew."""
        self.id, _ = self.page.evaluate(OPEN, [None, self.path])

    def close(self) -> None:
        """Save and close it."""
        self.page.evaluate(
            """async id => {
              const all = [...window.jupyterapp.shell.widgets('main')];
              const panel = all.find(one => one.id === id);
              await panel.context.save();
              panel.close();
            }""",
            self.id,
        )
        expect(self.page.locator(".jp-NotebookPanel")).to_have_count(0)

    def cell(self, at: int) -> Locator:
        """Return a cell, from 0."""
        return self.page.locator(
            ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell"
        ).nth(at)

    def select(self, at: int) -> None:
        """Make a cell the active one, in command mode."""
        self.page.evaluate(
            """([id, at]) => {
              const all = [...window.jupyterapp.shell.widgets('main')];
              const {content} = all.find(one => one.id === id);
              content.activeCellIndex = at;
              content.mode = 'command';
              content.activeCell.node.focus();
            }""",
            [self.id, at],
        )

    def run(self, at: int) -> None:
        """Run a cell."""
        self.select(at)
        self.page.keyboard.press("Control+Enter")

    def sources(self) -> list[str]:
        """Return what the cells hold, in the model."""
        found: list[str] = self.page.evaluate(
            """id => [...window.jupyterapp.shell.widgets('main')].find(one => one.id === id)
              .content.model.sharedModel.cells.map(cell => cell.getSource())""",
            self.id,
        )
        return found

    def expect_sources(self, *sources: str) -> None:
        """Wait until the cells hold this."""
        self.page.wait_for_function(
            """([id, wanted]) => {
              const all = [...window.jupyterapp.shell.widgets('main')];
              const {cells} = all.find(one => one.id === id).content.model.sharedModel;
              return JSON.stringify(cells.map(cell => cell.getSource())) === wanted;
            }""",
            arg=[self.id, json.dumps(sources, separators=(",", ":"), ensure_ascii=False)],
        )

    def saved(self) -> str:
        """Save the notebook, and return its file."""
        self.page.evaluate(
            """async id => {
              const all = [...window.jupyterapp.shell.widgets('main')];
              await all.find(one => one.id === id).context.save();
            }""",
            self.id,
        )
        return (self.chat.lab.folder / "home" / self.path).read_text()

    def edit(self, at: int, text: str) -> None:
        """Put the caret at the end of a cell, and type."""
        self.page.evaluate(
            """([id, at]) => {
              const all = [...window.jupyterapp.shell.widgets('main')];
              const {content} = all.find(one => one.id === id);
              content.activeCellIndex = at;
              content.mode = 'edit';
              const {editor} = content.activeCell;
              editor.focus();
              editor.setCursorPosition(editor.getPositionAt(editor.model.sharedModel.getSource().length));
            }""",
            [self.id, at],
        )
        self.page.keyboard.type(text)
