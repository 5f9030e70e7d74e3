"""A person's hands: a mouse, or the keyboard alone."""

from __future__ import annotations

from typing import Protocol

from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage

#: Nothing in the page is further away than so many keys.
FAR = 80
_HAS_FOCUS = "element => element === document.activeElement"


class Hands(Protocol):
    """What presses things."""

    def press(self, what: Locator) -> None:
        """Press a button, a link or an entry."""
        ...

    def choose(self, button: Locator, entry: str) -> None:
        """Open a menu, and choose from it."""
        ...

    def stop(self) -> None:
        """Stop what is being made."""
        ...

    def to_chat(self) -> None:
        """Go to the prompt, from anywhere."""
        ...


class Mouse:
    """What points and clicks."""

    def __init__(self, chat: ChatPage) -> None:
        self._chat = chat

    def press(self, what: Locator) -> None:
        """Click it."""
        what.click()

    def choose(self, button: Locator, entry: str) -> None:
        """Click the button, and the entry."""
        button.click()
        self._chat.page.get_by_role("menuitem", name=entry, exact=True).click()

    def stop(self) -> None:
        """Click Stop."""
        self._chat.button.click()

    def to_chat(self) -> None:
        """Click into the prompt."""
        self._chat.input.click()


class Keyboard:
    """What types, and goes from thing to thing as the focus does."""

    def __init__(self, chat: ChatPage) -> None:
        self._chat = chat
        self._keys = chat.page.keyboard

    def press(self, what: Locator) -> None:
        """Go to it, and press Enter."""
        self._reach(what)
        self._keys.press("Enter")

    def choose(self, button: Locator, entry: str) -> None:
        """Open the menu, and go down to the entry."""
        self.press(button)
        item = self._chat.page.get_by_role("menuitem", name=entry, exact=True)
        expect(item).to_be_visible()
        active = self._chat.page.locator(".lm-Menu-item.lm-mod-active")
        for _ in range(FAR):
            if active.count() and entry in (active.text_content() or ""):
                self._keys.press("Enter")
                return
            self._keys.press("ArrowDown")
        raise AssertionError(f"no key leads to {entry}")

    def stop(self) -> None:
        """Press Esc."""
        self._keys.press("Escape")

    def to_chat(self) -> None:
        """Press the shortcut."""
        self._keys.press("Control+Alt+i")
        expect(self._chat.input).to_be_focused()

    def _reach(self, what: Locator) -> None:
        expect(what).to_be_visible()
        message = what.locator("xpath=ancestor::article[1]")
        if message.count():
            self._step_to(message, "Shift+Tab", "Tab")
            self._step_to(what, "ArrowRight")
        else:
            self._step_to(what, "Tab", "Shift+Tab")

    def _step_to(self, what: Locator, *keys: str) -> None:
        """Press a key until it has the focus; then the next key."""
        for key in keys:
            for _ in range(FAR):
                if what.evaluate(_HAS_FOCUS):
                    return
                self._keys.press(key)
        raise AssertionError(f"no key leads to {what}")
