"""Stop at work, as the README shows it in a moving picture."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.cells.notebook import NotebookPage
from tests.browser.conftest import ARTIFACTS, watched_page
from tests.browser.lab import Lab
from tests.browser.walk.film import Film
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

CELL = """import csv

rows = list(csv.DictReader(open("prices.csv")))
prices = [float(row["price"]) for row in rows]
print(sum(prices) / len(prices))"""
PROMPT = "What does this cell do, and how could it fail?"
ANSWER = """The cell reads **prices.csv**, takes one column of it, and prints its mean.

It can fail in four places:

1. The file is not there: `FileNotFoundError`. The path counts from the kernel's folder.
2. There is no column `price`: `KeyError`, at the first row.
3. A price is empty or has a unit, such as `3 €`: `ValueError` of `float`.
4. The file has no rows: `ZeroDivisionError`, since `len(prices)` is 0.

Besides, the file is never closed. A version that says what is wrong:

```python
from pathlib import Path


def mean_price(path: Path) -> float:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{path} has no rows")
```
"""
#: What is there when a hand goes to Stop: the button is pressed some words behind it.
SHOWN = "has a unit"


# The stop itself is proven elsewhere at each run: here somebody looks at it.
@pytest.mark.stress
def test_the_moving_picture_of_stop(browser: Browser, lab: Lab, provider: OpenAIProvider) -> None:
    """L6, L7, V1: the text stands still, the connection is closed, the prompt is back."""
    pieces = [f"{word} " for word in ANSWER.split(" ")]
    with watched_page(browser, lab) as (chat, watch):
        page = chat.page
        page.set_viewport_size({"width": 960, "height": 600})
        chat.set({"showReceipt": True})
        NotebookPage(chat).open(CELL)
        chat.width(400)
        # What a provider needs is imported with the first prompt.
        chat.ask("Good morning")
        expect(chat.replies.last).to_have_attribute("data-state", "completed")
        chat.new_chat()
        provider.script = Script(tokens=[*pieces, *pieces], rate=12)
        film = Film(page)
        chat.input.click()
        for letter in range(0, len(PROMPT), 6):
            page.keyboard.type(PROMPT[letter : letter + 6])
            film.take()
        film.take_for(0.5)
        page.keyboard.press("Enter")
        page.mouse.move(640, 420)
        while SHOWN not in chat.text():
            film.take()
        where = chat.button.bounding_box()
        assert where is not None
        to = where["x"] + where["width"] / 2, where["y"] + where["height"] / 2
        for step in range(1, 9):
            page.mouse.move(640 + (to[0] - 640) * step / 8, 420 + (to[1] - 420) * step / 8)
            film.take()
        request = provider.requests[-1]
        page.mouse.down()
        page.mouse.up()
        at_the_press = chat.text()
        film.take_for(1)
        expect(chat.stopped_line).to_contain_text("Response stopped by the user")
        expect(chat.input).to_have_value(PROMPT)
        film.take_for(1.5)
        assert chat.text() == at_the_press
        assert request.closed.is_set()
        assert request.tokens_sent < len(pieces)
        chat.set(None)
        watch.check()
    if os.environ.get("STOP_CHAT_SCREENSHOTS"):
        film.save(ARTIFACTS / "stop.webp")
