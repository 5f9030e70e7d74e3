"""What takes long of an agent: Stop in every phase, often, and undo while a person types."""

from __future__ import annotations

import random
import time

import pytest
from playwright.sync_api import expect

from tests.browser.agent.agent_page import Agent
from tests.browser.agent.run_page import Runner
from tests.providers import Script, ToolUse

pytestmark = [
    pytest.mark.browser,
    pytest.mark.stress,
    pytest.mark.usefixtures("closed"),
]

TIMES = 20
PHASES = ["first word", "arguments", "question", "answer", "page", "between"]


@pytest.mark.parametrize("phase", PHASES)
def test_stop_in_every_phase(agent: Agent, phase: str) -> None:
    """N9, V8: nothing is changed behind the press, and the next turn is taken by the provider."""
    book, page, chat = agent.book, agent.page, agent.chat
    chat.input.click()
    worst = 0.0
    for turn in range(TIMES):
        before = book.sources()
        old = before[0].splitlines()[0]
        edit = agent.replace("cell-0", old, f"a = {turn + 100}")
        held = _script(agent, phase, edit)
        agent.ask(last="Never.")
        if phase == "first word":
            expect(chat.replies.last).to_have_attribute("data-state", "generating")
        elif phase == "arguments":
            expect(chat.reply().last).to_have_text("I look.")
        elif phase == "page":
            expect(agent.line("Read").last).to_be_visible()
        else:
            expect(agent.question).to_have_attribute("data-ready", "true")
        began = time.perf_counter()
        if phase == "answer":  # in the same moment
            page.evaluate(
                """() => {
                  document.querySelector('.jp-StopChat-approval [data-answer=once]').click();
                  document.querySelector('.jp-StopChat-button').click();
                }"""
            )
        elif chat.button.get_attribute("data-mode") == "stop":
            page.evaluate("() => document.querySelector('.jp-StopChat-button').click()")
        chat.expect_mode("send")
        worst = max(worst, time.perf_counter() - began)
        now = book.sources()
        held.resume.set()
        page.wait_for_timeout(50)
        assert book.sources() == now
        if phase != "answer":
            assert now == before
        expect(agent.question).to_have_count(0)
        agent.provider.forget()
        agent.provider.script = Script(tokens=["Yes."])
        chat.ask("And now?")
        expect(chat.replies.last).to_have_attribute("data-state", "completed")
        expect(chat.reply().last).to_have_text("Yes.")
    print(f"{phase}: settled on the page in {worst * 1000:.0f} ms at worst")
    assert worst < 2


def _script(agent: Agent, phase: str, edit: tuple[str, dict[str, object]]) -> Script:
    """Have the model do something in which it can be stopped."""
    read = ("read_notebook", {"path": agent.book.path})
    if phase == "first word":
        held = Script(tokens=["Never."], stall="after_headers")
        agent.provider.scripts.append(held)
        return held
    if phase == "arguments":
        held = Script(tokens=["I look. "], tool_calls=[ToolUse(*edit, stalls=True)])
        agent.provider.scripts.append(held)
        return held
    if phase == "between":
        agent.uses(read, edit, read)
    elif phase == "page":
        agent.uses(*[read] * 3)
    else:
        agent.uses(edit)
    return Script()


def test_a_cell_asks_far_down_in_a_notebook_of_2000(agent: Agent) -> None:
    """N5: one is led there at once, also while JupyterLab still draws what stands above it."""
    runner = Runner(agent)
    cells = [f"x = {n}" for n in range(2000)]
    cells[1500] = "name = input('Who? ')\nprint('hello', name)"
    agent.book.open(*cells)
    runner.run("cell-1500")
    runner.actions.get_by_role("button").click()
    field = agent.page.locator(".jp-Stdin-input")
    expect(field).to_be_focused()
    expect(field).to_be_in_viewport()
    agent.page.keyboard.type("Ada")
    agent.page.keyboard.press("Enter")
    runner.expect_done()
    assert runner.cells()[1500]["text"].endswith("hello Ada\n")


def test_what_is_typed_is_never_lost(agent: Agent) -> None:
    """N10: a person types in the cells that an agent changes, and takes back and makes again."""
    book, page = agent.book, agent.page
    chance = random.Random(5)
    typed: list[str] = []

    def type_somewhere() -> None:
        line = f"# mine {len(typed)}"
        book.edit(chance.randrange(len(book.sources())), f"\n{line}")
        typed.append(line)
        page.keyboard.press("Escape")

    for count in range(1, 13):
        type_somewhere()
        first = book.sources()[0].splitlines()[0]
        new = {
            **{"path": book.path, "after": "cell-0"},
            **{"cell_type": "code", "source": f"x = {count}"},
        }
        agent.uses(agent.replace("cell-0", first, f"a = {count}"), ("insert_cell", new))
        agent.ask()
        while agent.chat.button.get_attribute("data-mode") != "send":
            if agent.question.count() and chance.random() < 0.5:
                type_somewhere()
            if agent.question.locator("[data-answer=once]:enabled").count():
                agent.question.locator("[data-answer=once]").first.click(timeout=2000)
            page.wait_for_timeout(50)
        for _ in range(chance.randrange(3)):
            type_somewhere()
            undo = agent.undo.last.get_by_role("button").first
            if agent.undo.count():
                said = undo.text_content()
                undo.click()
                expect(undo).to_be_enabled()
                assert said
        text = "\n".join(book.sources())
        assert [line for line in typed if line not in text] == []
