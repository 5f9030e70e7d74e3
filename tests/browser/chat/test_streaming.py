"""How a reply looks while it comes: drawn as Markdown, followed to its end, else still."""

from __future__ import annotations

import json
import urllib.request
import uuid
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import AT_END, ChatPage
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

SHOWCASE = """## What was found

Some **bold** words, *others*, `code`, and $a^2 + b^2$ as well as \\(c^2\\).

$$
\\int_0^1 x\\,dx = \\frac{1}{2}
$$

\\[
\\sum_{i=1}^{n} i = \\frac{n(n+1)}{2}
\\]

```python
def double(number: int) -> int:
    # twice as much
    return number * 2
```

| station | rows | mean | what was found there |
|---|---:|---:|---|
| north | 100 | 12.5 | nothing that stands out |
| south | 250 | 13.1 | two gaps |

1. first
2. second
   - inner

> A quote, and a [link](https://example.org).

- [x] done
"""

PARAGRAPHS = [
    f"Paragraph {n} has some words, and they take a line or two.\n\n" for n in range(400)
]

#: Where a paragraph is on the screen, at each of so many animation frames.
PLACES = """
({words, frames}) => new Promise(resolve => {
  const found = [...document.querySelectorAll('.jp-StopChat-body p')];
  const node = found.find(one => one.textContent.startsWith(words));
  const places = [];
  const look = () => {
    places.push(Math.round(node.getBoundingClientRect().top));
    return places.length < frames ? requestAnimationFrame(look) : resolve(places);
  };
  look();
})
"""


def _pieces(text: str, size: int = 8) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def test_a_reply_is_drawn_as_it_comes(chat: ChatPage, provider: OpenAIProvider) -> None:
    """Code is highlighted, mathematics are typeset in all four notations, tables are tables."""
    provider.script = Script(tokens=_pieces(SHOWCASE), rate=200)
    chat.ask("Show me all that you can")
    chat.expect_mode("send")
    reply = chat.reply()
    expect(reply.locator("mjx-container")).to_have_count(4)
    expect(reply.locator("mjx-container[display=true]")).to_have_count(2)
    expect(reply.locator("pre code.language-python span").first).to_be_visible()
    colours = reply.locator("pre code").evaluate(
        """code => new Set([...code.querySelectorAll('span')]
          .map(span => getComputedStyle(span).color)).size"""
    )
    assert colours >= 3
    expect(reply.locator("table tbody tr")).to_have_count(2)
    expect(reply.locator("input[type=checkbox]")).to_be_checked()
    link = reply.get_by_role("link", name="link")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    for theme in ("Light", "Dark"):
        chat.theme(f"JupyterLab {theme}")
        for pixels in (250, 600):
            chat.width(pixels)
            wide = chat.page.evaluate(
                """() => {
                  const list = document.querySelector('.jp-StopChat-list');
                  return list.scrollWidth - list.clientWidth;
                }"""
            )
            assert wide <= 0  # what is too wide scrolls by itself
            for name, words in (("top", "What was found"), ("end", "done")):
                reply.get_by_text(words).first.scroll_into_view_if_needed()
                chat.shot(f"streamed-{theme.lower()}-{pixels}-{name}")


RICH = """It costs $5 and the large one $10; $E = mc^2$ is math.

```mermaid
graph LR
  A[Read the file] --> B{Is it whole?}
  B -->|yes| C[Parse]
  B -->|no| D[Wait] --> A
```

Then:

```python
def double(number: int) -> int:
    # twice as much
    return number * 2
``"""


def test_code_has_its_colours_while_it_comes(chat: ChatPage, provider: OpenAIProvider) -> None:
    """R1: line by line, and the mark that closes it is never shown; a diagram is a picture."""
    pieces = _pieces(RICH, 6)
    script = Script(tokens=[*pieces, "`\n\nThe end."], stall_after=len(pieces))
    provider.script = script
    chat.ask("Show me")
    code = chat.reply().locator(".jp-StopChat-openCode code")
    expect(code.locator("span").first).to_be_visible()
    expect(code).to_contain_text("return number * 2")
    assert "`" not in (code.text_content() or "")
    picture = chat.reply().locator(".jp-StopChat-diagram img")
    expect(picture).to_have_count(1)
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    expect(chat.reply().locator("mjx-container")).to_have_count(1)
    expect(chat.reply()).to_contain_text("It costs $5 and the large one $10;")
    for theme in ("Light", "Dark"):
        chat.theme(f"JupyterLab {theme}")
        for pixels in (250, 1000):
            chat.width(pixels)
            chat.shot(f"rich-{theme.lower()}-{pixels}")
    chat.theme("JupyterLab Light")
    chat.width(400)
    script.resume.set()
    expect(chat.reply()).to_contain_text("The end.")
    chat.expect_mode("send")


#: Code that grows while the page's clock runs so fast that no piece of work ends in its time.
IN_A_HURRY = """
async code => {
  const chat = window.jupyterapp.pluginRegistry._plugins.get('jupyter-stop-chat:plugin').service;
  const host = document.createElement('div');
  document.body.append(host);
  const clock = performance.now.bind(performance);
  let at = clock();
  performance.now = () => (at += 10);
  const body = chat.textIn(host);
  body.update('```python\\n' + code, false);
  await body.settled;
  performance.now = clock;
  await new Promise(resolve => {
    const look = () => host.querySelector('span') && resolve();
    new MutationObserver(look).observe(host, {childList: true, subtree: true});
    look();
  });
  const text = host.querySelector('code').textContent;
  body.dispose();
  host.remove();
  return text;
}
"""


def test_code_has_its_colours_on_a_slow_machine(chat: ChatPage) -> None:
    """R1: what cannot be coloured at once is coloured a little later, not never."""
    code = "def double(number: int) -> int:\n    # twice as much\n    return num"
    assert chat.page.evaluate(IN_A_HURRY, code) == code


def _import(lab: Lab, turns: int) -> str:
    """Put a long chat onto the server; return its id."""
    ids = [str(uuid.uuid4()) for _ in range(turns * 2)]
    messages: list[dict[str, Any]] = [
        {
            "id": ids[n],
            "chat_id": ids[0],
            "role": "assistant" if n % 2 else "user",
            "text": f"{''.join(PARAGRAPHS[:6])}{SHOWCASE}\n\nReply {n}." if n % 2 else "Go on.",
            "text_offset": 0,
            "text_length": 0,
            "state": "completed",
            "created_at": "2026-01-01T00:00:00Z",
            "attachments": [],
            "tools": [],
        }
        | ({"reply_to": ids[n - 1]} if n else {})
        for n in range(turns * 2)
    ]
    request = urllib.request.Request(
        f"http://127.0.0.1:{lab.port}/api/stop-chat/chats",
        data=json.dumps({"chat": {"title": "A long one"}, "messages": messages}).encode(),
        headers={"Authorization": f"token {lab.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["id"])


def test_a_long_chat_opens_at_its_end_and_keeps_the_place(chat: ChatPage, lab: Lab) -> None:
    """What is drawn further up, out of sight, moves nothing of what is read."""
    chat_id = _import(lab, 20)
    chat.page.get_by_role("button", name="Chats", exact=True).click()
    chat.page.locator(f'[data-chat-id="{chat_id}"] .jp-StopChat-chat').click()
    expect(chat.reply()).to_contain_text("Reply 39.")
    chat.page.wait_for_function(AT_END)
    expect(chat.replies.first.locator(".jp-StopChat-body")).to_contain_text("Reply 1.")
    chat.page.wait_for_function(AT_END)
    chat.page.locator(".jp-StopChat-list").hover()
    for _ in range(6):
        chat.page.mouse.wheel(0, -700)
        place = chat.page.evaluate(
            """() => new Promise(resolve => {
              // where things are once this turn of the wheel has come to rest
              const list = document.querySelector('.jp-StopChat-list');
              const seen = [];
              const look = () => {
                const node = document.elementFromPoint(
                  list.getBoundingClientRect().left + 60, 300);
                seen.push(list.scrollTop);
                const last = seen.slice(-10);
                if (last.length === 10 && last.every(each => each === last[0])) {
                  const top = node.getBoundingClientRect().top;
                  let frames = 0;
                  const wait = () => (frames += 1) < 20
                    ? requestAnimationFrame(wait)
                    : resolve(node.getBoundingClientRect().top - top);
                  wait();
                } else {
                  requestAnimationFrame(look);
                }
              };
              look();
            })"""
        )
        assert abs(place) < 2


#: How far the end of the last reply is from the view's at each change that is painted, once its
#: words are there; and how many replies had come by then.
FILLING = """
() => {
  const seen = window.seen = {places: [], before: null, filled: false};
  let content = null;
  const look = () => {
    const list = document.querySelector('.jp-StopChat-list');
    const bodies = [...list.querySelectorAll('.jp-StopChat-body')];
    const last = bodies.at(-1)?.textContent.includes('Reply 99.');
    const first = bodies[0]?.textContent.includes('Reply 1.');
    if (last) {
      seen.places.push(Math.round(
        bodies.at(-1).getBoundingClientRect().bottom - list.getBoundingClientRect().bottom));
    }
    seen.before ??= last ? bodies.length : null;
    seen.filled ||= first && last;
  };
  const find = () => {
    const now = document.querySelector('.jp-StopChat-list > div');
    if (now !== content) {
      content = now;
      // made behind the list's own: it is told when that has followed the end
      new ResizeObserver(() => content === now && look()).observe(now);
    }
    if (!seen.filled) {
      requestAnimationFrame(find);
    }
  };
  find();
}
"""


def test_a_long_chat_is_filled_from_its_end(chat: ChatPage, lab: Lab) -> None:
    """U39: what is read does not move while the messages above it come."""
    chat_id = _import(lab, 50)
    chat.page.get_by_role("button", name="Chats", exact=True).click()
    row = chat.page.locator(f'[data-chat-id="{chat_id}"] .jp-StopChat-chat')
    expect(row).to_be_visible()
    chat.page.evaluate(FILLING)
    row.click()
    chat.page.wait_for_function("window.seen.filled")
    seen = chat.page.evaluate("window.seen")
    assert seen["before"] < 10
    assert len(set(seen["places"])) == 1, seen


@pytest.mark.parametrize("turns", [8, pytest.param(100, marks=pytest.mark.stress)])
def test_many_double_clicks_on_stop_send_nothing(
    chat: ChatPage, provider: OpenAIProvider, turns: int
) -> None:
    """V7, L7: the second click is a real one at once, or comes in the moment that Send is back."""
    provider.script = Script(tokens=100_000, rate=60)
    chat.page.evaluate(
        """() => {
          window.clickedOn = [];
          const button = document.querySelector('.jp-StopChat-button');
          button.addEventListener(
            'click', () => window.clickedOn.push(button.dataset.mode), {capture: true});
          window.clickWhenBack = () => new MutationObserver((_, observer) => {
            if (button.dataset.mode === 'send') {
              observer.disconnect();
              button.click();
            }
          }).observe(button, {attributes: true, attributeFilter: ['data-mode']});
        }"""
    )
    for turn in range(turns):
        if turn % 20 == 0:
            chat.page.get_by_role("button", name="New chat").click()
        prompt = f"Question {turn}"
        chat.ask(prompt)
        chat.expect_mode("stop")
        if turn % 2:
            chat.button.dblclick()
        else:
            chat.page.evaluate("window.clickWhenBack()")
            chat.button.click()
        chat.expect_mode("send")
        expect(chat.input).to_have_value(prompt)
        assert len(chat.sent_of("send")) == turn + 1
    clicked = chat.page.evaluate("window.clickedOn")
    assert len(clicked) == 2 * turns
    assert clicked.count("stop") == turns
    assert clicked.count("send") >= turns / 2  # which only the guard has kept from sending
