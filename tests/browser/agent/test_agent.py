"""An agent in the notebook: what a person sees of its tools, answers them, and takes back."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.agent.agent_page import Agent
from tests.browser.axe import AXE, violations
from tests.providers import Script

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]


def test_the_first_time_it_is_said_what_an_agent_may_do(agent: Agent) -> None:
    """N1, N8: in the switch's own place, once; and Ask stays what it was."""
    words = agent.page.locator(".jp-StopChat-agentWords")
    expect(agent.mode).to_have_text("Ask")
    agent.mode.click()
    expect(words).to_contain_text("waits until you allow it")
    words.get_by_role("button", name="Only ask").click()
    expect(agent.mode).to_have_text("Ask")
    agent.mode.click()
    agent.page.evaluate(AXE.read_text())
    assert violations(agent.chat) == []
    agent.chat.shot("agent-words")
    words.get_by_role("button", name="Use the agent").click()
    expect(words).to_have_count(0)
    expect(agent.mode).to_have_attribute("aria-checked", "true")
    expect(agent.chat.input).to_be_focused()


def test_it_reads_what_is_not_saved_and_changes_it_once_it_is_allowed(agent: Agent) -> None:
    """N1, N7, N8, N10: lines at their place, the difference, Enter; the cell lights up; Undo."""
    book = agent.book
    book.edit(0, "\nmine = 0")
    agent.uses(("read_notebook", {"path": book.path}))
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"), says="I change it. ")
    agent.ask()
    expect(agent.question).to_be_focused()
    expect(agent.question.locator("ins")).to_have_text("a = 10")
    expect(agent.question.locator("del")).to_have_text("a = 1")
    assert "mine = 0" in agent.told()
    agent.chat.shot("agent-asks")
    book.expect_sources("a = 1\nb = 2\nmine = 0", "c = 3")
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.page.keyboard.press("Enter")
    expect(agent.lit).to_have_count(1)
    book.expect_sources("a = 10\nb = 2\nmine = 0", "c = 3")
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    parts = agent.chat.replies.last.locator(".jp-StopChat-body, .jp-StopChat-tool > summary")
    words = [text.strip().split(" · ")[0] for text in parts.all_text_contents()]
    name = book.path.rpartition("/")[2]
    assert words == [
        "I look.",
        f"Read {name}",
        "I change it.",
        f"Change a cell of {name}",
        "Done.",
    ]
    agent.chat.shot("agent-done")
    # What the person writes meanwhile is theirs.
    book.edit(0, "\nmine = 1")
    undo = agent.undo.get_by_role("button")
    expect(undo).to_have_text("Undo changes (1 cell)")
    undo.click()
    book.expect_sources("a = 1\nb = 2\nmine = 0\nmine = 1", "c = 3")
    expect(agent.undo).to_contain_text("keeps what was written in it since")
    expect(undo).to_have_text("Redo changes (1 cell)")
    agent.chat.shot("agent-undone")
    undo.click()
    book.expect_sources("a = 10\nb = 2\nmine = 0\nmine = 1", "c = 3")


def test_esc_refuses_and_stops_nothing_and_a_reason_is_told(agent: Agent) -> None:
    """N8: the reply goes on, and the model knows why."""
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"))
    agent.uses(agent.replace("cell-1", "c = 3", "c = 30"), says="Then this. ")
    agent.ask(last="All right.")
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.page.keyboard.press("Escape")
    expect(agent.line("not allowed")).to_be_visible()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.question.get_by_role("textbox").fill("leave c alone")
    agent.page.keyboard.press("Enter")
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    assert "leave c alone" in agent.told()
    agent.book.expect_sources("a = 1\nb = 2", "c = 3")
    expect(agent.undo).to_have_count(0)


def test_an_esc_that_is_held_down_refuses_one_question_and_stops_nothing(agent: Agent) -> None:
    """N8: neither the next question nor the reply was there when it was pressed."""
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"))
    agent.uses(agent.replace("cell-1", "c = 3", "c = 30"), says="Then this. ")
    held = Script(tokens=["All right."], stall="before_headers")
    agent.provider.scripts.append(held)
    agent.ask()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.page.keyboard.down("Escape")
    expect(agent.line("not allowed")).to_be_visible()
    expect(agent.question).to_have_attribute("data-ready", "true")
    expect(agent.question).to_be_focused()
    agent.page.keyboard.down("Escape")
    expect(agent.question).to_have_attribute("data-sent", "false")
    agent.page.keyboard.up("Escape")
    agent.page.keyboard.down("Escape")
    expect(agent.question).to_have_count(0)
    expect(agent.chat.input).to_be_focused()
    agent.page.keyboard.down("Escape")
    agent.page.keyboard.up("Escape")
    held.resume.set()
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")


def test_stop_while_it_asks(agent: Agent) -> None:
    """N9, V8: the question goes with the press, and nothing is changed, also not later."""
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"))
    agent.ask()
    expect(agent.question).to_have_attribute("data-ready", "true")
    requests = len(agent.provider.requests)
    agent.chat.button.click()
    expect(agent.question).to_have_count(0)
    agent.chat.expect_mode("send")
    expect(agent.chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(agent.line("stopped before it began")).to_be_visible()
    agent.chat.shot("agent-stopped")
    assert len(agent.provider.requests) == requests
    agent.book.expect_sources("a = 1\nb = 2", "c = 3")


def test_a_question_outlives_a_reload(agent: Agent) -> None:
    """N8: and it is shown in the list of chats."""
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"))
    agent.ask()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.book.close()
    agent.chat.load_again()
    agent.chat.command("stop-chat:chats")
    expect(agent.page.locator(".jp-StopChat-dot[data-dot=asking]")).to_have_attribute(
        "aria-label", "Waits for your answer"
    )
    agent.page.keyboard.press("Escape")
    agent.book.open_again()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.question.get_by_role("button", name="Allow", exact=True).click()
    agent.book.expect_sources("a = 10\nb = 2", "c = 3")
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    # What is closed is opened, in sight.
    agent.book.close()
    agent.undo.get_by_role("button").click()
    expect(agent.undo).to_contain_text("1 cell put back.")
    agent.book.open_again()
    agent.book.expect_sources("a = 1\nb = 2", "c = 3")


def test_a_cell_with_large_outputs_is_deleted_and_comes_back(agent: Agent) -> None:
    """N10, N14: what the page tells of it goes by HTTP, and none of it is lost."""
    book = agent.book
    printed = """([id, text]) => {
      const all = [...window.jupyterapp.shell.widgets('main')];
      const cell = all.find(one => one.id === id).content.model.sharedModel.cells[1];
      if (text) {
        cell.setOutputs([{output_type: 'stream', name: 'stdout', text}]);
      }
      return cell.toJSON().outputs[0].text;
    }"""
    text = "a line\n" * 20_000
    agent.page.evaluate(printed, [book.id, text])
    path = {"path": book.path}
    agent.uses(("read_notebook", path))
    agent.uses(("delete_cell", {**path, "cell_id": "cell-1"}), says="Less. ")
    agent.ask()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.page.keyboard.press("Enter")
    book.expect_sources("a = 1\nb = 2")
    longest = max(len(json.dumps(frame)) for frame in agent.chat.sent_of("tool_answer"))
    assert longest < 64 * 1024
    agent.undo.get_by_role("button").click()
    book.expect_sources("a = 1\nb = 2", "c = 3")
    assert agent.page.evaluate(printed, [book.id, None]) == text


def test_cells_come_go_and_move_and_all_of_it_is_undone(agent: Agent) -> None:
    """N1, N10: allowed for the chat, in one reply; JupyterLab's own undo is apart from typing."""
    book = agent.book
    path = {"path": book.path}
    new = {**path, "after": "cell-0", "cell_type": "markdown", "source": "# *New*"}
    agent.uses(("insert_cell", new))
    agent.uses(("insert_cell", {**new, "cell_type": "code", "source": "x = 1"}), says="More. ")
    agent.uses(
        ("read_notebook", path), ("move_cell", {**path, "cell_id": "cell-0", "after": "cell-1"})
    )
    agent.uses(("delete_cell", {**path, "cell_id": "cell-1"}), says="Less. ")
    agent.ask()
    for what in ("Insert", "Move", "Delete"):
        expect(agent.question).to_contain_text(f"{what} a cell of" if what != "Insert" else what)
        agent.question.get_by_role("button", name="Always in this chat").click()
    expect(agent.chat.replies.last).to_have_attribute("data-state", "completed")
    book.expect_sources("x = 1", "# *New*", "a = 1\nb = 2")
    expect(book.cell(1).locator("h1 em")).to_have_text("New")
    agent.line("Insert a cell").locator("summary").click()
    expect(agent.line("Insert a cell").locator("ins")).to_have_text("x = 1")
    agent.line("Insert a cell").get_by_role("button", name="Show the cell").click()
    expect(book.cell(0)).to_have_class(re.compile("jp-StopChat-flash"))  # others may be lit still
    agent.undo.get_by_role("button").click()
    book.expect_sources("a = 1\nb = 2", "c = 3")
    expect(agent.undo).to_contain_text("4 cells put back.")
    agent.undo.get_by_role("button").click()
    book.expect_sources("x = 1", "# *New*", "a = 1\nb = 2")


def test_it_can_be_read_in_each_theme_and_at_250_pixels(agent: Agent) -> None:
    """N7, N8: by contrast, names and width."""
    agent.uses(
        agent.replace("cell-0", "a = 1", "a_rather_long_name = [1, 2, 3, 4, 5, 6, 7, 8, 9]")
    )
    agent.ask()
    expect(agent.question).to_have_attribute("data-ready", "true")
    agent.page.evaluate(AXE.read_text())
    for theme in ("Light", "Dark", "Dark High Contrast"):
        agent.chat.theme(f"JupyterLab {theme}")
        agent.chat.shot(f"agent-{theme.lower().replace(' ', '-')}")
        assert violations(agent.chat) == []
    agent.chat.theme("JupyterLab Light")
    agent.chat.width(250)
    agent.chat.shot("agent-250")
    wide = agent.page.evaluate(
        """() => {
          const over = name => {
            const {scrollWidth, clientWidth} = document.querySelector(name);
            return scrollWidth - clientWidth;
          };
          // what is decided on is seen whole
          return Math.max(over('.jp-StopChat-list'), over('.jp-StopChat-lines'));
        }"""
    )
    assert wide <= 0
    agent.chat.button.click()
    agent.chat.expect_mode("send")
