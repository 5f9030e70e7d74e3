"""Two JupyterLabs on one data folder, and one whose database is locked, as a person sees them."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chat_page import ChatPage
from tests.browser.conftest import watched_page
from tests.browser.lab import Lab, page_asking
from tests.faults.servers import halt
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

PROMPT = "A long story"

#: What the line below a reply says that the server which makes it was not reached to stop.
LEFT = "Could not stop: the Jupyter server that makes this reply has not answered yet."


@pytest.fixture
def labs(tmp_path: Path, provider: OpenAIProvider) -> Iterator[list[Lab]]:
    """Start two; the second reads what the first one keeps."""
    config = page_asking(provider.base_url)
    made = [Lab(tmp_path / name, config) for name in ("a", "b")]
    for lab in made:
        lab.data = tmp_path / "data"
        lab.start()
    yield made
    for lab in made:
        lab.stop()


@pytest.fixture
def seen(
    browser: Browser, labs: list[Lab], provider: OpenAIProvider
) -> Iterator[tuple[ChatPage, ChatPage]]:
    """Have the first make a reply without an end that a page of each shows."""
    provider.script = Script(tokens=10_000_000, rate=30)
    with watched_page(browser, labs[0]) as (a, _), watched_page(browser, labs[1]) as (b, watch):
        a.ask(PROMPT)
        a.wait_for_text(100)
        b.page.get_by_role("button", name="Chats", exact=True).click()
        b.page.locator(".jp-StopChat-chatRow .jp-StopChat-chat").first.click()
        b.wait_for_text(100)
        yield a, b
        watch.check()


def _has_grown(chat: ChatPage) -> None:
    chat.wait_for_text(len(chat.text()) + 50)


@pytest.mark.stress
def test_stop_through_the_second_server(
    seen: tuple[ChatPage, ChatPage], provider: OpenAIProvider
) -> None:
    """H4, S1, S2: it looks as any reply, stops as any, and both pages show the same of it."""
    a, b = seen
    b.expect_mode("stop")
    expect(b.status).to_have_text("Generating")
    _has_grown(b)
    b.width(250)
    b.shot("two-servers-made-elsewhere")
    b.ask("And then?")
    expect(b.queue).to_contain_text("And then?")
    expect(a.queue).to_contain_text("And then?")
    b.input.press("Escape")
    b.expect_mode("send")
    a.expect_mode("send")
    for page in seen:
        expect(page.stopped_line).to_contain_text("Response stopped by the user")
        expect(page.queue).to_contain_text("And then?")
    assert a.text() == b.text()
    while not provider.requests[0].closed.is_set():
        b.page.wait_for_timeout(20)
    expect(b.input).to_have_value(PROMPT)
    expect(a.input).to_have_value("")
    b.shot("two-servers-stopped")
    # The reply is nobody's now: the second goes on with what waits, and the first stops that.
    b.page.get_by_role("button", name="Send next").click()
    a.expect_mode("stop")
    b.expect_mode("stop")
    expect(a.replies).to_have_count(2)
    a.wait_for_text(50)
    a.button.click()
    for page in seen:
        page.expect_mode("send")
        expect(page.queue).to_have_count(0)
        expect(page.stopped_line).to_have_count(2)
    assert a.text() == b.text()
    b.replies.last.get_by_role("button", name="Regenerate").click()
    b.expect_mode("stop")
    a.load_again()
    a.expect_mode("stop")
    a.wait_for_text(50)
    a.button.click()
    for page in seen:
        page.expect_mode("send")
    assert a.text() == b.text()


@pytest.mark.stress
def test_a_page_of_the_second_server_while_the_first_is_halted(
    seen: tuple[ChatPage, ChatPage], labs: list[Lab]
) -> None:
    """H4, W1: it claims no stop that did not happen, and the one that was left is carried out."""
    a, b = seen
    _has_grown(b)
    halt(labs[0])
    try:
        b.width(250)
        b.input.press("Escape")
        b.expect_mode("stopping")
        expect(b.input).to_have_value(PROMPT)
        expect(b.failed_line).to_contain_text(LEFT)
        b.expect_mode("stop")
        expect(b.input).to_have_value("")
        b.shot("two-servers-not-reached")
        b.ask("And now?")
        expect(b.panel).to_contain_text("The Jupyter server that makes this chat's reply has not")
        expect(b.input).to_have_value("And now?")
        b.shot("two-servers-refused")
        b.input.fill("")
        b.failed_line.get_by_role("button", name="Retry").click()
        b.expect_mode("stopping")
    finally:
        assert labs[0].process is not None
        labs[0].process.send_signal(signal.SIGCONT)
    for page in seen:
        page.expect_mode("send")
        expect(page.stopped_line).to_contain_text("Response stopped by the user")
    expect(b.failed_line).to_have_count(0)
    expect(b.input).to_have_value(PROMPT)
    # What was left tells nobody how much of it was seen here: nothing grows back all the same.
    assert a.text().startswith(b.text())


@pytest.mark.stress
def test_a_page_of_the_second_server_when_the_first_is_gone(
    seen: tuple[ChatPage, ChatPage], labs: list[Lab]
) -> None:
    """H4, W1: it says so, and goes on with the reply."""
    _, b = seen
    assert labs[0].process is not None
    labs[0].process.kill()
    labs[0].process.wait(60)
    expect(b.stopped_line).to_contain_text("The server went away")
    b.shot("two-servers-after-kill")
    half = b.text()
    b.replies.last.get_by_role("button", name="Continue").click()
    b.expect_mode("stop")
    b.wait_for_text(len(half) + 50)
    b.button.click()
    b.expect_mode("send")
    expect(b.stopped_line).to_contain_text("Response stopped by the user")


@pytest.mark.stress
def test_a_page_while_the_database_is_locked_from_the_start(
    browser: Browser, tmp_path: Path, labs: list[Lab], provider: OpenAIProvider
) -> None:
    """H3: it is told once, the chat goes on, and once more when all is saved."""
    provider.script = Script(tokens=["An ", "answer."])
    file = tmp_path / "data" / "stop-chat" / "chats.sqlite"
    labs[0].stop()
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        with watched_page(browser, labs[1]) as (chat, watch):
            expect(chat.panel).to_contain_text("Chats cannot be saved at the moment")
            chat.ask("Hello")
            expect(chat.reply()).to_have_text("An answer.")
            chat.expect_mode("send")
            chat.shot("database-locked")
            holder.rollback()
            holder.close()
            expect(chat.panel).to_contain_text("Chats are saved again.")
            chat.ask("And again")
            expect(chat.replies).to_have_count(2)
            expect(chat.reply()).to_have_text("An answer.")
            watch.check()
