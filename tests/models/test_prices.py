"""What replies cost, by the list of prices."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest

from jupyter_stop_chat.models.prices import ListPrices
from jupyter_stop_chat.wire.objects import Cost, Usage

USED = Usage(input_tokens=1_000_000, output_tokens=100_000)


def prices(parameters=None, ours=()):
    return ListPrices(parameters or {}, lambda name: name in ours)


@pytest.fixture(autouse=True)
def _nothing_elsewhere(monkeypatch):
    for name in ("OPENAI_API_BASE", "OPENAI_BASE_URL", "ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


async def test_a_known_model_costs_what_its_provider_lists():
    """It costs per token, and less where the provider's cache was read."""
    known = prices()
    whole = await known.cost("openai:gpt-4o-mini", USED)
    assert whole == Cost(amount=150_000 + 60_000)
    cached = USED.model_copy(update={"cache_read_tokens": 500_000, "reasoning_tokens": 90_000})
    assert await known.cost("openai:gpt-4o-mini", cached) == Cost(amount=210_000 - 37_500)
    written = USED.model_copy(update={"cache_write_tokens": 1_000_000})
    dearer = await known.cost("anthropic:claude-sonnet-4-5", written)
    plain = await known.cost("anthropic:claude-sonnet-4-5", USED)
    assert dearer is not None
    assert plain is not None
    assert dearer.amount > plain.amount > 0


async def test_what_is_estimated_is_said_to_be():
    """By the tokens, or by an address that is not the provider's own."""
    guessed = USED.model_copy(update={"estimated": True})
    assert await prices().cost("openai:gpt-4o-mini", guessed) == Cost(
        amount=210_000, estimated=True
    )
    elsewhere = prices({"openai": {"base_url": "http://127.0.0.1:1/v1"}})
    assert await elsewhere.cost("openai:gpt-4o-mini", USED) == Cost(amount=210_000, estimated=True)


async def test_local_models_are_free_and_unknown_ones_have_no_price():
    """What runs elsewhere through Ollama is not free, and what is ours is anybody's guess."""
    known = prices(ours={"agent"})
    for model in ("local:smollm2", "local:/weights.gguf", "ollama:qwen3:8b"):
        assert await known.cost(model, USED) == Cost(amount=0)
    for model in ("ollama:gpt-oss:120b-cloud", "agent:x", "openai:never-made", "nobody:x", "x"):
        assert await known.cost(model, USED) is None
    assert await prices(ours={"openai", "local"}).cost("openai:gpt-4o-mini", USED) is None
    assert await prices(ours={"openai", "local"}).cost("local:smollm2", USED) is None


async def test_odd_counts_do_no_harm_and_nothing_paid_for_is_free():
    """A provider may count more in its cache than it has read."""
    odd = Usage(input_tokens=1, output_tokens=1, cache_read_tokens=900, cache_write_tokens=9)
    cost = await prices().cost("openai:gpt-4o-mini", odd)
    assert cost is not None
    assert cost.amount == 1
    assert await prices().cost("openai:gpt-4o-mini", Usage(input_tokens=5)) is None


async def test_a_price_is_found_whoever_asks_meanwhile(monkeypatch):
    """What is kept is put away while another one is looked up."""
    monkeypatch.setattr("jupyter_stop_chat.models.prices.MOST_FOUND", 1)
    known = prices()
    models = ("openai:gpt-4o-mini", "anthropic:claude-sonnet-4-5", "openai:gpt-4o")
    assert None not in await asyncio.gather(*(known.cost(each, USED) for each in models))


async def test_without_the_list_or_a_thread_nothing_fails(monkeypatch, caplog):
    """A reply has no price then, and is made all the same."""
    ended = []
    monkeypatch.setattr("threading.excepthook", ended.append)
    monkeypatch.setitem(sys.modules, "genai_prices.data_snapshot", None)
    known = prices()
    known.prepare("openai:gpt-4o-mini")
    assert await known.cost("openai:gpt-4o-mini", USED) is None
    for thread in threading.enumerate():
        if thread.name == "stop-chat-prices":
            thread.join(10)
    assert ended == []
    assert "is not known: ModuleNotFoundError" in caplog.text

    def full(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr("threading.Thread.start", full)
        known.prepare("openai:gpt-4o")
    assert known._begun == set()


async def test_the_list_asks_no_network(monkeypatch):
    """It is in the package, and is not brought up to date by itself."""
    await prices().cost("openai:gpt-4o-mini", USED)
    asked = []
    sys.addaudithook(lambda name, args: asked.append(name) if name == "socket.connect" else None)
    await asyncio.gather(*(prices().cost(f"openai:gpt-4o-{n}", USED) for n in ("mini", "x")))
    assert asked == []
