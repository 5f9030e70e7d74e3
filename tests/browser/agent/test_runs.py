"""An agent that runs cells in a real kernel, as a person beside it sees it and stops it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.agent.agent_page import Agent
from tests.browser.agent.run_page import Runner
from tests.browser.axe import AXE, violations
from tests.browser.chat_page import ChatPage
from tests.browser.lab import SEES, USUAL, Lab
from tests.magics.notebook import eventually
from tests.providers import OpenAIProvider

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("closed")]

CSV = "day,price\n1,3\n2,5\n3,4\n"
LOAD = """import csv
from PIL import Image, ImageDraw
rows = list(csv.DictReader(open("prices.csv")))
points = [(30 * int(row["day"]), 10 * int(row["{column}"])) for row in rows]
figure = Image.new("RGB", (120, 80), "white")
ImageDraw.Draw(figure).line(points, fill="black")
figure"""
#: A cell that says that it runs, and then does so for long.
LONG = "print('begun')\nimport time\ntime.sleep(60)"
STEPS = "import time\nfor n in range(4):\n    print('step', n)\n    time.sleep(0.5)"
#: A cell that takes an interrupt for nothing, and ends with the second one.
STUBBORN = """import time
print('begun')
for n in range(2):
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        print('again' if n else 'once')"""

ASKS = "name = input('Who? ')\nprint('hello', name)"
#: What the server keeps of a notebook's runs.
KEPT = """path => fetch(`/api/stop-chat/cell-outputs?path=${encodeURIComponent(path)}`)
  .then(answer => answer.json())"""


def kept_of(runner: Runner) -> object:
    """Return what is kept for a notebook that no page has put into it."""
    return runner.page.evaluate(KEPT, runner.book.path)


@pytest.fixture
def runner(chat: ChatPage, provider: OpenAIProvider) -> Iterator[Runner]:
    """Open a notebook beside the chat."""
    yield Runner(Agent(chat, provider))
    provider.forget()


def test_a_table_is_loaded_and_drawn_and_what_fails_is_mended(runner: Runner, lab: Lab) -> None:
    """N1, N7, N8, N10: insert, run, an error, mend, run: the model sees the figure; Undo."""
    agent, book = runner.agent, runner.book
    runner.chat.choose_model(SEES)
    book.open("a = 1")
    (lab.folder / "home" / "prices.csv").write_text(CSV)
    path = {"path": book.path}
    wrong, right = LOAD.format(column="cost"), LOAD.format(column="price")
    new = {**path, "after": "cell-0", "cell_type": "code", "source": wrong}
    agent.uses(("insert_cell", new))
    first, second, third = (runner.hold() for _ in range(3))
    agent.ask("Load prices.csv, plot both columns, and fix what fails.")
    runner.allow()
    book.expect_sources("a = 1", wrong)
    cell = agent.page.evaluate(
        """id => [...window.jupyterapp.shell.widgets('main')].find(one => one.id === id)
          .content.model.sharedModel.cells[1].getId()""",
        book.id,
    )
    runner.go_on(first, *runner.call(cell))
    expect(agent.question).to_contain_text("Run cell 2 of")
    expect(agent.question.locator(".jp-StopChat-runCode")).to_have_text(wrong)
    agent.chat.shot("run-asks")
    runner.allow()
    runner.expect_cell(1, "cost")
    expect(agent.line("Run cell 2 of")).to_contain_text("done")
    change = {"old_source": '["cost"]', "new_source": '["price"]'}
    runner.go_on(second, "replace_cell", {**path, "cell_id": cell, **change})
    assert "KeyError" in agent.told()
    runner.allow()
    book.expect_sources("a = 1", right)
    runner.go_on(third, *runner.call(cell))
    runner.expect_done()
    expect(book.cell(1).locator(".jp-RenderedImage img")).to_be_visible()
    expect(runner.prompt(1)).to_have_text(re.compile(r"\[\d+\]"))
    assert "data:image/" in agent.told()
    agent.chat.shot("run-done")
    agent.line("Run cell 2 of").locator("summary").click()
    expect(agent.line("Run cell 2 of").locator(".jp-StopChat-runCode")).to_have_text(right)
    agent.undo.get_by_role("button").click()
    book.expect_sources("a = 1")
    runner.chat.choose_model(USUAL)


def test_stop_ends_the_agents_cell_and_not_the_persons(runner: Runner) -> None:
    """N2, N12: the cell ends soon; what the person had queued behind it runs; the receipt."""
    runner.book.open(LONG, "mine = 2\nprint('mine')", "print('later')")
    runner.run()
    runner.expect_cell(0, "begun")
    expect(runner.prompt(0)).to_have_text("[*]:")
    runner.book.run(1)
    runner.book.run(2)
    expect(runner.prompt(1)).to_have_text("[*]:")
    runner.chat.button.click()
    runner.expect_cell(0, "begun")
    runner.expect_cell(1, "mine")
    runner.expect_cell(2, "later")
    runner.expect_rest(0)
    assert runner.cells()[0]["types"][-1] == "error"
    runner.chat.expect_mode("send")
    expect(runner.chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(runner.chat.stopped_line.locator(".jp-StopChat-receipt")).to_have_text(
        re.compile(r"the cell was interrupted after \d+ ms")
    )
    expect(runner.agent.line("Run cell 1 of")).to_contain_text("stopped")
    runner.chat.shot("run-stopped")


def test_stop_while_it_waits_for_the_persons_cell(runner: Runner) -> None:
    """N3, N7: it is not run; the person's cell goes on; Esc stops as everywhere."""
    runner.book.open("print('never')", LONG)
    runner.book.run(1)
    runner.expect_cell(1, "begun")
    runner.run()
    expect(runner.agent.line("Run cell 1 of")).to_contain_text("waits for the kernel")
    runner.chat.shot("run-waits")
    runner.chat.input.press("Escape")
    runner.chat.expect_mode("send")
    expect(runner.agent.line("Run cell 1 of")).to_contain_text("stopped")
    assert runner.cells()[1]["state"] == "running"
    runner.page.evaluate("window.jupyterapp.commands.execute('notebook:interrupt-kernel')")
    runner.expect_rest(1)
    assert runner.cells()[0]["text"] == ""


def test_the_interrupt_button_ends_the_cell_and_the_reply_goes_on(runner: Runner) -> None:
    """N2: JupyterLab's own; the model is told."""
    runner.book.open(LONG)
    runner.run()
    runner.expect_cell(0, "begun")
    runner.page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name=interrupt]").click()
    runner.expect_done()
    runner.expect_rest(0)
    assert "interrupted by the person" in runner.agent.told()


def test_a_cell_asks_its_person(runner: Runner) -> None:
    """N5: the line says so and leads there; who writes in the chat goes on writing there."""
    runner.book.open(ASKS)
    runner.run()
    runner.chat.input.fill("")
    runner.chat.input.focus()
    expect(runner.agent.line("Run cell 1 of")).to_contain_text(
        "waits for your input in the notebook"
    )
    expect(runner.chat.input).to_be_focused()
    runner.chat.shot("run-asks-input")
    runner.actions.get_by_role("button").click()
    expect(runner.page.locator(".jp-Stdin-input")).to_be_focused()
    runner.page.keyboard.type("Ada")
    runner.page.keyboard.press("Enter")
    runner.expect_cell(0, "hello Ada")
    runner.expect_done()
    expect(runner.actions).to_have_count(0)


def test_a_cell_asks_while_its_person_types_in_another(runner: Runner) -> None:
    """N5: what they type is no answer, and their caret stays where it is."""
    runner.book.open(f"import time\ntime.sleep(1)\n{ASKS}", "mine = 1")
    runner.run()
    runner.book.edit(1, "  # and")
    expect(runner.page.locator(".jp-Stdin-input")).to_be_visible()
    runner.page.keyboard.type(" mine too")
    assert runner.book.sources()[1] == "mine = 1  # and mine too"
    runner.actions.get_by_role("button").click()
    expect(runner.page.locator(".jp-Stdin-input")).to_be_focused()
    runner.page.keyboard.type("Ada")
    runner.page.keyboard.press("Enter")
    runner.expect_done()
    runner.expect_cell(0, "hello Ada")


def test_what_the_person_runs_again_meanwhile_stays(runner: Runner) -> None:
    """N6: in the cell, also once its notebook was closed and opened again."""
    runner.book.open(
        "n = globals().get('n', 0) + 1\nimport time\ntime.sleep(1.5)\nprint('run', n)"
    )
    runner.run()
    expect(runner.prompt(0)).to_have_text("[*]:")
    runner.book.run(0)
    runner.expect_done()
    runner.expect_cell(0, "run 2")
    runner.expect_rest(0)
    eventually(lambda: kept_of(runner) == {"runs": []}, "nothing older is kept")
    runner.book.close()
    runner.book.open_again()
    assert [(one["count"], one["text"]) for one in runner.cells()] == [(2, "run 2\n")]


def test_a_cell_out_of_sight_runs_and_moves_nobody(runner: Runner) -> None:
    """N1: with its number, in a long notebook, while the person types elsewhere."""
    runner.book.open(*[f"x = {n}\n" * 12 for n in range(60)], "print('far')")
    runner.agent.uses(runner.call("cell-59"))
    held = runner.hold()
    runner.agent.ask()
    runner.allow()
    runner.expect_rest(59)
    runner.book.edit(0, "# mine")
    runner.go_on(held, *runner.call("cell-60"))
    runner.expect_done()
    runner.expect_cell(60, "far")
    assert runner.cells()[60]["count"] is not None
    runner.page.keyboard.type(" still")
    assert runner.book.sources()[0].endswith("# mine still")


@pytest.mark.parametrize("how", ["closed", "reloaded"])
def test_the_tab_goes_and_what_was_shown_comes_into_the_cell(runner: Runner, how: str) -> None:
    """N6: in the middle, opened again, and never written behind a page's back."""
    runner.book.open(STEPS)
    runner.run()
    runner.expect_cell(0, "step 0")
    if how == "closed":
        runner.book.close()
        runner.expect_done()
    else:
        runner.book.saved()
        runner.chat.load_again()
    runner.book.open_again()
    runner.expect_cell(0, "step 3")
    runner.expect_done()
    assert "step 3" in runner.agent.told()
    assert runner.cells()[0]["count"] is not None
    eventually(lambda: kept_of(runner) == {"runs": []}, "nothing is kept")


def test_a_cell_that_does_not_stop(runner: Runner) -> None:
    """N4: the message ends; the line says what goes on, until it does not; interrupted again."""
    runner.book.open(STUBBORN)
    runner.run()
    runner.expect_cell(0, "begun")
    runner.chat.button.click()
    runner.chat.expect_mode("send")
    line = runner.agent.line("Run cell 1 of")
    expect(line).to_contain_text("the cell is still running")
    runner.page.evaluate(AXE.read_text())
    for theme in ("Light", "Dark", "Dark High Contrast"):
        runner.chat.theme(f"JupyterLab {theme}")
        assert violations(runner.chat) == []
    runner.chat.shot("run-still")
    runner.chat.theme("JupyterLab Light")
    runner.actions.get_by_role("button", name="Interrupt again").click()
    runner.expect_cell(0, "again")
    expect(line).not_to_contain_text("still running")
    expect(runner.actions).to_have_count(0)
    runner.expect_rest(0)


def test_a_kernel_is_restarted_where_nothing_else_helps(runner: Runner) -> None:
    """N4: it is asked first; the line changes by itself."""
    runner.book.open(STUBBORN.replace("range(2)", "range(99)"), "print('anew')")
    runner.run()
    runner.expect_cell(0, "begun")
    runner.chat.button.click()
    line = runner.agent.line("Run cell 1 of")
    expect(line).to_contain_text("the cell is still running")
    dialog = runner.page.locator(".jp-Dialog")
    restart = runner.actions.get_by_role("button", name="Restart kernel")
    restart.click()
    expect(dialog).to_contain_text("its variables are lost")
    runner.chat.leave_dialog()
    expect(line).to_contain_text("the cell is still running")
    restart.click()
    dialog.get_by_role("button", name="Restart").click()
    expect(runner.actions).to_have_count(0)
    expect(line).not_to_contain_text("still running")
    runner.expect_rest(0)
    runner.book.run(1)
    runner.expect_cell(1, "anew")
    assert runner.cells()[1]["count"] == 1


def test_the_agent_starts_the_kernel_anew_and_runs_in_it(runner: Runner) -> None:
    """N1, N19: it is asked for each time; the page goes on with the new one."""
    runner.book.open("print('anew')")
    runner.book.run(0)
    runner.expect_cell(0, "anew")
    runner.agent.uses(("restart_kernel", {"path": runner.book.path}))
    runner.agent.uses(runner.call(), says="And run. ")
    runner.agent.ask()
    expect(runner.agent.question).to_contain_text("Restart the kernel of")
    expect(runner.agent.question).to_contain_text("asked for each time")
    runner.allow("Allow")
    expect(runner.agent.question).to_contain_text("Run cell 1 of")
    runner.allow("Allow")
    runner.expect_done()
    runner.expect_rest(0)
    assert [(one["count"], one["text"]) for one in runner.cells()] == [(1, "anew\n")]


def test_what_is_asked_can_be_read_in_each_theme_and_at_250_pixels(runner: Runner) -> None:
    """N7, N8: the code is seen whole, and its line with what it was."""
    long = "a_rather_long_name = [1, 2, 3, 4, 5, 6, 7, 8, 9]  # and a comment: it is not cut"
    runner.book.open(f"{long}\nprint('done', a_rather_long_name[0])")
    runner.agent.uses(runner.call())
    runner.agent.ask()
    expect(runner.agent.question).to_have_attribute("data-ready", "true")
    runner.page.evaluate(AXE.read_text())
    for theme in ("Light", "Dark", "Dark High Contrast"):
        runner.chat.theme(f"JupyterLab {theme}")
        runner.chat.shot(f"run-asks-{theme.lower().replace(' ', '-')}")
        assert violations(runner.chat) == []
    runner.chat.theme("JupyterLab Light")
    runner.chat.width(250)
    runner.chat.shot("run-asks-250")
    over = """name => {
      const {scrollWidth, clientWidth} = document.querySelector(name);
      return scrollWidth - clientWidth;
    }"""
    for name in (".jp-StopChat-list", ".jp-StopChat-runCode"):
        assert runner.page.evaluate(over, name) <= 0
    runner.allow("Allow")
    runner.expect_done()
    runner.agent.line("Run cell 1 of").locator("summary").click()
    expect(runner.page.locator(".jp-StopChat-runCode")).to_be_visible()
    assert violations(runner.chat) == []
    assert runner.page.evaluate(over, ".jp-StopChat-list") <= 0
