"""A notebook's cell and the sidebar beside it: one reply, seen in both, stopped from either."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.magics.notebook import eventually
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

MARK = "Response stopped by the user"


def open_notebook(chat: ChatPage, lab: Lab, sources: list[str]) -> None:
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    content = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (lab.folder / "home" / "chat.ipynb").write_text(json.dumps(content))
    # A key that is pressed before all of it is ready runs nothing.
    chat.page.evaluate(
        """async () => {
          const {commands} = window.jupyterapp;
          const args = {path: 'chat.ipynb', factory: 'Notebook'};
          const widget = await commands.execute('docmanager:open', args);
          await widget.context.ready;
          await widget.revealed;
          await widget.context.revert(); // JupyterLab may have brought it back as it was
          await widget.sessionContext.ready;
        }"""
    )
    expect(chat.page.locator(".jp-CodeCell")).to_have_count(len(sources))
    expect(
        chat.page.locator(".jp-NotebookPanel .jp-Notebook-ExecutionIndicator")
    ).to_have_attribute("data-status", "idle")


def cell_of(chat: ChatPage, number: int) -> Locator:
    return chat.page.locator(".jp-CodeCell").nth(number)


def run_cell(chat: ChatPage, number: int) -> None:
    cell = cell_of(chat, number)
    cell.locator(".jp-InputPrompt").click()
    chat.page.keyboard.press("Control+Enter")


def output(chat: ChatPage, number: int) -> Locator:
    return cell_of(chat, number).locator(".jp-RenderedHTML")


def test_a_cell_streams_and_is_stopped_in_both_places(
    chat: ChatPage, lab: Lab, provider: OpenAIProvider
) -> None:
    """B6: ■ stops the reply, and the sidebar shows the same one; Stop there ends a cell as well.

    What the model says in HTML is text, and nothing is fetched for it.
    """
    html = [
        "<img src='http://x.invalid/a' onerror='window.hacked=1'>\n\n",
        "![a](http://x.invalid/b)\n\n",
    ]
    provider.script = Script(tokens=[*html, *(f"t{n} " for n in range(4000))], rate=50)
    first, second = "%%chat\nFirst story", "%%chat --new\nSecond story"
    open_notebook(chat, lab, ["%load_ext jupyter_stop_chat", first, second, "print(6 * 7)"])
    run_cell(chat, 0)
    expect(cell_of(chat, 0).locator(".jp-InputPrompt")).to_have_text("[1]:")

    count = len(provider.requests)
    run_cell(chat, 1)
    expect(output(chat, 1)).to_contain_text("t5 ")
    _open_newest(chat)
    chat.wait_for_text(30)
    expect(chat.page.locator(".jp-StopChat-message[data-role=user]").last).to_contain_text(
        "First story"
    )
    chat.shot("magics-1-streaming")
    chat.page.locator("[data-command='notebook:interrupt-kernel']").click()
    expect(_error(chat, 1)).to_have_text("Interrupted: response stopped by the user")
    expect(output(chat, 1)).not_to_contain_text(MARK)
    request = provider.requests[count]
    eventually(request.closed.is_set, "the provider's close")
    chat.expect_mode("send")
    expect(chat.stopped_line.last).to_contain_text(MARK)
    expect(output(chat, 1)).to_contain_text("<img src='http://x.invalid/a'")
    in_cell = _words(output(chat, 1).inner_text())
    assert in_cell
    # The page draws what is cut off in a slice of its own, after the line below it.
    eventually(lambda: _words(chat.text()) == in_cell, "the same words in the sidebar")
    chat.shot("magics-2-stopped")

    run_cell(chat, 2)
    expect(output(chat, 2)).to_contain_text("t5 ")
    _open_newest(chat)
    chat.wait_for_text(30)
    chat.expect_mode("stop")
    chat.button.click()
    expect(_error(chat, 2)).to_have_text("Interrupted: response stopped by the user")
    eventually(provider.requests[-1].closed.is_set, "the provider's close")
    chat.shot("magics-3-stopped-in-the-sidebar")
    run_cell(chat, 3)
    expect(cell_of(chat, 3).locator(".jp-OutputArea-output")).to_have_text("42\n")
    assert chat.page.evaluate("window.hacked") is None

    chat.command("docmanager:save")
    chat.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    saved = (lab.folder / "home" / "chat.ipynb").read_text()
    # Each says once how it ended (U29): as the error that ended its cell.
    assert f"<em>{MARK}" not in saved
    assert saved.count("Interrupted: response stopped by the user") == 2
    assert lab.token not in saved
    assert "sk-x" not in saved
    assert "widget" not in saved


def _open_newest(chat: ChatPage) -> None:
    chat.page.get_by_role("button", name="Chats", exact=True).click()
    chat.page.locator(".jp-StopChat-chatRow").first.click()


def _error(chat: ChatPage, number: int) -> Locator:
    error = "[data-mime-type='application/vnd.jupyter.stderr']"
    return cell_of(chat, number).locator(error)


def _words(text: str) -> list[str]:
    return re.findall(r"\bt\d+\b", text)
