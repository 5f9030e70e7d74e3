"""An agent that is asked in a real notebook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.agent.agent_page import Agent
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import Pages
from tests.browser.lab import Lab
from tests.providers import OpenAIProvider


@pytest.fixture
def agent(chat: ChatPage, provider: OpenAIProvider) -> Iterator[Agent]:
    """Open a notebook beside the chat."""
    made = Agent(chat, provider)
    made.book.open("a = 1\nb = 2", "c = 3")
    yield made
    provider.forget()


@pytest.fixture
def closed(pages: Pages, lab: Lab) -> Iterator[None]:
    """Close what a test opened, but for the notebook that the next one has."""
    yield
    chat = pages.of(lab)[0]
    chat.close_documents(chat.kept)
