"""Mixtures of all that a text may hold: nothing is fetched or run, and pieces look whole."""

from __future__ import annotations

import random

import pytest

from tests.browser.text.fetching_texts import FETCHING
from tests.browser.text.hostile_texts import HOSTILE
from tests.browser.text.markdown_texts import SHORT
from tests.browser.text.test_dom_equality import COMPARE
from tests.browser.watched import Watched

pytestmark = pytest.mark.browser

#: What is written in code, and must be found there again.
CODE = "if (![1, 2].includes(x)) { $a$ <b> &lt; *c* }"

_PARTS = [*SHORT, *HOSTILE.values(), *FETCHING]

CODE_IN = """
async text => {
  const chat = window.jupyterapp.pluginRegistry._plugins.get('jupyter-stop-chat:plugin').service;
  const node = await chat.render(text);
  return [...node.querySelectorAll('pre > code')].map(code => code.textContent);
}
"""


def _mixed(chosen: random.Random) -> str:
    """Put parts together, some of them cut, and code of its own at the end."""
    made = []
    for part in chosen.choices(_PARTS, k=chosen.randint(2, 5)):
        cut = part[: chosen.randrange(1, len(part) + 1)] if chosen.random() < 0.3 else part
        made.append(cut + chosen.choice(["", " ", "\n", "\n\n", "\n\n"]))
    return "".join(made)


def _try(watched: Watched, seed: int, count: int) -> None:
    chosen = random.Random(seed)
    for number in range(count):
        text = _mixed(chosen)
        told = f"{seed}, {number}: {text!r}"
        whole = {"text": text, "cuts": [chosen.randrange(len(text) + 1)]}
        # What HTML leaves open reaches to the end of a whole text, but of its block only when
        # it comes in pieces: what the pieces show is not compared then.
        found = watched.page.evaluate(COMPARE, [whole])
        if "<" not in text and "[" not in text:
            assert found["found"] == [], told
        code = f"- x\n\n  ```js\n  {CODE}\n  ```\n"
        assert watched.page.evaluate(CODE_IN, code) == [CODE], told
        watched.expect_nothing()


def test_mixtures(watched: Watched) -> None:
    """H1, P3, R1, R5: some of them, the same in every run."""
    _try(watched, 20261, 3)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.timeout(900)
def test_many_mixtures(watched: Watched, seed: int) -> None:
    """H1, P3, R1, R5: a hundred of each seed."""
    _try(watched, seed, 100)
