"""What tests of instructions have at hand."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.providers import OpenAIProvider
from tests.server.instructions.asking import Asking


@pytest.fixture
def asking(
    provider: OpenAIProvider,
    connect: Any,
    jp_fetch: Any,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Asking:
    return Asking(jp_asyncio_loop.run_until_complete(connect()), jp_fetch, provider)


@pytest.fixture
def root(jp_root_dir: Path) -> Path:
    return jp_root_dir
