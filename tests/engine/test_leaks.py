"""Five hundred stopped generations in a row leave nothing behind."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.testing import Gate, ScriptedModel
from jupyter_stop_chat.wire.objects import MessageState
from tests.engine.bench import MODEL, Bench
from tests.providers import OpenAIProvider, Script
from tests.providers.chat_models import make_model

#: What the interpreter's own caches and the store's pages may grow by, in bytes.
GROWTH = 12 * 1024 * 1024


@asynccontextmanager
async def scripted(b: Bench) -> AsyncIterator[None]:
    """Stop our own scripted handler, waiting at a gate."""
    b.handler.script = ["text", Gate()]
    yield
    assert all(reply.ended.is_set() for reply in b.handler.replies)


@asynccontextmanager
async def langchain(b: Bench) -> AsyncIterator[None]:
    """Stop a LangChain model."""
    model = ScriptedModel(script=["text", Gate()])
    b.handlers[MODEL] = LangChainHandler(model)
    yield
    assert all(run.ended.is_set() for run in model.runs)


@asynccontextmanager
async def openai(b: Bench) -> AsyncIterator[None]:
    """Stop OpenAI's client, over sockets."""
    async with OpenAIProvider(Script(tokens=["text", "more"], stall_after=1)) as provider:
        b.handlers[MODEL] = handler = LangChainHandler(make_model("openai", provider.base_url))
        yield
        await handler.close()
        await provider.no_connections()


def holdings() -> dict[str, int]:
    """Count what a process holds."""
    gc.collect()
    process = psutil.Process()
    return {
        "files": process.num_fds(),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
        "generations": sum(isinstance(each, Generation) for each in gc.get_objects()),
    }


@pytest.mark.may_hold_the_loop("it looks at every object there is")
@pytest.mark.parametrize("rounds", [70, pytest.param(500, marks=pytest.mark.stress)])
@pytest.mark.parametrize(
    "kind", [scripted, pytest.param(langchain, marks=pytest.mark.stress), openai]
)
async def test_many_stops_leave_nothing(kind: Any, rounds: int, tmp_path: Any) -> None:
    """V7, V10: descriptors, threads, tasks, registry and memory are flat."""
    store = await open_store(f"sqlite:///{tmp_path / 'c.sqlite'}", owner_process="test:1:1")
    b = Bench(store=store)
    process = psutil.Process()
    before: dict[str, int] = {}
    memory = 0
    async with kind(b):
        for number in range(rounds):
            if number == 30:  # whatever is made at the first use has been made
                # The store's pool of readers grows to its size when several read at once, which
                # a busy machine may let happen later: fill it now.
                await asyncio.gather(*(store.get_message("none") for _ in range(20)))
                await b.check()
                before, memory = holdings(), process.memory_info().rss
            accepted = await b.send()
            await b.shown(accepted, "text")
            (result,) = await b.stop(message_id=accepted.message.id)
            assert result.receipt.provider == "closed"
            message = await b.end(accepted)
            assert message.state is MessageState.INTERRUPTED
            b.heard.told.clear()
            b.heard.states.clear()
            b.heard.chats.clear()
            if kind is scripted:
                b.handler.replies[:-1] = []
            del accepted, message, result
        await b.check()
        # The provider's side of the last socket closes a turn or two later.
        for _ in range(100):
            after = holdings()
            if after == before:
                break
            await asyncio.sleep(0.01)
        assert after == before
        assert process.memory_info().rss - memory < GROWTH
    await b.close()
    await store.close()
