"""An agent while a person has two tabs of the browser, of which one may go."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.agent.agent_page import Agent
from tests.browser.lab import Lab
from tests.magics.notebook import eventually

pytestmark = [pytest.mark.browser, pytest.mark.stress, pytest.mark.usefixtures("closed")]


@pytest.fixture
def other(agent: Agent, lab: Lab) -> Iterator[Page]:
    """Yield a second tab, in which only the chat is open."""
    page = agent.page.context.new_page()
    page.goto(f"{lab.root}lab/workspaces/other?token={lab.token}", wait_until="domcontentloaded")
    page.locator("#jupyterlab-splash").wait_for(state="detached", timeout=60_000)
    yield page
    page.close()


def _show_chat(page: Page) -> None:
    """Show the chat in which something is asked, as a person finds it."""
    page.locator(".jp-StopChat-chatsButton").click()
    page.locator(".jp-StopChat-chat").first.click()
    expect(page.locator(".jp-StopChat-approval")).to_be_visible()


def test_allowed_in_one_tab_it_is_done_in_the_other(agent: Agent, other: Page) -> None:
    """N8, N14: the question is in both; the change is where the notebook is."""
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"))
    agent.ask()
    expect(agent.question).to_be_visible()
    _show_chat(other)
    question = other.locator(".jp-StopChat-approval")
    expect(question).to_have_attribute("data-ready", "true")
    other.wait_for_timeout(500)  # the guard against a click that was meant for something else
    question.get_by_text("Allow", exact=True).click()
    agent.book.expect_sources("a = 10\nb = 2", "c = 3")
    expect(agent.question).to_have_count(0)
    expect(question).to_have_count(0)
    expect(other.locator(".jp-StopChat-body").last).to_have_text("Done.")


def test_stopped_in_one_tab_it_is_stopped_in_both(agent: Agent, other: Page) -> None:
    """N9, N14: nothing is changed, also not later."""
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"))
    agent.ask()
    expect(agent.question).to_be_visible()
    _show_chat(other)
    other.locator(".jp-StopChat-sendStop, .jp-StopChat-input").last.press("Escape")
    expect(other.locator(".jp-StopChat-approval")).to_have_count(0)
    expect(agent.question).to_have_count(0)
    agent.book.expect_sources("a = 1\nb = 2", "c = 3")


def test_the_tab_with_the_notebook_goes_while_it_is_asked(
    agent: Agent, other: Page, lab: Lab
) -> None:
    """N8, N14: the question stays; where no page has the notebook, its file is changed."""
    path = lab.folder / "home" / agent.book.path
    agent.uses(agent.replace("cell-0", "a = 1", "a = 10"))
    agent.ask()
    expect(agent.question).to_be_visible()
    _show_chat(other)
    agent.page.goto("about:blank")
    question = other.locator(".jp-StopChat-approval")
    expect(question).to_have_attribute("data-ready", "true")
    other.wait_for_timeout(500)
    question.get_by_text("Allow", exact=True).click()
    expect(other.locator(".jp-StopChat-body").last).to_have_text("Done.")

    def changed() -> bool:
        cells = json.loads(path.read_text())["cells"]
        return "a = 10" in "".join(cells[0]["source"])

    line = other.locator(".jp-StopChat-tool").last
    if line.get_attribute("data-state") == "completed":
        eventually(changed, "the change in the file")
    else:  # it was asked of the page that had it, and that is gone: it is not done twice
        assert not changed()
        assert line.get_attribute("data-state") == "failed"
    agent.chat.load()
