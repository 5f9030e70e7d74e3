"""Explain and Fix under a traceback, and the change that the answer's code is in its cell."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.axe import AXE, THEMES, violations
from tests.browser.cells.notebook import NotebookPage
from tests.browser.chat_page import USUAL_WIDTH, ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

BROKEN = "rows = [1, 2]\ntotal = 0\nfor row in rows:\n    total += row\nprint(totl)"
MENDED = "rows = [1, 2]\ntotal = sum(rows)\nfor row in rows:\n    pass\nprint(total)"
ANSWER = f"`totl` is misspelt.\n\n```python\n{MENDED}\n```\n"


def test_an_error_is_mended_in_its_cell(chat: ChatPage, provider: OpenAIProvider) -> None:
    """C1, C2, C3, C4, C9: from the red traceback to a cell that runs, and one step back."""
    page, notebook = chat.page, NotebookPage(chat)
    notebook.open("1 + 1", BROKEN)
    expect(notebook.rows).to_have_count(0)
    notebook.run(1)
    expect(notebook.rows).to_have_count(1)
    row = notebook.cell(1).locator(".jp-StopChat-errorRow")
    fix = row.get_by_role("button", name="Fix the error of cell [1]")
    expect(fix).to_be_visible()
    # It is no part of the output: not of what scrolls, nor of what is copied or saved.
    assert page.locator(".jp-OutputArea .jp-StopChat-errorRow").count() == 0
    assert "StopChat" not in notebook.saved()
    chat.shot("cells-error-row")

    # A draft stays, and the question is sent at once.
    chat.input.fill("a draft of mine")
    provider.script = Script(tokens=[ANSWER])
    fix.focus()
    page.keyboard.press("Enter")
    chat.expect_mode("send")
    expect(chat.reply()).to_contain_text("misspelt")
    expect(chat.input).to_have_value("a draft of mine")
    sent = provider.requests[-1].body["messages"][-1]["content"]
    assert "Fix the error" in sent
    assert "print(totl)" in sent
    assert "NameError: name 'totl' is not defined" in sent
    assert "\x1b" not in json.dumps(sent)
    assert "draft" not in sent

    # The change is shown in the cell, whichever is active, and is nowhere else yet.
    notebook.select(0)
    page.locator(".jp-StopChat-code").get_by_role("button", name="Replace cell").click()
    expect(notebook.cell(1).locator(".jp-StopChat-cellBar")).to_contain_text("A change of cell 2")
    expect(notebook.news.first).to_contain_text("total = sum(rows)")
    expect(notebook.status).to_contain_text("Accept it or reject it")
    page.evaluate(AXE.read_text())
    for theme, name in THEMES.items():
        chat.theme(name)
        assert violations(chat, ".jp-StopChat-cellBar") == []
        assert violations(chat, ".jp-StopChat-errorRow") == []
        chat.shot(f"cells-difference-{theme}")
    chat.theme(THEMES["light"])
    # In a notebook 250 pixels wide nothing of it is cut off.
    chat.width(1200 - 250 - 120)
    for button in notebook.bar.get_by_role("button").all():
        expect(button).to_be_in_viewport(ratio=1)
    chat.shot("cells-difference-narrow")
    chat.width(USUAL_WIDTH)
    assert notebook.sources() == ["1 + 1", BROKEN]
    assert "sum(rows)" not in notebook.saved()

    # One part is accepted, and the rest rejected; Ctrl+Z takes that part back.
    notebook.bar.get_by_role("button", name="Accept change 1 of cell 2").click()
    part = BROKEN.replace("total = 0", "total = sum(rows)")
    notebook.expect_sources("1 + 1", part)
    notebook.bar.get_by_role("button", name="Reject the change of cell 2").click()
    expect(notebook.bar).to_have_count(0)
    expect(notebook.news).to_have_count(0)
    expect(notebook.cell(1)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Control+z")
    notebook.expect_sources("1 + 1", BROKEN)

    # What is typed meanwhile stays, and what is accepted is one step of undo of its own.
    replace = page.locator(".jp-StopChat-code").get_by_role("button", name="Replace cell")
    replace.click()
    expect(notebook.bar).to_have_count(1)
    notebook.edit(1, "  # mine")
    notebook.expect_sources("1 + 1", f"{BROKEN}  # mine")
    notebook.bar.get_by_role("button", name="Accept the change of cell 2").focus()
    page.keyboard.press("Enter")
    notebook.expect_sources("1 + 1", f"{MENDED}  # mine")
    expect(notebook.cell(1)).to_be_focused()
    expect(notebook.status).to_have_text("The change is accepted.")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+z")
    notebook.expect_sources("1 + 1", f"{BROKEN}  # mine")
    page.keyboard.press("Control+Shift+z")
    notebook.expect_sources("1 + 1", f"{MENDED}  # mine")

    # The buttons go with the error.
    page.keyboard.press("Control+Enter")
    expect(notebook.rows).to_have_count(0)


def test_what_cannot_be_replaced_is_said(chat: ChatPage, provider: OpenAIProvider) -> None:
    """C1, C3, C4: read-only, gone, closed."""
    page, notebook = chat.page, NotebookPage(chat)
    notice = page.locator(".Toastify__toast")
    notebook.open("x = 1", ("1 / 0", {"editable": False}))
    notebook.run(1)
    expect(notebook.rows).to_have_count(1)

    # In the menu of that cell as well, and of no other.
    notebook.cell(0).click(button="right")
    menu = page.locator(".lm-Menu")
    expect(menu.get_by_text("Attach the Cell to Stop Chat")).to_be_visible()
    expect(menu.get_by_text("Explain This Error")).to_have_count(0)
    page.keyboard.press("Escape")
    notebook.cell(1).locator(".jp-OutputArea").click(button="right")
    provider.script = Script(tokens=["Nothing is divided by 0.\n\n```python\n1 / 1\n```\n"])
    menu.get_by_text("Explain This Error").click()
    chat.expect_mode("send")
    expect(chat.reply()).to_contain_text("divided")
    assert "Explain the error" in provider.requests[-1].body["messages"][-1]["content"]

    replace = page.locator(".jp-StopChat-code").get_by_role("button", name="Replace cell")
    replace.click()
    expect(notice.filter(has_text="is read-only")).to_contain_text("Cell 2 of “Untitled")
    expect(notebook.bar).to_have_count(0)

    # The cell is gone: the active one is aimed at, and it is said which.
    page.evaluate(
        """id => {
          const all = [...window.jupyterapp.shell.widgets('main')];
          all.find(one => one.id === id).content.model.sharedModel.deleteCell(1);
        }""",
        notebook.id,
    )
    notebook.select(0)
    replace.click()
    expect(notice.filter(has_text="is gone")).to_be_visible()
    expect(notebook.bar).to_contain_text("A change of cell 1")
    # It may be made read-only meanwhile: that is said where it is seen.
    page.evaluate(
        """id => {
          const all = [...window.jupyterapp.shell.widgets('main')];
          const {sharedModel} = all.find(one => one.id === id).content.model;
          sharedModel.cells[0].setMetadata('editable', false);
        }""",
        notebook.id,
    )
    notebook.bar.get_by_role("button", name="Accept the change of cell 1").click()
    expect(notice.filter(has_text="Not accepted: the cell cannot be changed")).to_be_visible()
    notebook.select(0)
    page.keyboard.press("Escape")
    notebook.bar.get_by_role("button", name="Reject the change of cell 1").focus()
    page.keyboard.press("Escape")
    expect(notebook.bar).to_have_count(0)
    notebook.expect_sources("x = 1")

    # Its notebook is closed: nothing is put anywhere, and it can be opened.
    notebook.close()
    replace.click()
    notice.filter(has_text="is closed").get_by_role("button", name="Open it").click()
    expect(page.locator(".jp-NotebookPanel .jp-Cell")).to_have_count(1)
