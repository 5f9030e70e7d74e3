"""The chat at an address as of a hub, on pages with a strict policy of what may be loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import watched_page
from tests.browser.lab import Lab, page_asking
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

#: What JupyterLab itself needs, and no more.
STRICT = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; "
    "object-src 'none'; base-uri 'self'; frame-ancestors 'self'"
)
#: Longer than what the page parses without its worker.
LONG = "".join(f"Paragraph {n} of *many*, with `code` in it.\n\n" for n in range(300))
DIAGRAM = "```mermaid\ngraph TD; A-->B\n```\n\n"


@pytest.mark.stress  # a JupyterLab of its own, for each
@pytest.mark.parametrize("policy", [None, STRICT], ids=["open", "strict"])
def test_a_chat_behind_a_hub_works(
    browser: Browser, provider: OpenAIProvider, tmp_path: Path, policy: str | None
) -> None:
    """H1, R5: socket, worker and Stop work; a diagram is drawn, or the page says why not."""
    server: dict[str, Any] = {}
    if policy:
        server["tornado_settings"] = {"headers": {"Content-Security-Policy": policy}}
    config = page_asking(provider.base_url) | {"ServerApp": server}
    lab = Lab(tmp_path, config, base_url="/user/ada/")
    lab.start()
    try:
        with watched_page(browser, lab) as (chat, watch):
            provider.script = Script(tokens=[DIAGRAM, LONG, "The end."])
            chat.ask("Tell me much")
            expect(chat.reply()).to_contain_text("The end.")
            chat.expect_mode("send")
            expect(chat.reply().locator("em")).to_have_count(300)
            expect(chat.page.locator(".jp-StopChat-plain")).to_have_count(0)
            if policy:
                expect(chat.reply().locator(".jp-StopChat-note")).to_have_text(
                    "The policy of this page lets no diagram be drawn"
                )
                expect(chat.reply().locator("code.language-mermaid")).to_be_visible()
                expect(chat.page.locator(".jp-StopChat-diagramFrame")).to_have_count(0)
            else:
                drawn = chat.reply().locator(".jp-StopChat-diagram img")
                expect(drawn).to_be_visible()
                assert drawn.evaluate("image => image.decode().then(() => true)")
            provider.script = Script(tokens=100_000, rate=60)
            chat.ask("And more")
            chat.wait_for_text(60)
            chat.button.click()
            expect(chat.stopped_line).to_be_visible()
            chat.shot(f"hub-{'strict' if policy else 'open'}")
            watch.check()
    finally:
        lab.stop()
