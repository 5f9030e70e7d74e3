"""What Jupyter Server's `/metrics` tells of the chat."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from jupyter_stop_chat.testing import Gate, Raise

pytestmark = pytest.mark.may_hold_the_loop("all that tests before it counted is told, and read")

Metrics = dict[str, float]


@pytest.fixture
def metrics(jp_serverapp: Any, jp_fetch: Any) -> Callable[[], Awaitable[Metrics]]:
    """Read the metrics as Prometheus does; the process's counters go on from test to test."""

    async def read() -> Metrics:
        response = await jp_fetch("metrics")
        return {
            sample.name.removeprefix("jupyter_stop_chat_")
            + "".join(sorted(f" {key}={value}" for key, value in sample.labels.items())): (
                sample.value
            )
            for family in text_string_to_metric_families(response.body.decode())
            if family.name.startswith("jupyter_stop_chat")
            for sample in family.samples
        }

    return read


def _grew(before: Metrics, after: Metrics, name: str) -> float:
    return after[name] - before.get(name, 0.0)


async def test_ends_are_counted_by_their_state(scripted: Any, metrics: Any, connect: Any) -> None:
    page = await connect()
    before = await metrics()
    for steps in (("Hello",), ("Hello",), (Raise(RuntimeError()),)):
        await scripted(*steps)
        accepted = await page.ask(model="scripted:x")
        await page.end_of(accepted["message"]["id"])
    after = await metrics()
    assert _grew(before, after, "generations_ended_total state=completed") == 2
    assert _grew(before, after, "generations_ended_total state=failed") == 1
    assert _grew(before, after, "generations_ended_total state=interrupted") == 0
    assert _grew(before, after, "stop_seconds_count") == 0
    assert _grew(before, after, "commit_seconds_count") >= 3
    assert _grew(before, after, "commit_seconds_sum") > 0


async def test_what_runs_and_who_listens_is_counted_now(
    scripted: Any, metrics: Any, connect: Any, app: Any
) -> None:
    await scripted(Gate())
    assert (await metrics())["sockets"] == 0
    page, other = await connect(), await connect()
    asked = [await page.ask(model="scripted:x") for _ in range(3)]
    now = await metrics()
    assert (now["generations_running"], now["sockets"]) == (3, 2)
    await page.send({"type": "stop", "all": True})
    await page.until("stop_result")
    other.socket.close()
    while await other.socket.read_message() is not None:
        pass
    engine = (await app.services()).engine
    async with asyncio.timeout(10):
        while engine.bus.listeners > 1 + len(asked):  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.005)
    now = await metrics()
    assert (now["generations_running"], now["sockets"]) == (0, 1)


async def test_a_stop_is_measured_to_its_end_and_to_the_providers(
    scripted: Any, metrics: Any, connect: Any
) -> None:
    """B2."""
    handler = await scripted(Gate())
    page = await connect()
    before = await metrics()
    accepted = await page.ask(model="scripted:x")
    await handler.next_reply()
    await page.send({"type": "stop", "message_id": accepted["message"]["id"]})
    message = await page.end_of(accepted["message"]["id"])
    after = await metrics()
    assert _grew(before, after, "generations_ended_total state=interrupted") == 1
    assert _grew(before, after, "stop_seconds_count") == 1
    assert _grew(before, after, "stop_seconds_sum") == pytest.approx(
        message["stop"]["settled_ms"] / 1000
    )
    assert _grew(before, after, "provider_close_seconds_count") == 1
    assert _grew(before, after, "provider_close_seconds_sum") == pytest.approx(
        message["stop"]["provider_ms"] / 1000
    )


async def test_a_provider_that_closes_late_is_measured_once(
    scripted: Any, metrics: Any, connect: Any, app: Any
) -> None:
    """B1, B2: when it is known, though the stop was settled long before."""
    app.stop_deadline = 0.05
    gate = Gate(swallow=-1)
    await scripted("Once", gate)
    page = await connect()
    before = await metrics()
    accepted = await page.ask(model="scripted:x")
    await page.until("delta")
    await page.send({"type": "stop", "message_id": accepted["message"]["id"]})
    message = await page.end_of(accepted["message"]["id"])
    assert message["stop"]["provider"] == "still_finishing"
    between = await metrics()
    assert _grew(before, between, "provider_close_seconds_count") == 0
    assert between["runaway_tasks"] == 1
    gate.open()
    await page.until("message", lambda frame: frame["message"]["stop"]["provider"] == "closed")
    after = await metrics()
    assert _grew(before, after, "provider_close_seconds_count") == 1
    assert _grew(before, after, "stop_seconds_count") == 1
    assert after["runaway_tasks"] == 0


async def test_no_label_names_a_person_a_chat_or_a_model(
    scripted: Any, metrics: Any, connect: Any
) -> None:
    await scripted("Hello")
    page = await connect()
    accepted = await page.ask(model="scripted:x")
    await page.end_of(accepted["message"]["id"])
    for name in await metrics():
        assert re.fullmatch(r"\w+( (state=\w+|le=[\d.e+-]+|le=\+Inf))?", name), name
