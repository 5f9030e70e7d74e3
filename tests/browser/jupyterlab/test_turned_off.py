"""A page whose server has the chat turned off, and that of the same server once it is on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import Lab

pytestmark = pytest.mark.browser

#: JupyterLab's own part that it loads when a formula is first typeset, which nobody awaits there.
LOADING = re.compile(r"ChunkLoadError: .*\n\(error: http://[^/]*/static/lab/")


@pytest.mark.stress
def test_a_chat_that_is_turned_off_says_so(browser: Browser, tmp_path: Path) -> None:
    """H2: a wrong setting turns it off; the page does not speak of a lost connection."""
    config = {
        "StopChatApp": {
            "lock_model": True,
            "titles": "nobody",
            "default_model": "openai:loopback",
        },
        "LabApp": {"expose_app_in_browser": True},
    }
    lab = Lab(tmp_path, config)
    lab.start()
    context = browser.new_context()
    try:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
        page.goto(lab.url, wait_until="domcontentloaded")
        expect(page.locator(".jp-Launcher-body")).to_be_visible()
        page.evaluate("window.jupyterapp.commands.execute('stop-chat:open')")
        banner = page.locator(".jp-StopChat-banner")
        expect(banner).to_contain_text(
            "The chat is turned off on this server. The server's log says why."
        )
        expect(banner).not_to_contain_text("Connection lost")
        assert "StopChatApp.titles must be" in lab.log.read_text()
        # A try that fails again changes nothing of that.
        banner.get_by_role("button", name="Try again").click()
        expect(banner).to_contain_text("turned off")

        lab.stop()
        expect(banner).to_contain_text("Connection lost")
        config["StopChatApp"]["titles"] = "prompt"
        (tmp_path / "config" / "jupyter_server_config.json").write_text(json.dumps(config))
        lab.start()
        expect(banner).to_have_count(0)
        expect(page.locator(".jp-StopChat-model")).to_have_text("openai:loopback")
        # JupyterLab's own requests and parts, whose server went in their midst, are its matter.
        ours = [each for each in errors if "/jupyter-stop-chat/" in each]
        assert [each for each in ours if not LOADING.match(each)] == []
    finally:
        context.close()
        lab.stop()
