"""A chat in the mode Agent beside a notebook, as a person's hands and eyes have it."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator

from tests.browser.agent.kept_notebook import KeptNotebook
from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script, ToolUse


class Agent:
    """A chat in the mode Agent beside a notebook, and what its model does."""

    def __init__(self, chat: ChatPage, provider: OpenAIProvider) -> None:
        self.chat, self.page, self.provider = chat, chat.page, provider
        self.book = KeptNotebook(chat)
        self.mode = chat.panel.get_by_role("switch", name="Agent")
        self.question = chat.page.locator(".jp-StopChat-approval")
        self.lines = chat.page.locator(".jp-StopChat-tool")
        self.undo = chat.page.locator(".jp-StopChat-changesLine")
        self.lit = chat.page.locator(".jp-StopChat-flash")
        self._calls = 0

    def uses(self, *calls: tuple[str, dict[str, Any]], says: str = "I look. ") -> None:
        """Have the model call tools at once, in its next answer."""
        made = []
        for name, args in calls:
            self._calls += 1
            made.append(ToolUse(name, args, f"call_{self._calls}"))
        self.provider.scripts.append(Script(tokens=[says], tool_calls=made))

    def ask(self, prompt: str = "Do it.", last: str = "Done.") -> None:
        """Ask, where the model says this once its tools are done."""
        self.provider.script = Script(tokens=[last])
        if self.mode.get_attribute("aria-checked") == "false":
            self.mode.click()
        self.chat.ask(prompt)

    def replace(self, cell: str, old: str, new: str) -> tuple[str, dict[str, Any]]:
        """Return a call that replaces a part of a cell."""
        args = {"path": self.book.path, "cell_id": cell, "old_source": old, "new_source": new}
        return "replace_cell", args

    def line(self, text: str) -> Locator:
        """Return the line of a tool."""
        return self.lines.filter(has_text=text).last

    def told(self) -> str:
        """Return what the model was told last."""
        return json.dumps(self.provider.requests[-1].body, ensure_ascii=False)
