"""No text holds the page, whatever it costs to format: growing, at its end, and at a stop."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

#: Texts that cost a renderer the square of their length, or more.
DEAR: dict[str, str] = {
    "stars": "*a " * 20_000,
    "double stars": "**a " * 15_000,
    "underscores": "_a " * 20_000,
    "tildes": "~~a " * 15_000,
    "stars of both kinds": "*a _b " * 10_000,
    "brackets": "[" * 60_000,
    "image brackets": "![" * 30_000,
    "links": "[a](" * 15_000,
    "nested brackets": "[" * 500 + "a" + "]" * 500 + "(x)" + "[a](b" * 5_000,
    "angles": "<" * 60_000,
    "tags": "<b>" * 20_000,
    "tags without an end": "<a " * 20_000,
    "comments": "<!-- " * 12_000,
    "backticks": "".join("`" * n + " " for n in range(1, 340)),
    "quotes": ">" * 30_000,
    "lists": "".join(" " * n + "- a\n" for n in range(300)),
    "a line of lists": "- " * 20_000,
    "columns": "|" + "a|" * 3_000 + "\n|" + "-|" * 3_000 + "\n" + ("|" + "b|" * 3_000 + "\n") * 5,
    "rows": "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 6_000,
    "dollars": "$a " * 20_000,
    "formulas": "$a$ " * 5_000,
    "a long formula": "$" + "x^2+" * 15_000 + "x$",
    "formulas that do not end": "\\(a " * 15_000,
    "entities": "&amp" * 15_000,
    "definitions": "".join(f"[{n}]: x{n}\n" for n in range(5_000)) + "[1] " * 5_000,
    "addresses": "http://a.b/(" * 5_000,
    "mails": "a@" * 30_000,
    "emoji": "👩‍👩‍👧‍👦" * 6_000,
    "escapes": "\\*" * 30_000,
    "one line of code": "```python\n" + "x = [1, 2, (3, 4)]; " * 5_000 + "\n```\n",
    "many lines of code": "```python\n" + "x = [1, 2, (3, 4)]\n" * 5_000 + "```\n",
    "code that nests": "```python\n" + "(\n" * 40_000 + "```\n",
    "code that never closes": "```js\n" + "`${" * 20_000 + "\n```\n",
    "a diagram": "```mermaid\ngraph TD\n" + "A-->B\n" * 8_000 + "```\n",
    "rules": "---\n" * 10_000,
    "headings": "# a\n" * 5_000,
}

#: The longest task while a text grows in steps and ends, by its name.
MEASURE = """
async texts => {
  const chat = window.jupyterapp.pluginRegistry._plugins.get('jupyter-stop-chat:plugin').service;
  const list = document.querySelector('.jp-StopChat-list > div');
  const longest = {};
  let name = '';
  const observer = new PerformanceObserver(entries => {
    for (const {duration} of entries.getEntries()) {
      longest[name] = Math.max(longest[name], Math.round(duration));
    }
  });
  observer.observe({type: 'longtask'});
  const rest = () => new Promise(resolve => setTimeout(resolve, 120));
  for (const [each, text] of Object.entries(texts)) {
    await rest();
    name = each;
    longest[name] = 0;
    const host = document.createElement('div');
    host.className = 'jp-StopChat-body';
    list.append(host);
    const body = chat.textIn(host);
    for (const part of [0.3, 0.6, 0.9]) {
      body.update(text.slice(0, Math.round(text.length * part)), false);
      await body.settled;
    }
    body.update(text, true);
    await body.settled;
    await rest();
    body.dispose();
    host.remove();
  }
  observer.disconnect();
  return longest;
}
"""


#: One of each kind, for every run.
OF_EACH_KIND = (
    "nested brackets",
    "code that never closes",
)


def _expect_none_to_hold(chat: ChatPage, texts: dict[str, str]) -> None:
    """Compare the longest task of each with that of plain words.

    A text that holds the page does so each time, a machine that is busy does not: what seems to
    hold it is measured again, beside plain words again.
    """
    words = "word " * 12_000
    chat.page.evaluate(MEASURE, {"warm": words})
    left = dict(texts)
    for _ in range(4):
        took = chat.page.evaluate(MEASURE, {"plain words": words, **left})
        plain = took.pop("plain words")
        print(f"beside {plain} ms: {took}")
        left = {name: left[name] for name in took if took[name] >= 10 * max(plain, 50)}
        if not left:
            return
    assert list(left) == []


@pytest.mark.timeout(600)  # all of them, on a busy machine
def test_no_text_holds_the_page(chat: ChatPage) -> None:
    """R5: its longest task is that of plain words of the same length, or few times as much."""
    _expect_none_to_hold(chat, {name: DEAR[name] for name in OF_EACH_KIND})


@pytest.mark.stress
@pytest.mark.parametrize("name", DEAR)
def test_no_dear_text_holds_the_page(chat: ChatPage, name: str) -> None:
    """R5: all of them."""
    _expect_none_to_hold(chat, {name: DEAR[name]})


#: Diagrams that Mermaid would make for ever: a hundred million places of a block.
ENDLESS = "```mermaid\nblock-beta\ncolumns 3\na space:100000000 b\n```\n\n"


@pytest.mark.stress  # it is given up after ten seconds
def test_a_diagram_without_an_end_holds_no_words(chat: ChatPage, provider: OpenAIProvider) -> None:
    """R5: what follows it is there before its drawing is given up, and the next one is drawn."""
    texts = [ENDLESS, "And **more**.\n\n", "```mermaid\ngraph TD; A-->B\n```\n\n", "The end."]
    provider.script = Script(tokens=texts, rate=20)
    chat.page.evaluate(
        """() => {
          window.framesEnded = 0;
          new MutationObserver(all => all.forEach(({removedNodes}) => removedNodes.forEach(
            node => { window.framesEnded += node.matches?.('.jp-StopChat-diagramFrame') ? 1 : 0; }
          ))).observe(document.body, {childList: true});
        }"""
    )
    chat.ask("Draw without an end")
    expect(chat.reply()).to_contain_text("The end.")
    expect(chat.reply().locator("strong")).to_have_text("more")
    assert chat.page.evaluate("window.framesEnded") == 0
    expect(chat.reply().locator(".jp-StopChat-diagram img")).to_have_count(1)
    assert chat.page.evaluate("window.framesEnded") == 1
    expect(chat.reply().locator("code.language-mermaid").first).to_contain_text("space:100000000")


@pytest.mark.stress  # what parses is given time to end
def test_what_is_too_dear_is_plain_text_with_a_word(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """R5: nothing of it is lost, and what comes after it is formatted."""
    dear = DEAR["stars"].strip()
    provider.script = Script(tokens=[dear[:30_000], dear[30_000:], "\n\nThe **end**."], rate=20)
    chat.ask("Be difficult")
    expect(chat.reply().locator("strong")).to_have_text("end")
    plain = chat.reply().locator(".jp-StopChat-plain")
    expect(plain).to_contain_text("Shown as plain text: too complex to format")
    assert plain.locator("div").text_content() == dear + "\n\n"
    chat.shot("too-complex")


def test_a_stop_comes_at_once_while_a_dear_text_grows(
    chat: ChatPage, provider: OpenAIProvider
) -> None:
    """R5, V1: the press is painted in a frame, as with any other text."""
    provider.script = Script(tokens=["*a " * 20] * 100_000, rate=200)
    chat.ask("Be difficult")
    chat.wait_for_text(20_000)
    took = chat.page.evaluate(
        """() => new Promise(resolve => {
          const button = document.querySelector('.jp-StopChat-button');
          const begun = performance.now();
          button.click();
          const painted = () => resolve([performance.now() - begun, button.dataset.mode]);
          requestAnimationFrame(() => setTimeout(painted));
        })"""
    )
    assert took[1] != "stop"
    assert took[0] < 1_000
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()
