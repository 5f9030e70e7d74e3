"""An agent that writes files: one that is open with what is not saved, and one that is new."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.agent.agent_page import Agent
from tests.browser.axe import AXE, violations
from tests.browser.lab import Lab
from tests.magics.notebook import eventually

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

OPEN = """async path => {
  const widget = await window.jupyterapp.commands.execute('docmanager:open', {path});
  await widget.context.ready;
  await widget.revealed;
}"""
NAMES = ("agent-words.txt", "agent-new/words.csv")


@pytest.fixture
def home(lab: Lab) -> Iterator[Path]:
    """Return the server's root, where nothing of this is left behind."""
    root = lab.folder / "home"
    yield root
    (root / NAMES[0]).unlink(missing_ok=True)
    shutil.rmtree(root / "agent-new", ignore_errors=True)  # JupyterLab keeps copies in it


def test_an_open_file_is_written_where_it_is_open(agent: Agent, home: Path) -> None:
    """N1, N6, N8, N10: with what is not saved; undone and made again, apart from what is typed."""
    name, page = NAMES[0], agent.page
    file = home / name
    file.write_bytes(b"one\r\ntwo\r\nthree\r\n")
    page.evaluate(OPEN, name)
    editor = page.locator(".jp-FileEditor:visible .cm-content")
    editor.click()
    page.keyboard.press("Control+End")
    page.keyboard.type("mine")
    agent.uses(("write_file", {"path": name, "old_text": "two", "new_text": "2\n2b"}))
    agent.ask()
    expect(agent.question.locator("ins")).to_have_text(["2", "2b"])
    expect(agent.question).to_contain_text(f"Change the file {name}")
    expect(agent.question).to_contain_text("opens or runs this file later")
    expect(agent.question).to_have_attribute("data-ready", "true")
    page.evaluate(AXE.read_text())
    assert violations(agent.chat) == []
    agent.chat.shot("agent-writes")
    assert file.read_bytes() == b"one\r\ntwo\r\nthree\r\n"
    page.keyboard.press("Enter")
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    expect(editor.locator(".cm-line")).to_have_text(["one", "2", "2b", "three", "mine"])
    assert file.read_bytes() == b"one\r\n2\r\n2b\r\nthree\r\nmine"
    assert f"{name} is written." in agent.told()
    # JupyterLab's own undo takes it back alone.
    editor.click()
    page.keyboard.press("Control+z")
    expect(editor.locator(".cm-line")).to_have_text(["one", "two", "three", "mine"])
    page.keyboard.press("Control+Shift+z")
    expect(editor.locator(".cm-line")).to_have_text(["one", "2", "2b", "three", "mine"])
    page.keyboard.press("Control+End")
    page.keyboard.type(" too")
    expect(editor.locator(".cm-line")).to_have_text(["one", "2", "2b", "three", "mine too"])
    undo = agent.undo.get_by_role("button")
    expect(undo).to_have_text("Undo changes (1 file)")
    undo.click()
    expect(agent.undo).to_contain_text("1 file keeps what was written in it since.")
    expect(editor.locator(".cm-line")).to_have_text(["one", "two", "three", "mine too"])
    assert file.read_bytes() == b"one\r\ntwo\r\nthree\r\nmine too"
    expect(undo).to_have_text("Redo changes (1 file)")
    undo.click()
    expect(editor.locator(".cm-line")).to_have_text(["one", "2", "2b", "three", "mine too"])
    eventually(lambda: file.read_bytes() == b"one\r\n2\r\n2b\r\nthree\r\nmine too", "it is saved")


def test_a_new_file_is_made_and_deleted_and_made_again(agent: Agent, home: Path) -> None:
    """N1, N8, N10: with its folder; it stays where somebody has written in it since."""
    name = NAMES[1]
    file = home / name
    agent.uses(("write_file", {"path": name, "text": "a,b\r\n1,2\r\n"}))
    agent.ask()
    expect(agent.question).to_contain_text(f"New file {name}")
    expect(agent.question.locator("ins")).to_have_text(["a,b", "1,2"])
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.chat.shot("agent-new-file")
    agent.page.keyboard.press("Enter")
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    assert file.read_bytes() == b"a,b\r\n1,2\r\n"
    agent.page.evaluate(OPEN, name)  # in a viewer
    # JupyterLab makes a copy as soon as it has opened it, and fails if it is gone by then.
    copies = file.parent / ".ipynb_checkpoints"
    eventually(lambda: any(copies.glob("*.csv")), "JupyterLab's copy")
    undo = agent.undo.get_by_role("button").first
    undo.click()
    expect(agent.undo).to_contain_text("1 file put back.")
    assert not file.exists()
    expect(agent.page.locator(".jp-CSVViewer")).to_have_count(0)
    undo.click()
    expect(agent.undo).to_contain_text("1 file changed again.")
    assert file.read_bytes() == b"a,b\r\n1,2\r\n"
    file.write_text("mine")
    undo.click()
    expect(agent.undo).to_contain_text("Left alone, as it was changed since:")
    assert file.read_text() == "mine"
    agent.undo.get_by_role("button", name="words.csv").click()
    expect(agent.page.locator(".jp-FileEditor:visible .cm-content")).to_have_text("mine")


def test_files_that_are_not_open_are_put_back_with_the_cells(agent: Agent, home: Path) -> None:
    """N10: a changed one and a new one, in one go."""
    (changed, new) = (home / name for name in NAMES)
    changed.write_bytes(b"one\r\ntwo\r\n")
    agent.uses(
        ("write_file", {"path": NAMES[0], "old_text": "two", "new_text": "2"}),
        ("write_file", {"path": NAMES[1], "text": "a,b\n1,2\n"}),
        agent.replace("cell-0", "a = 1", "a = 10"),
    )
    agent.ask()
    for _ in range(2):
        expect(agent.question).to_have_attribute("data-ready", "true")
        agent.question.get_by_role("button", name="Always in this chat").click()
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    assert (changed.read_bytes(), new.read_bytes()) == (b"one\r\n2\r\n", b"a,b\n1,2\n")
    undo = agent.undo.get_by_role("button").first
    expect(undo).to_have_text("Undo changes (1 cell, 2 files)")
    undo.click()
    expect(agent.undo).to_contain_text("1 cell, 2 files put back.")
    assert (changed.read_bytes(), new.exists()) == (b"one\r\ntwo\r\n", False)
    agent.book.expect_sources("a = 1\nb = 2", "c = 3")


def test_what_could_not_be_saved_is_not_said_to_be_put_back(agent: Agent, home: Path) -> None:
    """N10: where it was changed on the disk, JupyterLab asks, and the person takes that."""
    name, dialog = NAMES[0], agent.page.locator(".jp-Dialog")
    (home / name).write_text("one\ntwo\nthree\n")
    agent.page.evaluate(OPEN, name)
    agent.uses(("write_file", {"path": name, "old_text": "two", "new_text": "2"}))
    agent.ask()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.page.keyboard.press("Enter")
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    (home / name).write_text("one\n2\nthree\nby another\n")
    undo = agent.undo.get_by_role("button").first
    undo.click()
    dialog.get_by_role("button", name="Revert").click()
    expect(agent.undo).to_contain_text("Left to you, as it could not be saved:")
    editor = agent.page.locator(".jp-FileEditor:visible .cm-content .cm-line")
    expect(editor).to_have_text(["one", "2", "three", "by another", ""])
    undo.click()
    expect(agent.undo).to_contain_text("1 file keeps what was written in it since.")
    assert (home / name).read_text() == "one\ntwo\nthree\nby another\n"


def test_stop_while_it_asks_writes_nothing(agent: Agent, home: Path) -> None:
    """N9: neither the file nor its folder, also not where it is allowed in the same moment."""
    agent.uses(("write_file", {"path": NAMES[1], "text": "x"}))
    agent.ask()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.page.evaluate(
        """() => {
          const allow = document.querySelector('.jp-StopChat-approval [data-answer=once]');
          document.querySelector('.jp-StopChat-button').click();
          allow.click();
        }"""
    )
    agent.chat.expect_mode("send")
    expect(agent.question).to_have_count(0)
    expect(agent.undo).to_have_count(0)
    assert not (home / "agent-new").exists()
