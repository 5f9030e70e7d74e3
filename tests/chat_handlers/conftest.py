"""Providers on loopback, and chat handlers that talk to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from tests.providers import Provider
from tests.providers.chat_models import MODELS, make_model, make_provider


@pytest.fixture(params=MODELS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def provider(kind: str, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Provider]:
    provider = make_provider(kind)
    jp_asyncio_loop.run_until_complete(provider.start())
    yield provider
    jp_asyncio_loop.run_until_complete(provider.stop())


@pytest.fixture
def handler(
    kind: str, provider: Provider, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[LangChainHandler]:
    handler = LangChainHandler(make_model(kind, provider.base_url))
    yield handler
    jp_asyncio_loop.run_until_complete(handler.close())
