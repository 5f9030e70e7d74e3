"""What goes with a prompt: where it comes from, and that the model gets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

SOURCE = "import this\nlamp = 'lit'\nprint(lamp)"


@pytest.fixture(scope="module")
def home(lab: Lab) -> Path:
    """Put files where JupyterLab shows them."""
    folder = lab.folder / "home"
    code = {
        "cell_type": "code",
        "id": "cell0",
        "metadata": {},
        "source": SOURCE,
        "execution_count": 1,
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "lit, it printed\n"}],
    }
    words = {"cell_type": "markdown", "id": "cell1", "metadata": {}, "source": "The *keeper*."}
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    notebook = {
        "cells": [code, words],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "lamp.ipynb").write_text(json.dumps(notebook))
    error = {
        "output_type": "error",
        "ename": "ZeroDivisionError",
        "evalue": "division by zero",
        "traceback": ["Traceback", "\x1b[0;31mZeroDivisionError\x1b[0m: division by zero"],
    }
    fails = code | {"id": "cell2", "source": "1 / 0", "execution_count": 2, "outputs": [error]}
    notebook["cells"] = [code, fails, words]
    (folder / "fails.ipynb").write_text(json.dumps(notebook))
    (folder / "notes.txt").write_text("The lamp is lit at dusk.")
    (folder / "large.txt").write_text("x" * 1_080_000)
    (folder / "picture.bin").write_bytes(b"\x89PNG\x00\xff\xfe")
    return folder


def _menu(chat: ChatPage, item: str) -> Locator:
    chat.page.get_by_role("button", name="Attach", exact=True).click()
    return chat.page.get_by_role("menuitem", name=item)


def _open(chat: ChatPage, path: str) -> None:
    chat.set({"tellPlace": False})  # what is attached is looked at, and nothing beside it
    chat.page.evaluate(
        """async path => {
          const widget = await window.jupyterapp.commands.execute(
            'docmanager:open', {path, factory: 'Notebook'});
          await widget.context.ready;
          await widget.revealed;
        }""",
        path,
    )


def _asked(chat: ChatPage, provider: OpenAIProvider) -> str:
    """Send the prompt, and return what the model was asked."""
    provider.script = Script(tokens=["I ", "see."])
    count = chat.replies.count()
    chat.ask("What is this?")
    expect(chat.replies).to_have_count(count + 1)
    expect(chat.reply()).to_have_text("I see.")
    chat.expect_mode("send")
    expect(chat.attached).to_have_count(0)
    asked: str = provider.requests[-1].body["messages"][-1]["content"]
    assert "What is this?" in asked
    return asked


def test_a_selection_and_a_cell(chat: ChatPage, provider: OpenAIProvider, home: Path) -> None:
    """J1: of the notebook that was used last; by the menu, and unfolded on what was sent."""
    for item in ("Attach the Selection", "Attach the Active Cell"):
        expect(_menu(chat, item)).to_have_attribute("aria-disabled", "true")
        chat.page.keyboard.press("Escape")
    _open(chat, "lamp.ipynb")
    line = chat.page.locator(".jp-CodeCell .cm-line").nth(1)
    line.click()
    chat.page.keyboard.press("Home")
    chat.page.keyboard.press("Shift+End")
    _menu(chat, "Attach the Selection").click()
    expect(chat.attached).to_contain_text(["Selection in lamp.ipynb"])
    expect(chat.input).to_be_focused()
    _menu(chat, "Attach the Active Cell").click()
    expect(chat.attached).to_contain_text(["Selection in lamp.ipynb", "Cell 1 of lamp.ipynb"])
    chat.shot("attached")
    # Each can be taken off again, by the keyboard as well.
    chat.attached.first.get_by_role("button", name="Remove").press("Enter")
    expect(chat.attached).to_contain_text(["Cell 1 of lamp.ipynb"])
    expect(chat.input).to_be_focused()
    _menu(chat, "Attach the Selection").click()
    expect(chat.attached).to_have_count(2)
    asked = _asked(chat, provider)
    assert SOURCE in asked
    assert "lit, it printed" in asked
    assert asked.count("lamp = 'lit'") == 2
    sent = chat.page.locator(".jp-StopChat-sentAttachment")
    expect(sent).to_have_count(2)
    expect(sent.nth(1).locator("pre")).to_be_hidden()
    sent.nth(1).locator("summary").click()
    expect(sent.nth(1).locator("pre")).to_have_text("lamp = 'lit'")
    chat.shot("attachments-sent")


def test_files_of_the_server_and_of_the_computer(
    chat: ChatPage, provider: OpenAIProvider, home: Path, tmp_path: Path
) -> None:
    """J1: both by a dialog; a notebook goes as Markdown."""
    _menu(chat, "Attach Files…").click()
    dialog = chat.page.locator(".jp-Dialog")
    dialog.locator(".jp-DirListing-item", has_text="lamp.ipynb").click()
    chat.page.keyboard.down("Control")
    dialog.locator(".jp-DirListing-item", has_text="notes.txt").click()
    chat.page.keyboard.up("Control")
    dialog.locator(".jp-mod-accept").click()
    expect(chat.attached).to_have_count(2)
    expect(chat.input).to_be_focused()
    own = tmp_path / "own.md"
    own.write_text("# From my own computer")
    with chat.page.expect_file_chooser() as chooser:
        _menu(chat, "Attach Files from This Computer…").click()
    chooser.value.set_files(own)
    expect(chat.attached).to_have_count(3)
    asked = _asked(chat, provider)
    for words in ("The lamp is lit at dusk.", "# From my own computer", "The *keeper*."):
        assert words in asked
    assert f"```python\n{SOURCE}\n```" in asked
    assert "lit, it printed" in asked
    assert "cell_type" not in asked


def _drag(chat: ChatPage, what: Locator, onto: Locator) -> None:
    """Drag by the mouse, in steps, as a hand does."""
    start, end = what.bounding_box(), onto.bounding_box()
    assert start
    assert end
    mouse = chat.page.mouse
    mouse.move(start["x"] + 15, start["y"] + 10)
    mouse.down()
    mouse.move(start["x"] + 40, start["y"] + 30, steps=3)
    mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=5)
    expect(chat.page.locator(".jp-StopChat-panel.jp-mod-dropTarget")).to_have_count(1)
    mouse.up()
    expect(chat.page.locator(".jp-mod-dropTarget")).to_have_count(0)


def test_what_is_dropped(chat: ChatPage, provider: OpenAIProvider, home: Path) -> None:
    """J1: a file of the desktop, cells of a notebook, a file of the file browser."""
    _asked(chat, provider)
    chat.drop_file("desktop.txt", "From the desktop.")
    expect(chat.attached).to_contain_text(["desktop.txt"])
    _open(chat, "lamp.ipynb")
    _drag(chat, chat.page.locator(".jp-CodeCell .jp-InputPrompt"), chat.panel)
    expect(chat.attached).to_contain_text(["desktop.txt", "Cells"])
    # The file browser is in the panel's place: its files go onto a tab.
    chat.command("stop-chat:open-tab")
    tab = chat.page.locator("#jp-main-dock-panel .jp-StopChat-panel")
    expect(tab.locator(".jp-StopChat-attachments li")).to_have_count(2)
    chat.page.evaluate("window.jupyterapp.commands.execute('filebrowser:activate')")
    _drag(chat, chat.page.locator(".jp-DirListing-item", has_text="notes.txt"), tab)
    expect(tab.locator(".jp-StopChat-attachments li")).to_have_count(3)
    requests = len(provider.requests)
    box = tab.locator(".jp-StopChat-input")
    box.fill("What are these?")
    box.press("Enter")
    expect(tab.locator(".jp-StopChat-body")).to_have_text(["I see."] * 2)
    assert len(provider.requests) == requests + 1
    asked = provider.requests[-1].body["messages"][-1]["content"]
    for words in ("From the desktop.", SOURCE, "The lamp is lit at dusk."):
        assert words in asked


def test_menus_of_what_is_asked_about(
    chat: ChatPage, provider: OpenAIProvider, home: Path
) -> None:
    """U3: the example takes the cell that failed; cells, outputs and files have an entry."""
    example = chat.page.get_by_role("button", name="What does this traceback mean")
    example.click()
    expect(chat.attached).to_have_count(0)
    _open(chat, "fails.ipynb")
    # The cell behind it is active, as after Shift+Enter.
    notebook = chat.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    notebook.locator(".jp-MarkdownCell").click()
    example.click()
    example.click()
    expect(chat.attached).to_contain_text(["Cell 2 of fails.ipynb"])
    expect(chat.input).to_be_focused()
    cell = notebook.locator(".jp-CodeCell").first
    for what, item in (
        (cell.locator(".cm-line").first, "Attach the Cell"),
        (cell.locator(".jp-OutputArea-output"), "Attach the Output"),
    ):
        what.click(button="right")
        entry = chat.page.get_by_role("menuitem", name=f"{item} to Stop Chat")
        expect(entry).to_be_enabled()
        chat.shot(f"menu-{item}")
        entry.click()
    expect(chat.attached).to_contain_text(
        ["Cell 2 of fails.ipynb", "Cell 1 of fails.ipynb", "Output of cell 1 of fails.ipynb"]
    )
    chat.page.evaluate("window.jupyterapp.commands.execute('filebrowser:activate')")
    chat.page.locator(".jp-DirListing-item", has_text="notes.txt").click(button="right")
    chat.page.get_by_role("menuitem", name="Attach to Stop Chat").click()
    expect(chat.attached).to_have_count(4)
    expect(chat.input).to_be_focused()
    asked = _asked(chat, provider)
    for words in ("1 / 0", "Traceback\nZeroDivisionError", "lit, it", "The lamp is lit at dusk."):
        assert words in asked


def test_an_edited_prompt_keeps_what_is_attached(chat: ChatPage, provider: OpenAIProvider) -> None:
    """U14, U25: as chips that tell their size and can be removed, in a field that grows."""
    provider.script = Script(tokens=["I ", "see."])
    chat.drop_file("first.txt", "The first file.")
    chat.drop_file("second.txt", "The second file. " * 100)
    expect(chat.attached).to_contain_text(["first.txt15 B", "second.txt2 kB"])
    _asked(chat, provider)
    chat.messages.first.hover()
    chat.messages.first.get_by_role("button", name="Edit").click()
    editor = chat.page.locator(".jp-StopChat-editor")
    chips = editor.locator(".jp-StopChat-attachment")
    expect(chips).to_contain_text(["first.txt", "second.txt"])
    chips.first.get_by_role("button", name="Remove first.txt").click()
    expect(chips).to_contain_text(["second.txt"])
    box = editor.get_by_role("textbox")
    expect(box).to_be_focused()
    low = box.evaluate("box => box.offsetHeight")
    box.fill("What is this?\nAnd\nthat?")
    assert box.evaluate("box => box.offsetHeight") > low
    assert box.evaluate("box => box.scrollHeight <= box.clientHeight")
    chat.shot("edited-with-attachments")
    requests = len(provider.requests)
    box.press("Enter")
    expect(editor).to_have_count(0)
    expect(chat.page.locator(".jp-StopChat-sentAttachment")).to_have_count(1)
    chat.expect_mode("send")
    asked = provider.requests[requests].body["messages"][-1]["content"]
    assert "The second file." in asked
    assert "The first file." not in asked


def test_what_cannot_be_attached(chat: ChatPage, home: Path) -> None:
    """L5, U14: says so in a plain sentence; what was attached before stays."""
    notice = chat.page.locator(".jp-StopChat-notice")
    chat.drop_file("notes.txt", "The lamp is lit at dusk.")
    expect(chat.attached).to_have_count(1)
    chat.drop_file("large.txt", "x" * 1_080_000)
    expect(notice).to_contain_text(
        "“large.txt” is too large to be attached: "
        "a prompt and its attachments can have 1024 kB in all."
    )
    chat.shot("too-large")
    # U14: a part of it goes with the prompt.
    notice.get_by_role("button", name="Attach its beginning and end").click()
    expect(chat.attached.last).to_contain_text("large.txt (beginning and end)40 kB")
    expect(notice).to_have_count(0)
    expect(chat.input).to_be_focused()
    chat.attached.last.get_by_role("button").click()
    chat.drop_file("large.txt", "x" * 1_080_000)
    expect(notice).to_be_visible()
    # What was said is put away by the next thing that is attached.
    chat.drop_file("also.txt", "x" * 40_000)
    expect(chat.attached).to_have_count(2)
    expect(notice).to_have_count(0)
    chat.drop_file("third.txt", "x" * 1_020_000)
    expect(notice).to_contain_text("“third.txt” is too large to be attached")
    # Where the others leave no room for a part either, none is offered again.
    chat.drop_file("filling.txt", "x" * 1_006_800)
    expect(chat.attached).to_have_count(3)
    chat.drop_file("fourth.txt", "x" * 1_020_000)
    notice.get_by_role("button", name="Attach its beginning and end").click()
    expect(notice).to_contain_text("“fourth.txt (beginning and end)” is too large")
    expect(notice.get_by_role("button", name="Attach its beginning and end")).to_have_count(0)
    chat.attached.last.get_by_role("button").click()
    expect(chat.attached).to_have_count(2)
    chat.drop_file("picture.bin", "a\0b")
    expect(notice).to_contain_text("Not attached: picture.bin is no text file.")
    # The server's own files are not even fetched when they are too large.
    for name, words in (
        ("large.txt", "“large.txt” is too large"),
        ("picture.bin", "Not attached: picture.bin is no text file."),
    ):
        _menu(chat, "Attach Files…").click()
        dialog = chat.page.locator(".jp-Dialog")
        dialog.locator(".jp-DirListing-item", has_text=name).click()
        dialog.locator(".jp-mod-accept").click()
        expect(dialog).to_have_count(0)
        expect(notice).to_contain_text(words)
        if name == "large.txt":
            notice.get_by_role("button", name="Attach its beginning and end").click()
            expect(chat.attached.last).to_contain_text("large.txt (beginning and end)40 kB")
            chat.attached.last.get_by_role("button").click()
    expect(chat.attached).to_have_count(2)
    for number in range(19):
        chat.drop_file(f"{number}.txt", "small")
    expect(notice).to_contain_text("Not attached: 18.txt. A prompt can have 20 attachments.")
    expect(chat.attached).to_have_count(20)
    chat.shot("attachments-20")
    assert chat.sent_of("send") == []
