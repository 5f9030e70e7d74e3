"""The chat beside other extensions: it takes nothing from them, and they nothing from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.agent.agent_page import Agent
from tests.browser.agent.run_page import Runner
from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script
from tests.together.conftest import GO_ON_WAITING, OTHERS, ROOT, SLOW_DOCUMENT, Seen

pytestmark = pytest.mark.together

SELECTORS = Path(__file__).with_name("selectors.js").read_text(encoding="utf-8")
#: Whether a notebook is one that several people may have open at once.
COLLABORATIVE = """id => [...window.jupyterapp.shell.widgets('main')]
  .find(one => one.id === id).context.model.collaborative"""
#: Ask a question in front of all else, which a press of its button takes away.
QUESTION = """([words, label]) => {
  const dialog = document.createElement('div');
  dialog.setAttribute('role', 'dialog');
  dialog.style = 'position: fixed; inset: 0; z-index: 10000';
  const button = document.createElement('button');
  button.textContent = label;
  button.onclick = () => dialog.remove();
  dialog.append(words, button);
  document.body.append(dialog);
}"""
OURS = "jupyter-stop-chat"
#: What JupyterLab says of plugins on a slow machine: whichever is in turn.
SLOW = re.compile(r"to activate\.$")
#: What differs from one page to the next by itself: ids, times, ports.
VARIES = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|token=\w+|\d+")


def _parts(selectors: str) -> list[str]:
    """Split a list of selectors at its own commas: not at those in brackets."""
    parts, depth = [""], 0
    for letter in selectors:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _unlike(some: list[str], others: list[str]) -> set[str]:
    """Return in what styles differ."""
    split = [{part for each in styles for part in each.split("; ")} for styles in (some, others)]
    return split[0] ^ split[1]


def _plain(said: list[str]) -> set[str]:
    return {VARIES.sub("…", line) for line in said if not SLOW.search(line)}


def test_all_are_there(without: Seen, beside: Seen) -> None:
    """H12."""
    assert set(OTHERS) <= set(without.extensions)
    assert set(without.extensions) <= set(beside.extensions)
    assert OURS in beside.extensions
    assert set(without.places) <= set(beside.places)


def test_the_console_says_nothing_that_it_does_not_say_without_ours(
    without: Seen, beside: Seen
) -> None:
    """H12."""
    assert _plain(beside.console) - _plain(without.console) == set()


def test_no_key_is_taken_from_another(without: Seen, beside: Seen) -> None:
    """H12."""
    ours = [key for key in beside.keys if key["command"].startswith("stop-chat:")]
    others = [key for key in beside.keys if key not in ours]
    assert ours
    assert [key for key in without.keys if key not in others] == []
    for own in ours:
        if ".jp-StopChat" in own["selector"]:
            continue
        same = [
            key
            for key in others
            if key["keys"][: len(own["keys"])] == own["keys"][: len(key["keys"])]
        ]
        assert same == [], own


def test_each_selector_is_below_a_class_of_ours(chat: ChatPage) -> None:
    """H12."""
    found = chat.page.evaluate(SELECTORS)
    assert found["sheets"] > 0
    parts = [part for each in found["selectors"] for part in _parts(each)]
    assert len(parts) > 300
    assert [part for part in parts if ".jp-StopChat-" not in part] == []
    assert [name for name in found["names"] if not name.startswith("jp-StopChat-")] == []


def test_no_style_leaks(without: Seen, beside: Seen) -> None:
    """H12."""
    both = without.styles.keys() & beside.styles.keys()
    assert len(both) > 300
    changed = {
        path: _unlike(beside.styles[path], without.styles[path])
        for path in both
        if not set(beside.styles[path]) & set(without.styles[path])
    }
    print(changed)
    assert changed == {}


def test_a_reply_is_stopped(chat: ChatPage, provider: OpenAIProvider, said: list[str]) -> None:
    """H12."""
    provider.script = Script(tokens=100_000, rate=60)
    chat.ask("Write a long story about a lighthouse")
    chat.wait_for_text(100)
    chat.button.click()
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.input).to_have_value("Write a long story about a lighthouse")
    chat.shot("together-stopped")
    assert [line for line in said if "stop-chat" in line.lower()] == []


def test_an_agent_runs_a_cell_of_a_notebook_that_is_shared(
    chat: ChatPage, provider: OpenAIProvider, said: list[str]
) -> None:
    """H12: also where several people may have the notebook open."""
    runner = Runner(Agent(chat, provider))
    runner.book.open("print(6 * 7)")
    assert chat.page.evaluate(COLLABORATIVE, runner.book.id)
    runner.run()
    runner.expect_cell(0, "42")
    runner.expect_done()
    chat.shot("together-cell")
    assert [line for line in said if "stop-chat" in line.lower()] == []


def test_a_document_that_loads_slowly_is_waited_for(chat: ChatPage) -> None:
    """H12: what these tests do about jupyter-collaboration's question, in its own words."""
    others = (ROOT / ".together" / "share" / "jupyter" / "labextensions" / "@jupyter").rglob(
        "*.js"
    )
    code = "".join(file.read_text(encoding="utf-8") for file in others)
    assert SLOW_DOCUMENT in code
    assert f'"{GO_ON_WAITING}"' in code
    chat.page.evaluate(QUESTION, [SLOW_DOCUMENT, GO_ON_WAITING])
    chat.input.click()
    expect(chat.input).to_be_focused()
    expect(chat.page.get_by_role("dialog").filter(has_text=SLOW_DOCUMENT)).to_have_count(0)
