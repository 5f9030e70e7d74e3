"""Pictures that go with a prompt: how they come in, what is seen of them, what a model gets."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.pictures import drawn, opened
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

PLOT = drawn(320, 200)
#: Puts a picture into what is pasted or dropped.
BRING = """(panel, [kind, name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, {type}));
  const input = panel.querySelector('.jp-StopChat-input');
  const more = {bubbles: true, cancelable: true};
  if (kind === 'paste') {
    input.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, ...more}));
  } else {
    for (const each of ['dragover', 'drop']) {
      input.dispatchEvent(new DragEvent(each, {dataTransfer: data, ...more}));
    }
  }
}"""


def _bring(chat: ChatPage, kind: str, raw: bytes, name: str, type_: str = "image/png") -> None:
    chat.panel.evaluate(BRING, [kind, name, type_, base64.b64encode(raw).decode()])


def _keep_waiting(route: Route) -> None:
    """Never answer."""


def _seen(provider: OpenAIProvider, at: int = -1) -> list[tuple[int, int]]:
    """Return the sizes of the pictures that the model was last shown with a prompt."""
    content: Any = provider.requests[-1].body["messages"][at]["content"]
    found = [each["image_url"]["url"] for each in content if each["type"] == "image_url"]
    return [opened(base64.b64decode(each.split(",", 1)[1])).size for each in found]


def test_pictures_are_pasted_dropped_picked_and_seen(
    chat: ChatPage, provider: OpenAIProvider, tmp_path: Path
) -> None:
    """W21: each by the hand and by the keyboard, in the light and in the dark."""
    provider.script = Script(tokens=["I ", "see ", "a line."])
    thumbnails = chat.attached.locator("img")
    _bring(chat, "paste", PLOT, "image.png")
    expect(thumbnails).to_have_count(1)
    _bring(chat, "drop", drawn(60, 90, form="JPEG"), "tall.jpg", "image/jpeg")
    expect(thumbnails).to_have_count(2)
    (tmp_path / "picked.gif").write_bytes(drawn(50, 50, form="GIF"))
    with chat.page.expect_file_chooser() as chooser:
        chat.page.get_by_role("button", name="Attach", exact=True).click()
        chat.page.get_by_role("menuitem", name="Attach Files from This Computer").click()
    chooser.value.set_files(tmp_path / "picked.gif")
    expect(thumbnails).to_have_count(3)
    # Each tells its name to who does not see it, and can be taken off by the keyboard.
    expect(thumbnails.nth(1)).to_have_attribute("alt", "tall.jpg")
    expect(thumbnails.nth(1)).to_have_js_property("naturalHeight", 90)
    _bring(chat, "drop", b"\x89PNG\r\n\x1a\nbroken", "broken.png")
    notice = chat.page.locator(".jp-StopChat-notice")
    expect(notice).to_contain_text("Not attached: broken.png. The picture is broken")
    chat.attached.nth(2).get_by_role("button", name="Remove picked.gif").press("Enter")
    expect(thumbnails).to_have_count(2)
    expect(notice).to_have_count(0)
    expect(chat.input).to_be_focused()
    chat.shot("pictures-attached-light")
    # Without a word of its own it can be sent.
    chat.input.press("Enter")
    expect(chat.reply()).to_have_text("I see a line.")
    chat.expect_mode("send")
    expect(chat.attached).to_have_count(0)
    assert _seen(provider) == [(320, 200), (60, 90)]
    sent = chat.page.locator(".jp-StopChat-message[data-role=user]").last
    shown = sent.get_by_role("img")
    expect(shown).to_have_count(2)
    expect(shown.first).to_have_js_property("naturalWidth", 320)
    for theme, width in (("Light", 420), ("Dark", 250), ("Dark", 800), ("Light", 250)):
        chat.theme(f"JupyterLab {theme}")
        chat.width(width)
        chat.shot(f"pictures-sent-{theme.lower()}-{width}")
        right = sent.evaluate("node => node.getBoundingClientRect().right")
        for at in (0, 1):
            assert shown.nth(at).evaluate("node => node.getBoundingClientRect().right") <= right
    chat.width(420)
    # A click, or Enter, shows it large; Esc closes that and stops nothing.
    large = sent.get_by_role("button", name="Show image.png large")
    large.focus()
    large.press("Enter")
    dialog = chat.page.get_by_role("dialog")
    expect(dialog.get_by_role("img", name="image.png")).to_be_visible()
    # JupyterLab's dialog takes keys once it has the focus, a moment after it is seen.
    expect(dialog.locator(".jp-Dialog-footer").get_by_role("button")).to_be_focused()
    chat.shot("picture-large")
    chat.page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    # After a reload it is there again, and it is edited with its pictures.
    chat.load_again()
    expect(shown).to_have_count(2)
    expect(shown.first).to_have_js_property("naturalWidth", 320)
    sent.get_by_role("button", name="Edit").click()
    editor = chat.page.locator(".jp-StopChat-editor")
    expect(editor.locator("img")).to_have_count(2)
    editor.get_by_role("button", name="Remove tall.jpg").click()
    editor.get_by_role("button", name="Send").click()
    expect(chat.page.get_by_role("group", name="Versions").first).to_be_visible()
    expect(chat.reply()).to_have_text("I see a line.")
    chat.expect_mode("send")
    assert _seen(provider) == [(320, 200)]


def test_a_picture_comes_back_at_stop_waits_in_the_queue_and_outlives_a_reload(
    chat: ChatPage, provider: OpenAIProvider, lab: Lab
) -> None:
    """W24: it is in one place at any time, and nothing typed is lost."""
    provider.script = Script(tokens=100_000, rate=60)
    _bring(chat, "paste", PLOT, "image.png")
    expect(chat.attached).to_have_count(1)
    chat.ask("What is this?")
    chat.wait_for_text(20)
    expect(chat.attached).to_have_count(0)
    # One more waits in the queue, and can be looked at there.
    _bring(chat, "paste", drawn(64, 64), "second.png")
    expect(chat.attached).to_have_count(1)
    chat.input.press("Enter")
    expect(chat.queue).to_contain_text(["second.png"])
    chat.button.click()
    expect(chat.stopped_line).to_have_count(1)
    expect(chat.attached.locator("img")).to_have_count(1)
    expect(chat.attached).to_contain_text(["image.png"])
    expect(chat.input).to_have_value("What is this?")
    # What is typed while another is on its way waits for it, also over a reload.
    chat.page.route("**/api/stop-chat/blobs*", _keep_waiting)
    _bring(chat, "paste", drawn(70, 70), "third.png")
    on_its_way = chat.page.locator(".jp-StopChat-uploads")
    expect(on_its_way).to_have_text("Attaching third.png…")
    chat.input.press("Enter")
    notice = chat.page.locator(".jp-StopChat-notice")
    expect(notice).to_contain_text("still on its way")
    chat.shot("picture-on-its-way")
    chat.load_again()
    expect(chat.input).to_have_value("What is this?")
    expect(notice).to_contain_text("third.png")
    chat.page.unroute("**/api/stop-chat/blobs*")
    expect(chat.attached).to_contain_text(["image.png"])
    expect(chat.queue).to_contain_text(["second.png"])
    provider.script = Script(tokens=["Seen."])
    for at in range(chat.queue.count() - 1, -1, -1):
        chat.queue.nth(at).get_by_role("button", name=re.compile("^Remove")).click()
    expect(chat.queue).to_have_count(0)
    chat.clear_draft()  # it would stay where it is, and come back where its chat is deleted


def test_a_plot_of_a_cell_goes_as_the_picture_it_is(
    chat: ChatPage, provider: OpenAIProvider, lab: Lab
) -> None:
    """W21: "Attach output"; what it is called in words is left out."""
    plot = base64.b64encode(PLOT).decode()
    cell = {
        "cell_type": "code",
        "id": "cell0",
        "metadata": {},
        "source": "draw()",
        "execution_count": 1,
        "outputs": [
            {
                "output_type": "display_data",
                "metadata": {},
                "data": {"image/png": plot, "text/plain": "<Figure size 320x200>"},
            }
        ],
    }
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = {
        "cells": [cell],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (lab.folder / "home" / "plot.ipynb").write_text(json.dumps(notebook))
    chat.page.evaluate(
        """async () => {
          const widget = await window.jupyterapp.commands.execute(
            'docmanager:open', {path: 'plot.ipynb', factory: 'Notebook'});
          await widget.context.ready;
          await widget.revealed;
        }"""
    )
    chat.page.locator(".jp-CodeCell .cm-line").click()
    chat.command("stop-chat:attach-output")
    expect(chat.attached.locator("img")).to_have_count(1)
    expect(chat.attached).to_contain_text(["Picture of cell 1 of plot.ipynb"])
    expect(chat.input).to_be_focused()
    provider.script = Script(tokens=["A line."])
    chat.ask("What does it show?")
    expect(chat.reply()).to_have_text("A line.")
    chat.expect_mode("send")
    assert _seen(provider) == [(320, 200)]
    said = json.dumps(provider.requests[-1].body["messages"][-1])
    assert "What does it show?" in said
    assert "<Figure" not in said
