"""Two JupyterLabs on one data folder, and one whose database is locked, as a person sees them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import watched_page
from tests.browser.lab import Lab, page_asking
from tests.providers import OpenAIProvider, Script

pytestmark = pytest.mark.browser

WORDS = "Another Jupyter server is making this reply. It can be stopped there."


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


@pytest.mark.stress
def test_a_page_of_the_second_server(
    browser: Browser, labs: list[Lab], provider: OpenAIProvider
) -> None:
    """H4, W1: it says who makes the reply, has no Stop for it, and sees the first one's death."""
    provider.script = Script(tokens=10_000_000, rate=30)
    first, second = labs
    with watched_page(browser, first) as (a, _), watched_page(browser, second) as (b, watch):
        a.ask("A long story")
        a.wait_for_text(100)
        b.page.get_by_role("button", name="Chats", exact=True).click()
        b.page.locator(".jp-StopChat-chatRow .jp-StopChat-chat").first.click()
        expect(b.replies.last).to_contain_text(WORDS)
        length = len(b.text())
        b.wait_for_text(length + 50)
        b.expect_mode("send")
        b.shot("two-servers-made-elsewhere")
        b.ask("And now?")
        expect(b.panel).to_contain_text("Another Jupyter server on the same data makes this reply")
        b.shot("two-servers-refused")
        a.expect_mode("stop")
        assert first.process is not None
        first.process.kill()
        first.process.wait()
        expect(b.stopped_line).to_contain_text("The server restarted")
        expect(b.panel).not_to_contain_text(WORDS)
        b.shot("two-servers-after-kill")
        b.replies.last.get_by_role("button", name="Continue").click()
        b.expect_mode("stop")
        b.button.click()
        b.expect_mode("send")
        watch.check()


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
