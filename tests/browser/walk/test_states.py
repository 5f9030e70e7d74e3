"""The states of an agent, the servers of tools and the settings, as docs/pictures.md shows them.

What each state is decided by has tests of its own in `agent`, `jupyterlab` and `mcp_servers`; here
each is brought about with words and code that a reader can follow, and looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.agent.agent_page import Agent
from tests.browser.agent.run_page import Runner
from tests.browser.axe import AXE, violations
from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.mcp_servers.rig import awkward
from tests.providers import OpenAIProvider

pytestmark = [
    pytest.mark.browser,
    pytest.mark.stress,
    pytest.mark.usefixtures("closed"),
]

LOAD = "prices = [3.0, 4.5, 5.0, 2.5]"
SUM = "total = sum(prices)\nprint(total)"
MEAN = "mean = sum(prices) / len(prices)\nprint(mean)"
#: The person's own cell, which runs until a file is there.
MINE = """import time
from pathlib import Path

print("my own cell runs")
while not Path("measured.csv").exists():
    time.sleep(0.1)"""
LONG = """import time

for step in range(600):
    if step % 10 == 0:
        print("step", step)
    time.sleep(0.1)"""
STUBBORN = """import time

print("begun")
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("no, I go on")
time.sleep(60)"""


@pytest.fixture
def runner(chat: ChatPage, provider: OpenAIProvider) -> Iterator[Runner]:
    """Open nothing yet; the panel is as wide as a person has it."""
    yield Runner(Agent(chat, provider))
    provider.forget()


def look(chat: ChatPage, name: str) -> None:
    """Look at what is there now: axe-core, and who reads the screenshots."""
    chat.page.mouse.move(1190, 790)
    assert violations(chat) == [], name
    chat.shot(f"state-{name}")


def begin(runner: Runner, *cells: str) -> None:
    """Open a notebook, and bring in what looks at a page."""
    runner.book.open(*cells)
    runner.page.evaluate(AXE.read_text())


def ask_to_run(runner: Runner, prompt: str, cell: str = "cell-0") -> None:
    """Have the agent want to run a cell."""
    runner.agent.uses(runner.call(cell), says="I run it, to see. ")
    runner.agent.ask(prompt, last="It prints what you see.")
    expect(runner.agent.question).to_have_attribute("data-ready", "true")


def test_a_change_is_asked_made_and_undone(runner: Runner) -> None:
    """N7, N8, N10: what it would do, what it did, and that it is taken back."""
    agent, book, chat = runner.agent, runner.book, runner.chat
    begin(runner, LOAD, SUM)
    agent.uses(("read_notebook", {"path": book.path}), says="I look at the notebook. ")
    agent.uses(agent.replace("cell-1", SUM, MEAN), says="The second cell takes the sum. ")
    agent.ask("Take the mean of the prices, not their sum.", last="Now it takes the mean.")
    expect(agent.question).to_have_attribute("data-ready", "true")
    look(chat, "1-asked")
    agent.question.get_by_role("button", name="Allow", exact=True).click()
    book.expect_sources(LOAD, MEAN)
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    undo = agent.undo.get_by_role("button")
    expect(undo).to_have_text("Undo changes (1 cell)")
    look(chat, "2-changed")
    undo.click()
    book.expect_sources(LOAD, SUM)
    expect(undo).to_have_text("Redo changes (1 cell)")
    look(chat, "8-undone")


def test_a_run_is_asked_waits_runs_and_is_stopped(runner: Runner, lab: Lab) -> None:
    """N2, N3, N7, N12: behind the person's cell, then by itself; Stop ends it alone."""
    chat, line = runner.chat, runner.agent.line("Run cell 2 of")
    begin(runner, MINE, LONG)
    runner.book.run(0)
    runner.expect_cell(0, "my own cell runs")
    ask_to_run(runner, "Run the second cell.", "cell-1")
    look(chat, "3-asked-to-run")
    runner.allow("Allow")
    expect(line).to_contain_text("waits for the kernel")
    look(chat, "4-waiting")
    (lab.folder / "home" / "measured.csv").touch()
    runner.expect_cell(1, "step 10")
    expect(line).not_to_contain_text("waits")
    look(chat, "5-running")
    chat.button.click()
    chat.expect_mode("send")
    runner.expect_rest(1)
    expect(line).to_contain_text("stopped")
    chat.set({"showReceipt": True})
    expect(chat.stopped_line).to_contain_text("the cell was interrupted")
    look(chat, "6-stopped")


def test_a_cell_that_goes_on(runner: Runner) -> None:
    """N4: the message has ended, the line says what has not, and what can be done."""
    chat = runner.chat
    begin(runner, STUBBORN)
    ask_to_run(runner, "Run this cell.")
    runner.allow("Allow")
    runner.expect_cell(0, "begun")
    chat.button.click()
    chat.expect_mode("send")
    expect(runner.agent.line("Run cell 1 of")).to_contain_text("the cell is still running")
    runner.expect_cell(0, "no, I go on")
    look(chat, "7-still-running")
    runner.actions.get_by_role("button", name="Interrupt again").click()
    runner.expect_rest(0)


@pytest.fixture
def server(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """Name a server in the person's own file."""
    file = lab.data / "stop-chat" / "mcp.json"
    entry = awkward("changes", EDITION="first", SEEN=str(tmp_path / "seen"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"mcpServers": {"my files": entry}}))
    yield
    file.unlink()


@pytest.mark.usefixtures("server")
def test_servers_of_tools_and_settings(chat: ChatPage) -> None:
    """N8: one that is ready, with its tool; then the person's settings, all of them."""
    chat.page.evaluate(AXE.read_text())
    chat.command("stop-chat:mcp-servers")
    dialog = chat.page.locator(".jp-Dialog")
    dialog.get_by_role("button", name="Start my files anew").click()
    expect(dialog).to_contain_text("ready")
    expect(dialog.get_by_role("checkbox", name="act")).to_be_checked()
    chat.shot("state-mcp-servers")
    chat.leave_dialog()
    chat.command("stop-chat:settings")
    form = chat.page.locator(".jp-SettingsForm")
    expect(form).to_contain_text("What Stop does with the turn")
    schema = Path(__file__).parents[3] / "labextension" / "schema" / "plugin.json"
    for each in json.loads(schema.read_text())["properties"].values():
        expect(form).to_contain_text(each["title"])
    chat.shot("state-settings")
