"""The chat with a notebook beside it, in JupyterLab and in Jupyter Notebook."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage

#: The notebook that is there.
BOOK = "book.ipynb"
#: The first notebook's id, once its kernel is there.
READY = """
async () => {
  const main = [...window.jupyterapp.shell.widgets('main')];
  const found = main.find(one => one.sessionContext && one.context);
  await found.context.ready;
  await found.sessionContext.ready;
  return found.id;
}
"""


class AppPage(ChatPage):
    """The chat in one of the applications."""

    def ready(self) -> None:
        """Wait until the chat can be used."""
        expect(self.panel).to_be_visible()
        expect(self.input).to_be_editable()
        # The server's first frame has come.
        expect(self.page.locator(".jp-StopChat-model")).to_have_text(re.compile(r"\w"))

    def open_book(self) -> str:
        """Open the notebook, if it is not open, and return its id."""
        raise NotImplementedError

    def toggle(self) -> None:
        """Do what hides the chat in the application, and shows it again."""
        raise NotImplementedError

    def run(self, command: str) -> None:
        """Run one of the chat's commands."""
        self.page.evaluate(
            "name => window.jupyterapp.commands.execute(name)", f"stop-chat:{command}"
        )


class LabPage(AppPage):
    """The chat in JupyterLab's sidebar."""

    def open_book(self) -> str:
        """Open the notebook in the main area."""
        self.page.evaluate(
            """async path => {
              await window.jupyterapp.commands.execute('docmanager:open', {path});
            }""",
            BOOK,
        )
        found: str = self.page.evaluate(READY)
        return found

    def toggle(self) -> None:
        """Press the sidebar's tab."""
        self.page.locator(".lm-TabBar-tab[data-id=jupyter-stop-chat]").click()


class NotebookAppPage(AppPage):
    """The chat beside the one notebook of a page of Jupyter Notebook."""

    def load(self) -> None:
        """Load the notebook's page, beside which the chat opens as the settings say."""
        address = f"{self.lab.root}notebooks/{BOOK}?token={self.lab.token}"
        self.page.goto(address, wait_until="domcontentloaded")
        expect(self.page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
        self.ready()

    def load_again(self) -> None:
        """Reload the page, as a person does."""
        self.page.reload(wait_until="domcontentloaded")
        expect(self.page.locator(".jp-Notebook .jp-Cell").first).to_be_visible()
        self.ready()

    def open_book(self) -> str:
        """Wait for the notebook, which the page is of."""
        found: str = self.page.evaluate(READY)
        return found

    def toggle(self) -> None:
        """Choose View → Left Sidebar → Show Stop Chat."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text="View").click()
        for label in ("Left Sidebar", "Show Stop Chat"):
            self.page.locator(".lm-Menu-itemLabel", has_text=label).click()
