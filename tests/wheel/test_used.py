"""The wheel as a person has it, without Node, in each application that has a place for it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.agent.agent_page import Agent
from tests.browser.agent.run_page import Runner
from tests.providers import OpenAIProvider, Script
from tests.wheel.conftest import LONG
from tests.wheel.installed import Installed, InstalledLab
from tests.wheel.pages import BOOK, AppPage

pytestmark = pytest.mark.wheel

#: What lists what is enabled; each says the name of ours while it is.
LISTS = (("jupyter-server", "extension", "list"), ("jupyter-labextension", "list"))


def test_no_node_is_found(installed: Installed) -> None:
    """H11: what is tried below is tried without it."""
    code = "import shutil; print(shutil.which('node'), shutil.which('jlpm'))"
    assert installed.run("python", "-c", code).split()[0] == "None"


def test_all_of_it_is_enabled_and_fits(installed: Installed) -> None:
    """H11: the server's part and the page's, and pip finds nothing that does not fit."""
    installed.run("pip", "check")
    server, page = (installed.run(*each) for each in LISTS)
    assert re.search(r"jupyter_stop_chat.* OK", server)
    assert re.search(r"jupyter-stop-chat v\S+ .*enabled.* OK", page)


def test_the_licences_can_be_read(lab: InstalledLab) -> None:
    """H8: the application lists them, with their texts, among those of all its extensions."""
    told = lab.ask("GET", "lab/api/licenses/?format=json&full_text=true&bundles=jupyter-stop-chat")
    packages = told["bundles"]["jupyter-stop-chat"]["packages"]
    (found,) = [each for each in packages if each["name"] == "mermaid"]
    assert "MIT License" in found["extractedText"]


def test_a_reply_comes(chat: AppPage, request: pytest.FixtureRequest) -> None:
    """L6, H11: a prompt is answered."""
    chat.ask("Hello?")
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(chat.reply()).to_have_text("t0 t1 t2 t3 t4")
    chat.shot(f"wheel-{request.node.callspec.id}")


def test_a_stop_keeps_and_marks_what_was_there(
    chat: AppPage, shared_provider: OpenAIProvider
) -> None:
    """H11: it is stopped in the page, at the provider, and so after a reload."""
    shared_provider.script = Script(tokens=50, stall_after=5)
    chat.ask("Count.")
    expect(chat.reply()).to_contain_text("t3")
    chat.button.click()
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    chat.expect_mode("send")
    expect(chat.replies.last).to_have_attribute("data-state", "interrupted")
    kept = chat.text()
    assert kept.startswith("t0 t1 t2 t3")
    assert shared_provider.requests[-1].tokens_sent == 5
    chat.load_again()
    expect(chat.reply()).to_have_text(kept)
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")


def test_it_is_hidden_and_shown_as_other_sidebars_are(chat: AppPage) -> None:
    """L6, H11: and stays where it is shown already, whatever shows it."""
    chat.toggle()
    expect(chat.panel).to_be_hidden()
    chat.toggle()
    chat.ready()
    for _ in range(2):
        chat.run("new")
        chat.ready()


def test_an_agents_cell_runs_and_is_stopped(
    chat: AppPage, shared_provider: OpenAIProvider, request: pytest.FixtureRequest
) -> None:
    """N2, H11: in the notebook's own kernel, whose cell ends with the reply."""
    runner = Runner(Agent(chat, shared_provider))
    runner.book.path, runner.book.id = BOOK, chat.open_book()
    assert runner.book.sources() == [LONG]
    runner.run()
    runner.expect_cell(0, "begun")
    chat.shot(f"wheel-runs-{request.node.callspec.id}")
    chat.button.click()
    chat.expect_mode("send")
    runner.expect_rest(0)
    assert runner.cells()[0]["types"][-1] == "error"
    expect(chat.stopped_line.locator(".jp-StopChat-receipt")).to_have_text(
        re.compile(r"the cell was interrupted after \d+ ms")
    )
    chat.shot(f"wheel-stopped-{request.node.callspec.id}")


def test_nothing_is_left_behind(installed: Installed) -> None:
    """H11: an uninstall leaves no file of ours, and nothing enabled. It comes last."""
    before = installed.files()
    assert [file for file in before if "stop_chat" in file]
    installed.run("pip", "uninstall", "--yes", "jupyter-stop-chat")
    left = installed.files()
    assert [file for file in left - before if "__pycache__" not in file] == []
    assert [file for file in left if re.search("stop[-_]chat", file)] == []
    for each in LISTS:
        assert re.search("stop[-_]chat", installed.run(*each)) is None
