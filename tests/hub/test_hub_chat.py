"""The chat behind JupyterHub's proxy: sent, stopped, reloaded, and its server stopped."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.hub.conftest import PRESS, Desk
from tests.hub.hub import Hub
from tests.providers import OpenAIProvider, Script

pytestmark = [pytest.mark.hub, pytest.mark.timeout(600)]

#: A reply that ends when it is stopped.
ENDLESS = Script(tokens=10_000_000, rate=60)
PRESSES = 20


def test_a_reply_is_sent_and_stopped(
    desk: Callable[[str], Desk], provider: OpenAIProvider
) -> None:
    """J1, V8: through the proxy as without it; the provider's connection is closed each time."""
    provider.script = ENDLESS
    chat = desk("ada").chat()
    took = []
    for count in range(PRESSES):
        chat.ask("Tell me a story")
        expect(chat.replies).to_have_count(count + 1)
        chat.wait_for_text(40)
        chat.expect_mode("stop")
        took.append(chat.page.evaluate(PRESS))
        expect(chat.replies.last.locator(".jp-StopChat-stoppedLine")).to_contain_text(
            "Response stopped by the user"
        )
    assert len({frame["message_id"] for frame in chat.sent_of("stop")}) == PRESSES
    assert len(provider.requests) == PRESSES
    assert all(request.closed.is_set() for request in provider.requests)
    assert not any(request.completed for request in provider.requests)
    chat.shot("hub-stopped")
    took.sort()
    print(
        f"\nfrom the press to the end, {PRESSES} times through the hub's proxy: "
        f"median {statistics.median(took):.0f} ms, at most {took[-1]:.0f} ms"
    )


def test_a_reload_in_the_middle(desk: Callable[[str], Desk], provider: OpenAIProvider) -> None:
    """The reply goes on meanwhile, is shown on, and is stopped by the page that came after."""
    provider.script = ENDLESS
    chat = desk("ada").chat()
    chat.ask("Tell me a story")
    chat.wait_for_text(60)
    before = chat.text()
    chat.load_again()
    chat.expect_mode("stop")
    chat.wait_for_text(len(before) + 200)
    assert chat.text().startswith(before)
    assert len(provider.requests) == 1, "nothing was asked for again"
    chat.shot("hub-reloaded")
    chat.button.click()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    assert _is_whole(chat.text())


def test_the_server_is_stopped_in_the_middle(
    desk: Callable[[str], Desk], provider: OpenAIProvider, hub: Hub
) -> None:
    """The page says that nothing answers; started again, the server has what was shown."""
    provider.script = ENDLESS
    ada = desk("ada")
    chat = ada.chat()
    chat.ask("Tell me a story")
    chat.wait_for_text(200)
    home = ada.context.new_page()
    home.goto(f"{hub.url}hub/home")
    home.get_by_role("button", name="Stop My Server").click()
    expect(chat.panel.locator(".jp-StopChat-banner")).to_be_visible()
    shown = chat.text()
    chat.page.bring_to_front()
    chat.shot("hub-server-stopped")
    print("\nthe page says:", chat.banner.all_text_contents())
    start = home.get_by_role("button", name="Start My Server")
    expect(start).to_be_visible(timeout=60_000)
    assert not hub.runs("ada")
    assert provider.requests[0].closed.is_set()
    start.click()
    home.wait_for_url("**/user/ada/lab**", timeout=120_000)
    home.close()
    chat.page.bring_to_front()
    expect(chat.banner).to_have_count(0, timeout=60_000)  # without a reload
    expect(chat.replies).to_have_count(1)
    chat.expect_mode("send")
    print(
        "the reply says:",
        chat.replies.last.locator(".jp-StopChat-stoppedLine").all_text_contents(),
    )
    expect(chat.stopped_line).to_contain_text("The server")
    assert chat.text().startswith(shown)
    assert _is_whole(chat.text())
    chat.shot("hub-server-again")


def _is_whole(text: str) -> bool:
    """Tell whether a text is what the model said, from its beginning."""
    words = text.split()
    return words[:-1] == [f"t{number}" for number in range(len(words) - 1)]
