"""The whole way through, with the real local model: a person chats, and stops it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.axe import AXE, THEMES, violations
from tests.browser.chat_page import AT_END, USUAL_WIDTH, ChatPage
from tests.browser.conftest import open_chat
from tests.browser.lab import Lab
from tests.browser.models.conftest import Index

pytestmark = [pytest.mark.browser, pytest.mark.local_model]

#: Whether there are more messages than the view has room for.
OVERFLOWS = """
() => {
  const list = document.querySelector('.jp-StopChat-list');
  return list.scrollHeight > list.clientHeight;
}
"""
HALF = re.compile(r"[45]\d")
PROMPT = "Write a long story about a lighthouse"


@pytest.fixture(scope="module")
def titling(tmp_path_factory: pytest.TempPathFactory, local_model_data_dir: Path) -> Iterator[Lab]:
    """Start JupyterLab with nothing set up but the local model's weights."""
    config = {"StopChatApp": {"open_chat": True}, "LabApp": {"expose_app_in_browser": True}}
    made = Lab(tmp_path_factory.mktemp("local"), config)
    (made.data / "stop-chat").mkdir()
    (made.data / "stop-chat" / "models").symlink_to(local_model_data_dir / "stop-chat" / "models")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def fresh(browser: Browser, titling: Lab) -> Iterator[ChatPage]:
    """Open the page with the chat."""
    yield from open_chat(browser, titling)


def test_the_local_model_is_installed_from_the_page(
    bare_page: ChatPage, index: Index, bare_lab: Lab
) -> None:
    """B11, U6, U38: from a fresh profile without a key to the first answer; a stop on the way."""
    chat, page = bare_page, bare_page.page
    setup = page.locator(".jp-StopChat-setup")
    button = setup.get_by_role("button", name="Install the local model")
    bar = setup.get_by_role("progressbar")
    expect(button).to_be_visible()
    # U38: the card and the name below the input agree.
    expect(setup).to_contain_text("No model is set up yet")
    expect(page.locator("button.jp-StopChat-model")).to_have_text("No model yet")
    page.evaluate(AXE.read_text())
    for theme, name in THEMES.items():
        chat.theme(name)
        assert violations(chat) == []
        chat.shot(f"models-1-fresh-{theme}")
    chat.theme(THEMES["light"])
    # Who knows only the button that sends is told what is missing.
    chat.ask("Say hello.")
    expect(chat.failed_line).to_contain_text("The local model is not installed")
    button.click()
    expect(bar).to_be_visible()
    expect(bar).to_have_attribute("aria-valuenow", HALF)
    setup.get_by_role("button", name="Stop").click()
    expect(button).to_be_visible()
    assert not list((bare_lab.data / "stop-chat" / "models").iterdir()), "nothing is left of it"

    button.click()
    expect(bar).to_have_attribute("aria-valuenow", HALF)
    chat.width(250)
    assert violations(chat) == []
    chat.shot("models-2-installing-250")
    index.go_on.set()
    expect(setup).to_have_count(0)
    assert index.fetched == 2
    expect(page.locator("button.jp-StopChat-model")).to_contain_text("SmolLM2 (local, small)")
    # What failed without it is made by itself, and the next prompt can be typed.
    expect(chat.input).to_be_focused()
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    expect(chat.reply()).to_contain_text(re.compile(r"\w"))
    chat.shot("models-3-first-answer-250")


def test_a_person_chats_with_a_real_model_and_stops_it(
    page_with_model: ChatPage, bare_lab: Lab
) -> None:
    """B11, J1, S1, L6, L7: and the model's process is idle after it."""
    chat = page_with_model
    chat.new_chat()
    chat.width(USUAL_WIDTH)
    chat.shot("local-1-start")
    chat.ask(PROMPT)
    chat.expect_mode("stop")
    chat.wait_for_text(150)
    chat.shot("local-2-streaming")
    # The text and the button in the very step of the press, read by the page itself.
    pressed = chat.page.evaluate(
        """() => new Promise(resolve => {
          const body = document.querySelector(
            '.jp-StopChat-message[data-role=assistant] .jp-StopChat-body');
          const button = document.querySelector('.jp-StopChat-button');
          button.click();
          requestAnimationFrame(() => requestAnimationFrame(() =>
            resolve({text: body.textContent, mode: button.dataset.mode})));
        })"""
    )
    assert pressed["mode"] in {"stopping", "send"}
    stopped_at = time.monotonic()
    chat.expect_mode("send")
    expect(chat.stopped_line).to_contain_text("Response stopped by the user")
    expect(chat.input).to_have_value(PROMPT)
    assert chat.reply().evaluate("body => body.textContent") == pressed["text"]

    model = _model_process(bare_lab)
    _wait_until(stopped_at + 0.3)
    before = sum(model.cpu_times()[:2])
    _wait_until(stopped_at + 1.3)
    used = sum(model.cpu_times()[:2]) - before
    assert used <= 0.02, f"the local model used {used} s of processor after the stop"
    chat.shot("local-3-stopped")
    assert chat.reply().evaluate("body => body.textContent") == pressed["text"]

    chat.ask("What is 2 + 2? Answer with a number.")
    expect(chat.replies).to_have_count(2)
    chat.expect_mode("stop")
    expect(chat.button).to_have_attribute("data-mode", "send", timeout=100_000)
    expect(chat.replies.last).to_have_attribute("data-state", "completed")
    assert chat.text().strip()
    chat.shot("local-4-answered")


@pytest.mark.stress  # 40 replies of a real model
@pytest.mark.parametrize("width", [250, 400])
def test_each_first_reply_ends_in_view(fresh: ChatPage, width: int) -> None:
    """U5: 20 of 20 times, its last line is seen, as its title comes late."""
    chat = fresh
    chat.width(width)
    chat.page.set_viewport_size({"width": 1200, "height": 480})
    overflown = []
    for time_ in range(20):
        chat.new_chat()
        chat.ask(f"Count from 1 to {time_ + 30}, each number in a line of its own.")
        expect(chat.replies.last).to_have_attribute("data-state", "completed", timeout=100_000)
        expect(chat.page.locator(".jp-StopChat-titleButton")).to_be_visible()
        chat.page.wait_for_function(AT_END)
        overflown.append(chat.page.evaluate(OVERFLOWS))
    assert sum(overflown) > 10, "else there is no end to miss"


def _model_process(lab: Lab) -> psutil.Process:
    assert lab.process is not None
    found = [
        child
        for child in psutil.Process(lab.process.pid).children(recursive=True)
        if "jupyter_stop_chat.local_model.child" in " ".join(child.cmdline())
    ]
    assert len(found) == 1
    return found[0]


def _wait_until(moment: float) -> None:
    """Wait for a moment that the figure itself names."""
    time.sleep(max(0.0, moment - time.monotonic()))
