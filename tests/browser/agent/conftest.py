"""An agent that is asked in a real notebook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.agent.agent_page import Agent
from tests.browser.chat_page import ChatPage
from tests.providers import OpenAIProvider


@pytest.fixture
def agent(chat: ChatPage, provider: OpenAIProvider) -> Iterator[Agent]:
    """Open a notebook beside the chat."""
    made = Agent(chat, provider)
    made.book.open("a = 1\nb = 2", "c = 3")
    yield made
    provider.forget()
