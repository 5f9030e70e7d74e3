"""A model's words run nothing, fetch nothing and steer nothing, in pieces and whole."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect

from tests.browser.text.fetching_texts import FETCHING
from tests.browser.text.hostile_texts import HOSTILE
from tests.browser.watched import Watched
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

SHOW = Path(__file__).with_name("hostile.js").read_text()

#: The pictures of the diagrams, as a person would open, copy or save them.
PICTURES = """
async texts => {
  const chat = window.jupyterapp.pluginRegistry._plugins.get('jupyter-stop-chat:plugin').service;
  const found = [];
  for (const text of texts) {
    const node = await chat.render(text);
    found.push(...[...node.querySelectorAll('.jp-StopChat-diagram img')].map(image => image.src));
  }
  return found;
}
"""


#: Of what costs much for each text, some of each kind at every run.
SOME = [FETCHING[::6], pytest.param(FETCHING, marks=pytest.mark.stress)]
SOME_HOSTILE = [dict([*HOSTILE.items()][::3]), pytest.param(HOSTILE, marks=pytest.mark.stress)]


@pytest.mark.parametrize("texts", SOME_HOSTILE, ids=["some", "all"])
def test_nothing_of_a_text_runs_or_is_fetched(watched: Watched, texts: dict[str, str]) -> None:
    """However it is disguised, in pieces, stopped, and whole."""
    assert len(texts) >= 30
    found = watched.page.evaluate(SHOW, texts)
    assert found == []
    watched.expect_nothing()


@pytest.mark.parametrize("texts", SOME, ids=["some", "all"])
def test_no_text_reaches_another_host(watched: Watched, texts: list[str]) -> None:
    """H1, P3: diagrams, styles, math and HTML, in pieces, stopped, and whole."""
    assert len(FETCHING) >= 100
    named = {f"{n} {text[:60]!r}": text for n, text in enumerate(texts)}
    found = watched.page.evaluate(SHOW, named)
    assert found == []
    watched.expect_nothing()


@pytest.mark.parametrize("texts", SOME, ids=["some", "all"])
def test_a_picture_of_a_diagram_asks_nobody_where_it_is_opened(
    watched: Watched, texts: list[str]
) -> None:
    """H1: in a tab of its own, and put into a document as it was saved."""
    pictures = watched.page.evaluate(PICTURES, texts)
    watched.expect_nothing()
    # Most of the diagrams can be drawn, so that this says something.
    assert len(pictures) >= len(texts) / 5
    other = watched.context.new_page()
    watched.pages.clear()
    for picture in pictures:
        other.goto(picture)
        assert other.evaluate("document.documentElement.localName") == "svg", picture[:200]
    saved = [unquote(picture.partition(",")[2]) for picture in pictures]
    other.goto("about:blank")
    other.set_content("".join(saved), wait_until="load")
    other.screenshot()
    assert watched.strangers == []
    watched.expect_nothing()


@pytest.mark.parametrize(
    ("texts", "hostile"),
    [(SOME[0], SOME_HOSTILE[0]), pytest.param(FETCHING, HOSTILE, marks=pytest.mark.stress)],
    ids=["some", "all"],
)
def test_a_hostile_reply_leaves_the_chat_usable(
    watched: Watched, provider: OpenAIProvider, texts: list[str], hostile: dict[str, str]
) -> None:
    """H1, L11, P3: all of it in one reply, from the model, after a reload, and in a tab."""
    text = "".join(f"\n\n## {name}\n\n{each}\n\n" for name, each in hostile.items())
    text = "\n\n".join([*texts, text])
    pieces = [text[at : at + 60] for at in range(0, len(text), 60)]
    provider.script = Script(tokens=[*pieces, "\n\nThe end."], rate=400)
    chat = watched.chat
    chat.ask("Say something evil")
    expect(chat.reply()).to_contain_text("The end.", timeout=120_000)
    chat.expect_mode("send")
    watched.expect_nothing()
    chat.load_again()
    expect(chat.reply()).to_contain_text("The end.", timeout=120_000)
    watched.expect_nothing()
    chat.command("stop-chat:open-tab")
    expect(chat.page.locator(".jp-StopChat-body")).to_have_count(2)
    expect(chat.page.locator(".jp-StopChat-body").last).to_contain_text(
        "The end.", timeout=120_000
    )
    watched.expect_nothing()
    chat.close_tabs()
    # What it drew hides nothing: the button is on top, and Esc is the chat's.
    provider.script = Script(tokens=100_000, rate=60)
    chat.ask("Go on")
    chat.expect_mode("stop")
    expect(chat.replies).to_have_count(2)
    chat.wait_for_text(20)
    top = chat.button.evaluate(
        """button => {
          const {x, y, width, height} = button.getBoundingClientRect();
          return button.contains(document.elementFromPoint(x + width / 2, y + height / 2));
        }"""
    )
    assert top
    # From the input: the launcher takes the focus when it opens, long after a slow reload.
    chat.input.press("Escape")
    chat.expect_mode("send")
    expect(chat.stopped_line).to_be_visible()


def test_a_link_opens_outside_and_knows_nothing_of_us(
    watched: Watched, provider: OpenAIProvider
) -> None:
    """In a window of its own, without a way back to this one."""
    provider.script = Script(tokens=["[there](", "https://evil.example/)"])
    chat = watched.chat
    chat.ask("Where?")
    chat.expect_mode("send")
    with watched.context.expect_page() as opened:
        chat.reply().get_by_role("link", name="there").click()
    expect(chat.input).to_be_visible()
    assert watched.page.url == watched.address
    assert opened.value.evaluate("window.opener") is None
    assert watched.strangers == ["https://evil.example/"]


def test_a_remote_image_is_fetched_by_a_click_alone(
    watched: Watched, provider: OpenAIProvider
) -> None:
    """And the button says from where."""
    provider.script = Script(tokens=["![a chart](", "https://evil.example/a.png)", " done"])
    chat = watched.chat
    chat.allowed.append("https://evil.example/")
    chat.ask("Show me")
    expect(chat.reply()).to_contain_text("done")
    chat.expect_mode("send")
    watched.expect_nothing()
    with watched.page.expect_request("https://evil.example/a.png") as asked:
        chat.reply().get_by_role("button", name="evil.example").click()
    assert not asked.value.headers.get("referer")
