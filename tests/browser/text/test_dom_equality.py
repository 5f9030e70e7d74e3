"""A reply that came in pieces looks as one that was rendered in one go, wherever it was cut."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.browser.chat_page import ChatPage
from tests.browser.text.markdown_texts import LONG, SHORT

pytestmark = pytest.mark.browser

SEED = 20260

#: The page's own renderer, whole and growing. Frames come at once: what is compared is where the
#: text ends up, and not when.
COMPARE = """
async cases => {
  const plugins = window.jupyterapp.pluginRegistry._plugins;
  const chat = plugins.get('jupyter-stop-chat:plugin').service;
  const frame = window.requestAnimationFrame;
  window.requestAnimationFrame = what => {
    const {port1, port2} = new MessageChannel();
    port1.onmessage = () => { port1.close(); what(performance.now()); };
    port2.postMessage(null);
    return 0;
  };
  const plain = nodes => [...nodes]
    .filter(node => node.nodeType !== Node.TEXT_NODE || node.data.trim() !== '')
    .map(node => node.outerHTML ?? node.data.trim())
    .join('')
    .replace(/ ctxtmenu_counter="\\d+"/g, '')
    .replace(/\\n+(?=<\\/(?:div|details)>)/g, '');
  const host = document.createElement('div');
  document.body.append(host);
  const found = [];
  let compared = 0;
  for (const {text, cuts} of cases) {
    const whole = plain((await chat.render(text)).childNodes);
    for (const cut of cuts) {
      const body = chat.textIn(host);
      body.update(text.slice(0, cut), false);
      await body.settled;
      body.update(text, true);
      await body.settled;
      const grown = plain(
        [...host.querySelectorAll('.jp-StopChat-block')].flatMap(block => [...block.childNodes]));
      body.dispose();
      compared += 1;
      if (grown !== whole) {
        found.push({text, cut, whole, grown});
        break;
      }
    }
  }
  host.remove();
  window.requestAnimationFrame = frame;
  return {compared, found};
}
"""


def _told(found: dict[str, Any]) -> str:
    return "\n\n".join(
        f"{each['text']!r} at {each['cut']}\n  whole: {each['whole']}\n  grown: {each['grown']}"
        for each in found["found"]
    )


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.stress)])
def test_short_texts_cut_everywhere(chat: ChatPage, step: int) -> None:
    """Every so many positions, and nothing of the text lost, doubled or read in another way."""
    cases = [
        {"text": text, "cuts": list(range(at % step, len(text) + 1, step))}
        for at, text in enumerate(SHORT)
    ]
    found = chat.page.evaluate(COMPARE, cases)
    assert found["found"] == [], _told(found)
    assert found["compared"] == sum(len(each["cuts"]) for each in cases) > 500 / step


@pytest.mark.parametrize("cuts", [20, pytest.param(200, marks=pytest.mark.stress)])
@pytest.mark.stress
def test_long_texts_cut_at_random(chat: ChatPage, cuts: int) -> None:
    """So many positions each, the same in every run."""
    chosen = random.Random(SEED)
    cases = [{"text": text, "cuts": chosen.choices(range(len(text)), k=cuts)} for text in LONG]
    found = chat.page.evaluate(COMPARE, cases)
    assert found["found"] == [], _told(found)
    assert found["compared"] == cuts * len(LONG)
