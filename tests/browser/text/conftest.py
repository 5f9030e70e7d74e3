"""The page that texts are tried in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.lab import Lab
from tests.browser.watched import Watched


@pytest.fixture(scope="package")
def watched_by_all(browser: Browser, shared_lab: Lab) -> Iterator[Watched]:
    """Open the page that all share: what one text does in it, the others find."""
    shared_lab.set({})
    made = Watched(browser, shared_lab)
    yield made
    made.context.close()


@pytest.fixture
def watched(watched_by_all: Watched) -> Watched:
    """Show a new chat in the page."""
    for page in watched_by_all.pages:
        page.close()
    watched_by_all.pages.clear()
    watched_by_all.strangers.clear()
    watched_by_all.chat.begin_anew()
    return watched_by_all
