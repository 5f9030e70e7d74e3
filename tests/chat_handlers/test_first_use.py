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
from tests.aids.watching.watchdog import Watchdog

watchdog = Watchdog(0.03)

async def run(kind):
    async with make_provider(kind) as provider:
        model = await asyncio.to_thread(make_model, kind, provider.base_url)
        handler = await asyncio.to_thread(LangChainHandler, model)
        assert await Reading(handler).end() is None
        await handler.close()

with watchdog.watching():
    for kind in sys.argv[1:]:
        asyncio.run(run(kind))
print(*watchdog.take(), sep="\\n")
"""


KINDS = ["openai", "responses", "anthropic", "ollama"]


@pytest.mark.parametrize(
    "kinds", [KINDS, *(pytest.param([each], marks=pytest.mark.stress) for each in KINDS)]
)
def test_the_first_reply_holds_nobody_up(kinds: list[str]) -> None:
    """T5: nobody waits for what a provider's client imports and makes at its first use."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST, *kinds], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr
