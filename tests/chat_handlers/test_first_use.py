"""The first reply of a process: what a client makes then keeps nobody waiting."""

from __future__ import annotations

import subprocess
import sys

import pytest

FIRST = """
import asyncio, sys
from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from tests.providers.chat_models import make_model, make_provider
from tests.providers.reading import Reading
from tests.watchdog import Watchdog

watchdog = Watchdog(0.03)

async def run():
    async with make_provider(sys.argv[1]) as provider:
        model = await asyncio.to_thread(make_model, sys.argv[1], provider.base_url)
        handler = await asyncio.to_thread(LangChainHandler, model)
        assert await Reading(handler).end() is None
        await handler.close()

with watchdog.watching():
    asyncio.run(run())
print(*watchdog.take(), sep="\\n")
"""


@pytest.mark.parametrize("kind", ["openai", "responses", "anthropic", "ollama"])
def test_the_first_reply_holds_nobody_up(kind: str) -> None:
    """T5: nobody waits for what a provider's client imports and makes at its first use."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST, kind], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr
