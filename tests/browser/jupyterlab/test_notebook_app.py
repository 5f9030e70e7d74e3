"""The chat in Jupyter Notebook, whose pages are JupyterLab's parts without its layout."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab

pytest.importorskip("notebook", reason="Jupyter Notebook is not installed")

pytestmark = pytest.mark.browser

#: The labels of what opens the chat, in the palette.
OPENERS = """
() => [...document.querySelectorAll('.lm-CommandPalette-itemLabel')]
  .map(label => label.textContent).filter(label => /^(Open|Show) Stop Chat/.test(label))
"""


def test_the_chat_opens_and_stays_open(browser: Browser, tmp_path: Path) -> None:
    """L6: one entry of the palette opens it, and it is there again after a reload."""
    lab = Lab(tmp_path, {"LabApp": {"expose_app_in_browser": True}})
    lab.start()
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    try:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(error.stack or ""))
        page.goto(f"{lab.root}tree?token={lab.token}", wait_until="domcontentloaded")
        expect(page.locator(".jp-FileBrowser")).to_be_visible()
        panel = page.locator(".jp-StopChat-panel")
        expect(panel).to_be_hidden()
        page.keyboard.press("Control+Shift+C")
        opener = page.locator(".lm-CommandPalette-itemLabel", has_text="Show Stop Chat")
        expect(opener).to_be_visible()
        assert len(page.evaluate(OPENERS)) == 1
        opener.click()
        expect(panel).to_be_visible()
        page.reload(wait_until="domcontentloaded")
        expect(page.locator(".jp-StopChat-input")).to_be_editable()
        # Others' plugins have errors of their own here.
        assert [error for error in errors if "jupyter-stop-chat" in error] == []
    finally:
        context.close()
        lab.stop()
