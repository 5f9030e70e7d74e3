"""An agent that runs cells, beside a person who has the same notebook before them."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.agent.agent_page import Agent
from tests.providers import Script, ToolUse

#: What the notebook shows of its cells: the number in front, and all of the text behind.
CELLS = """id => {
  const all = [...window.jupyterapp.shell.widgets('main')];
  const {cells} = all.find(one => one.id === id).content.model;
  return [...Array(cells.length).keys()].map(at => {
    const cell = cells.get(at);
    const text = cell.outputs.toJSON().map(one =>
      one.text ?? one.data?.['text/plain'] ?? one.evalue ?? '').flat().join('');
    return {state: cell.executionState, count: cell.executionCount, text,
            types: cell.outputs.toJSON().map(one => one.output_type)};
  });
}"""


class Runner:
    """What has an agent run cells of its notebook."""

    def __init__(self, agent: Agent) -> None:
        self.agent, self.page, self.chat, self.book = agent, agent.page, agent.chat, agent.book
        self.actions = agent.page.locator(".jp-StopChat-toolActions")
        self._held = 0

    def call(self, cell: str = "cell-0", name: str = "run_cell") -> tuple[str, dict[str, Any]]:
        """Return a call that runs a cell."""
        return name, {"path": self.book.path, "cell_id": cell}

    def allow(self, how: str = "Always in this chat") -> None:
        """Answer the question that is there."""
        expect(self.agent.question).to_have_attribute("data-ready", "true")
        self.agent.question.get_by_role("button", name=how, exact=True).click()

    def run(self, cell: str = "cell-0") -> None:
        """Have the model run a cell, and allow that."""
        self.agent.uses(self.call(cell))
        self.agent.ask()
        self.allow("Allow")

    def hold(self) -> Script:
        """Have the model wait before its next answer, whose calls come later."""
        held = Script(tokens=["Next. "], stall="before_headers")
        self.agent.provider.scripts.append(held)
        return held

    def go_on(self, held: Script, name: str, args: dict[str, Any]) -> None:
        """Let the model go on with a call."""
        self._held += 1
        held.tool_calls = [ToolUse(name, args, f"held_{self._held}")]
        held.resume.set()

    def cells(self) -> list[dict[str, Any]]:
        """Return what the cells show."""
        found: list[dict[str, Any]] = self.page.evaluate(CELLS, self.book.id)
        return found

    def expect_cell(self, at: int, text: str) -> None:
        """Wait until a cell has shown something."""
        self.page.wait_for_function(
            f"([id, at, text]) => ({CELLS})(id)[at].text.includes(text)",
            arg=[self.book.id, at, text],
        )

    def expect_rest(self, at: int) -> None:
        """Wait until a cell does not run."""
        self.page.wait_for_function(
            f"([id, at]) => ({CELLS})(id)[at].state !== 'running'", arg=[self.book.id, at]
        )

    def prompt(self, at: int) -> Locator:
        """Return what stands in front of a cell."""
        return self.book.cell(at).locator(".jp-InputPrompt")

    def expect_done(self) -> None:
        """Wait until the reply is complete."""
        expect(self.chat.replies.last).to_have_attribute("data-state", "completed")
