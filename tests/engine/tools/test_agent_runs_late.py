"""Cells that end behind their reply: it is told of them until they do, and that they did."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.tools.runs import attempt
from tests.aids.turns import until
from tests.engine.bench import OWNER, turns_until
from tests.engine.tools.runner import running
from tests.providers import Script


async def test_a_cell_that_does_not_react_is_told_of_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """N4: settled in time, also by two stops; its line changes when it ends, and is kept so."""
    monkeypatch.setattr(attempt, "STOP_S", 0.05)
    async with running("openai") as r:
        r.kernel.reacts = False
        accepted = await r.ask("one")
        await r.allowed()
        await r.kernel.begun.wait()
        first, second = await asyncio.gather(
            r.bench.stop(message_id=accepted.message.id),
            r.bench.stop(message_id=accepted.message.id),
        )
        assert first[0].receipt == second[0].receipt
        assert r.kernel.run.interrupts == 1
        message = await r.bench.end(accepted)
        assert [each.state for each in message.tools] == ["still_running"]
        assert message.stop is not None
        kernel = message.stop.kernel
        assert kernel is not None
        assert (kernel.answer, kernel.idle_ms) == ("pending", None)
        await r.next_turn()
        r.kernel.reacts = True
        (line,) = message.tools
        await r.tools.act_on_kernel(OWNER, message.id, line.call_id, "interrupt")

        async def ended() -> bool:
            kept = await r.bench.store.get_message(message.id)
            assert kept is not None
            told = kept.stop is not None and kept.stop.kernel is not None
            assert told
            is_late = kept.stop.kernel.idle_ms is not None  # type: ignore[union-attr]
            return is_late and [each.state for each in kept.tools] == ["interrupted"]

        while not await ended():  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.002)
        assert r.bench.heard.tools()[-1].state == "interrupted"


async def test_a_cell_that_ends_as_its_reply_is_written_down_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """N4, N12: it ends behind its line, and before anybody is told of that."""
    monkeypatch.setattr(attempt, "STOP_S", 0.02)
    async with running("openai") as r:
        store, settle_then = r.bench.store, r.bench.store.settle_then
        writing: list[asyncio.Task[None]] = []

        def slowly(*args: Any) -> None:
            async def write() -> None:
                r.kernel.run.finish()
                await until(lambda: r.kernel.used == 0)
                settle_then(*args)

            writing.append(asyncio.create_task(write()))

        monkeypatch.setattr(store, "settle_then", slowly)
        r.kernel.reacts = False
        accepted = await r.ask("one")
        await r.allowed()
        await r.kernel.begun.wait()
        await r.bench.stop(message_id=accepted.message.id)
        await r.bench.end(accepted)
        assert len(writing) == 1
        assert writing[0].done()
        await r.bench.quiet()
        message = await store.get_message(accepted.message.id)
        assert message is not None
        assert [each.state for each in message.tools] == ["interrupted"]
        assert message.stop is not None
        assert message.stop.kernel is not None
        assert message.stop.kernel.idle_ms is not None


async def test_a_reply_that_goes_on_is_told_of_what_its_earlier_part_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """N4: its line does not say for ever that it still runs."""
    monkeypatch.setattr(attempt, "STOP_S", 0.02)
    async with running("openai") as r:
        r.kernel.reacts = False
        accepted = await r.ask("one")
        await r.allowed()
        await r.kernel.begun.wait()
        await r.bench.stop(message_id=accepted.message.id)
        await r.bench.end(accepted)
        r.provider.scripts.append(Script(stall="after_headers", tokens=["More."]))
        r.provider.requests.clear()
        again = await r.bench.go_on(accepted.message.id)
        request = await r.provider.next_request()
        await request.stalled.wait()
        generation = r.bench.engine.generation(again.message.id)
        assert generation is not None
        assert [each.state for each in generation.tools.values()] == ["still_running"]
        r.kernel.run.finish()
        await turns_until(
            lambda: [each.state for each in generation.tools.values()] == ["interrupted"]
        )
        await r.bench.stop(message_id=again.message.id)
        message = await r.bench.end(again)
        assert [each.state for each in message.tools] == ["interrupted"]
