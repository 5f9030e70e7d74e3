"""What an administrator has locked, a page shows and does not offer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, provider: OpenAIProvider) -> Iterator[Lab]:
    """Start JupyterLab with one model, without its key, and nothing that may be added."""
    config = {
        "StopChatApp": {
            "open_chat": True,
            "default_model": "openai:loopback",
            "lock_model": True,
            "allow_keys": False,
            "allow_install": False,
            "model_parameters": {"openai:loopback": {"base_url": provider.base_url}},
            "titles": "prompt",
        },
        "LabApp": {"expose_app_in_browser": True},
    }
    made = Lab(tmp_path_factory.mktemp("locked"), config)
    made.start()
    yield made
    made.stop()


@pytest.mark.stress
def test_nothing_is_offered_that_is_not_allowed(chat: ChatPage, provider: OpenAIProvider) -> None:
    """L5: a missing key is told; neither a dialog for it nor another model is in sight."""
    page = chat.page
    setup = page.locator(".jp-StopChat-setup")
    expect(setup).to_contain_text("openai:loopback needs a key")
    expect(page.locator("div.jp-StopChat-model")).to_have_text("openai:loopback")
    expect(page.locator("button.jp-StopChat-model")).to_have_count(0)
    expect(setup.get_by_role("button")).to_have_count(0)
    provider.script = Script(tokens=["Good ", "day."])
    chat.ask("Hello?")
    expect(chat.failed_line).to_contain_text("needs a key")
    expect(chat.failed_line.get_by_role("button", name="Add a key")).to_have_count(0)
    expect(chat.failed_line.get_by_role("button", name="Choose another")).to_have_count(0)
    assert "model" not in chat.sent_of("send")[-1]
    assert provider.requests == []
    chat.shot("models-locked")
