"""A page whose every request, dialog and new window is noted."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Request, Route

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import ARTIFACTS
from tests.browser.lab import Lab

CANARY = "window.canaries = 0; window.canary = () => { window.canaries += 1; };"


class Watched:
    """A page that notes what must not happen, in its frames and workers as well."""

    def __init__(self, browser: Browser, lab: Lab) -> None:
        self.strangers: list[str] = []
        self.odd: list[str] = []
        self.dialogs: list[str] = []
        self.pages: list[Page] = []
        self.errors: list[str] = []
        self._lab = lab
        self.context = browser.new_context(viewport={"width": 1200, "height": 800})
        self.context.route("**/*", self._only_ours)
        self.context.add_init_script(CANARY)
        self.page = self.context.new_page()
        self.context.on("page", self._opened)
        self.page.on("dialog", self._refuse)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.chat = ChatPage(self.page, lab, ARTIFACTS)
        self.chat.load()
        self.page.on("request", self._note)
        self.page.on("requestfailed", self._forget)

    def expect_nothing(self) -> None:
        """Find that nothing ran, went out, asked, opened or left."""
        seen = {
            "scripts": self.page.evaluate("window.canaries"),
            "strangers": self.strangers,
            "odd": self.odd,
            "dialogs": self.dialogs,
            "pages": self.pages,
            "errors": self.errors,
            "path": urlsplit(self.page.url).path,
        }
        nothing = dict.fromkeys(seen) | {"path": "/lab"}
        assert {key: value or None for key, value in seen.items()} == nothing, seen

    def _only_ours(self, route: Route) -> None:
        if f"//127.0.0.1:{self._lab.port}/" in route.request.url:
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def _note(self, request: Request) -> None:
        # A reply's address must not be asked of our own server either: some do things.
        path = urlsplit(request.url).path
        if "logout" in path or path.endswith(("/x", "/x.png")):
            self.odd.append(request.url)

    def _forget(self, request: Request) -> None:
        # What a page's own policy forbids is noted by the browser, and asked of nobody.
        if request.failure == "csp" and request.url in self.odd:
            self.odd.remove(request.url)

    def _opened(self, page: Page) -> None:
        self.pages.append(page)

    def _refuse(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()
