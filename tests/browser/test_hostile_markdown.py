"""A model's words run nothing, fetch nothing and steer nothing, in pieces and whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import ARTIFACTS
from tests.browser.hostile_texts import HOSTILE
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

#: Put each text on the page twice, and tell what of it is more than words and pictures.
SHOW = """
async texts => {
  const chat = window.jupyterapp.pluginRegistry._plugins.get('jupyter-stop-chat:plugin').service;
  const list = document.querySelector('.jp-StopChat-list > div');
  const timer = window.setTimeout; // the pauses between renders are not what is tried
  window.setTimeout = (what, ms, ...more) => timer(what, ms > 40 && ms < 400 ? 0 : ms, ...more);
  const found = [];
  const look = (name, way, host) => {
    const say = what => found.push(`${name}, ${way}: ${what}`);
    for (const node of host.querySelectorAll('.jp-StopChat-block *')) {
      const tag = node.tagName.toLowerCase();
      const known = tag === 'input' && node.type === 'checkbox' && node.disabled;
      const ours = node.closest('.jp-StopChat-codeTools, .jp-StopChat-remoteImage');
      if (ours && node.closest('.jp-StopChat-code, .jp-StopChat-block') === null) {
        say(`${tag} poses as ours`);
      }
      if (!ours && !known && /^(script|style|link|meta|base|iframe|frame|frameset|object|embed|form|input|button|select|textarea|portal|template|audio|video|source|track|area|map|canvas)$/.test(tag)) {
        say(tag);
      }
      if (!ours && node.namespaceURI === 'http://www.w3.org/2000/svg') {
        say(`svg ${tag}`);
      }
      for (const {name: attribute, value} of node.attributes) {
        if (/^on|^(srcset|poster|background|action|formaction|ping|download|accesskey|id|name|autofocus|usemap)$/i.test(attribute)) {
          say(`${tag} ${attribute}=${value}`);
        }
        if (/^(src|href|xlink:href)$/.test(attribute) && tag !== 'a' && !value.startsWith('data:image/')) {
          say(`${tag} ${attribute}=${value}`);
        }
        if (/^data-(commandlinker|action)/.test(attribute) && !ours) {
          say(`${tag} ${attribute}`);
        }
        if (attribute === 'style' && /url|position|z-index|inset/.test(value) && !node.closest('mjx-container')) {
          say(`${tag} style=${value}`);
        }
        if (attribute === 'class' && /(^| )(jp-Dialog|lm-|jp-StopChat-(button|stop))/.test(value)) {
          say(`${tag} class=${value}`);
        }
      }
      if (getComputedStyle(node).position === 'fixed') {
        say(`${tag} is fixed`);
      }
      if (tag === 'a' && node.getAttribute('href') !== null) {
        const inside = node.getAttribute('href').startsWith('#');
        if (!/^(https?|mailto|ftp|tel):$/.test(node.protocol)) {
          say(`link to ${node.href}`);
        }
        if (!inside && (node.target !== '_blank' || !/\\bnoopener\\b/.test(node.rel) || /(^| )opener/.test(node.rel))) {
          say(`link ${node.outerHTML}`);
        }
      }
    }
  };
  for (const [name, text] of Object.entries(texts)) {
    for (const way of ['streamed', 'stopped', 'whole']) {
      const host = document.createElement('div');
      host.className = 'jp-StopChat-body';
      list.append(host);
      const body = chat.textIn(host);
      if (way !== 'whole') {
        for (let at = 11; at < text.length; at += 11) {
          body.update(text.slice(0, at), false);
          await body.settled;
          look(name, `${way} to ${at}`, host);
        }
      }
      body.update(text, true, way === 'stopped');
      await body.settled;
      look(name, way, host);
      await fetch(document.baseURI.split('/lab')[0] + '/api'); // what came before has been asked for
      body.dispose();
      host.remove();
    }
  }
  window.setTimeout = timer;
  return found;
}
"""

CANARY = "window.canaries = 0; window.canary = () => { window.canaries += 1; };"


class Watched:
    """Be a page whose every request, dialog and new window is noted."""

    def __init__(self, browser: Browser, lab: Lab) -> None:
        self.strangers: list[str] = []
        self.odd: list[str] = []
        self.dialogs: list[str] = []
        self.pages: list[Page] = []
        self._lab = lab
        self.context = browser.new_context(viewport={"width": 1200, "height": 800})
        self.context.route("**/*", self._only_ours)
        self.context.add_init_script(CANARY)
        self.page = self.context.new_page()
        self.context.on("page", lambda page: self.pages.append(page))
        self.page.on("dialog", self._refuse)
        self.chat = ChatPage(self.page, lab, ARTIFACTS)
        self.chat.load()
        self.page.on("request", self._note)

    def expect_nothing(self) -> None:
        """Find that nothing ran, went out, asked, opened or left."""
        assert self.page.evaluate("window.canaries") == 0
        assert self.strangers == []
        assert self.odd == []
        assert self.dialogs == []
        assert self.pages == []
        assert urlsplit(self.page.url).path == "/lab"

    def _only_ours(self, route: Route) -> None:
        if f"//127.0.0.1:{self._lab.port}/" in route.request.url:
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def _note(self, request: Request) -> None:
        # A reply's address must not be asked of our own server either: some do things.
        path = urlsplit(request.url).path
        if "logout" in path or path.endswith(("/x", "/x.png")):
            self.odd.append(request.url)

    def _refuse(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def watched(browser: Browser, lab: Lab) -> Iterator[Watched]:
    """Open the page."""
    lab.set({})
    made = Watched(browser, lab)
    yield made
    made.context.close()


def test_nothing_of_a_text_runs_or_is_fetched(watched: Watched) -> None:
    """However it is disguised, in pieces, stopped, and whole."""
    assert len(HOSTILE) >= 60
    found = watched.page.evaluate(SHOW, HOSTILE)
    assert found == []
    watched.expect_nothing()


def test_a_hostile_reply_leaves_the_chat_usable(
    watched: Watched, provider: OpenAIProvider
) -> None:
    """L11: all of it in one reply, from the model to the page and again after a reload."""
    text = "".join(f"\n\n## {name}\n\n{each}\n\n" for name, each in HOSTILE.items())
    pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
    provider.script = Script(tokens=[*pieces, "The end."], rate=400)
    chat = watched.chat
    chat.ask("Say something evil")
    expect(chat.reply()).to_contain_text("The end.")
    chat.expect_mode("send")
    watched.expect_nothing()
    chat.load_again()
    expect(chat.reply()).to_contain_text("The end.")
    watched.expect_nothing()
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
    chat.panel.press("Escape")
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
    assert urlsplit(watched.page.url).path == "/lab"
    assert opened.value.evaluate("window.opener") is None
    assert watched.strangers == ["https://evil.example/"]


def test_a_remote_image_is_fetched_by_a_click_alone(
    watched: Watched, provider: OpenAIProvider
) -> None:
    """And the button says from where."""
    provider.script = Script(tokens=["![a chart](", "https://evil.example/a.png)", " done"])
    chat = watched.chat
    chat.ask("Show me")
    expect(chat.reply()).to_contain_text("done")
    chat.expect_mode("send")
    watched.expect_nothing()
    with watched.page.expect_request("https://evil.example/a.png") as asked:
        chat.reply().get_by_role("button", name="evil.example").click()
    assert "referer" not in asked.value.headers
