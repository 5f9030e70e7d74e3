"""The page, whose every request, dialog and new window is noted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request

from tests.browser.chat_page import ChatPage


def forget_forbidden(request: Request, *noted: list[str]) -> None:
    """Take a request that failed off what was noted, if the page's own policy forbade it.

    The browser tells of such a one, and asks nobody.
    """
    for addresses in noted:
        if request.failure == "csp" and request.url in addresses:
            addresses.remove(request.url)


class Watched:
    """What notes what must not happen in a page, in its frames and workers as well."""

    def __init__(self, chat: ChatPage) -> None:
        self.strangers: list[str] = []
        self.odd: list[str] = []
        self.dialogs: list[str] = []
        self.pages: list[Page] = []
        self.errors: list[str] = []
        self.chat, self.page, self.context = chat, chat.page, chat.page.context
        self.address = self.page.url
        self._ours = (f"http://127.0.0.1:{chat.lab.port}/", "data:", "blob:")
        self.page.evaluate("window.canaries = 0")
        self._listeners: list[tuple[Any, Any, Any]] = [
            (self.context, "request", self._look),
            (self.context, "page", self._opened),
            (self.page, "dialog", self._refuse),
            (self.page, "pageerror", self._fail),
            (self.page, "request", self._note),
            (self.context, "requestfailed", self._forget),
        ]
        for source, event, listener in self._listeners:
            source.on(event, listener)

    def close(self) -> None:
        """Note nothing more, and close the pages that were opened."""
        for source, event, listener in self._listeners:
            source.remove_listener(event, listener)
        for page in self.context.pages:
            if page != self.page:
                page.close()

    def expect_nothing(self) -> None:
        """Find that nothing ran, went out, asked, opened or left."""
        seen = {
            "scripts": self.page.evaluate("window.canaries"),
            "strangers": self.strangers,
            "odd": self.odd,
            "dialogs": self.dialogs,
            "pages": self.pages,
            "errors": self.errors,
            "address": self.page.url,
        }
        nothing = dict.fromkeys(seen) | {"address": self.address}
        assert {key: value or None for key, value in seen.items()} == nothing, seen

    def _look(self, request: Request) -> None:
        if not request.url.startswith(self._ours):
            self.strangers.append(request.url)

    def _note(self, request: Request) -> None:
        # A reply's address must not be asked of our own server either: some do things.
        path = urlsplit(request.url).path
        if "logout" in path or path.endswith(("/x", "/x.png")):
            self.odd.append(request.url)

    def _forget(self, request: Request) -> None:
        forget_forbidden(request, self.odd, self.strangers)

    def _opened(self, page: Page) -> None:
        self.pages.append(page)

    def _fail(self, error: Exception) -> None:
        self.errors.append(str(error))

    def _refuse(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()
