"""The page that texts are tried in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.chat_page import ChatPage
from tests.browser.watched import Watched


@pytest.fixture
def watched(chat: ChatPage) -> Iterator[Watched]:
    """Show a new chat in the page that all share: what one text does in it, the others find."""
    made = Watched(chat)
    yield made
    made.close()
