"""A Stop that reaches a server's tool, whatever kind of server it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from jupyter_stop_chat.mcp_servers import session
from jupyter_stop_chat.wire.objects import Receipt
from tests.conftest import PATIENCE
from tests.engine.bench import OWNER
from tests.mcp_servers.http_server import over_http
from tests.mcp_servers.rig import Rig, a_rig, awkward, talking, until


async def _stopped(rig: Rig, tool: str, began: str, **args: Any) -> tuple[Receipt, Any]:
    """Stop a call once its server works on it; return the receipt and the message."""
    before = len(rig.seen())
    accepted = await rig.begin(tool, **args)
    await until(lambda: began in rig.seen()[before:])
    (result,) = await rig.bench.stop(message_id=accepted.message.id)
    message = await rig.bench.end(accepted)
    assert message.state == "interrupted", message.error
    assert result.receipt is not None
    assert result.receipt.server is not None, result.receipt
    assert rig.handler.told == []
    return result.receipt, message


async def _acknowledged(rig: Rig, tool: str, began: str, **args: Any) -> float:
    """Stop a call whose server hears of it; return how long that took, in milliseconds."""
    receipt, message = await _stopped(rig, tool, began, **args)
    assert receipt.server is not None
    assert receipt.server.answer == "acknowledged", receipt
    assert [each.state for each in message.tools] == ["interrupted"]
    assert receipt.settled_ms is not None
    return receipt.settled_ms


async def _unacknowledged(rig: Rig, tool: str, began: str, **args: Any) -> str:
    """Stop a call whose server says nothing; return the message's id."""
    receipt, message = await _stopped(rig, tool, began, **args)
    assert receipt.server is not None
    assert receipt.server.answer == "unacknowledged", receipt
    assert [each.state for each in message.tools] == ["still_running"]
    message_id: str = message.id
    return message_id


async def _ended_late(rig: Rig, message_id: str) -> None:
    """Wait until the line of a call says that it runs no more."""
    while True:
        message = await rig.bench.store.get_message(message_id)
        if message.tools[0].state == "interrupted":
            return
        assert message.tools[0].state == "still_running"
        await asyncio.sleep(0.02)


#: By the answer that a server gave: how long each stop took until it was settled, in ms.
Took = dict[str, list[float]]


def _note(took: Took, receipt: Receipt) -> None:
    assert receipt.server is not None
    assert receipt.settled_ms is not None
    took.setdefault(receipt.server.answer, []).append(receipt.settled_ms)


async def _each_kind(rig: Rig, times: int) -> Took:
    """Stop a call of each kind of server, so many times; return how long that took."""
    took: Took = {}
    for _ in range(times):
        for tool, began in (
            ("io__slow", "slow began"),
            ("web__slow", "slow began"),
            ("floods__act", "called"),
        ):
            args = {"seconds": 600} if began == "slow began" else {}
            took.setdefault("acknowledged", []).append(
                await _acknowledged(rig, tool, began, **args)
            )
        # What was told is heard, though it says nothing.
        receipt, message = await _stopped(rig, "deaf__act", "called")
        assert receipt.server is not None
        assert receipt.server.answer == "unacknowledged", receipt
        assert [each.state for each in message.tools] == ["still_running"]
        _note(took, receipt)
        receipt, message = await _stopped(rig, "ends__act", "called")
        assert receipt.server is not None
        assert receipt.server.answer == "gone", receipt
        assert [each.state for each in message.tools] == ["interrupted"]
        _note(took, receipt)
    # No effect came after it: the slow ones were cancelled in their servers.
    await until(lambda: rig.seen().count("slow cancelled") == 2 * times)
    assert "slow done" not in rig.seen()
    await until(lambda: rig.seen().count("cancelled") >= 3 * times)
    return took


def _table(took: Took) -> str:
    """Write down how long stops took until they were settled."""
    lines = ["answer          stops  median ms  worst ms"]
    for answer, each in took.items():
        lines.append(f"{answer:14}  {len(each):5}  {median(each):9.1f}  {max(each):8.1f}")
    return "\n".join(lines)


async def test_a_stop_reaches_each_kind_of_server(tmp_path: Path, monkeypatch: Any) -> None:
    """N9, N12, N4: it says which heard it; a call nobody heard of says that it still runs."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    async with over_http() as web:
        named = {each: awkward(each) for each in ("floods", "deaf", "ends")}
        servers = {"io": talking(), "web": web, **named}
        async with a_rig(tmp_path, servers, monkeypatch) as rig:
            await rig.ready(*servers)
            await _each_kind(rig, 2)
            # One that holds its server says so until it ends by itself.
            late = await _unacknowledged(rig, "io__block", "block began", seconds=1)
            await _ended_late(rig, late)
            assert "block done" in rig.seen()
            # And all goes on.
            assert (await rig.call("io__slow", seconds=0)).text == "done"
            assert (await rig.call("web__slow", seconds=0)).text == "done"
            await rig.bench.quiet()


@pytest.mark.stress
async def test_a_stop_reaches_each_kind_of_server_many_times(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N9, N12: settled at once where it is heard, and else as soon as nobody waits any more."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    async with over_http() as web:
        named = {each: awkward(each) for each in ("floods", "deaf", "ends")}
        servers = {"io": talking(), "web": web, **named}
        async with a_rig(tmp_path, servers, monkeypatch) as rig:
            await rig.ready(*servers)
            took = await _each_kind(rig, 20)
            print("\n" + _table(took))
            assert [len(took[each]) for each in ("acknowledged", "unacknowledged")] == [60, 20]
            # From the stop to settled, each single one.
            assert max(took["acknowledged"]) <= 50, _table(took)
            assert max(took["unacknowledged"] + took["gone"]) <= 600, _table(took)


@pytest.mark.stress
async def test_a_stop_reaches_servers_that_block_hang_die_lie_or_give_orders(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N4, N9, N12: twenty times each: settled in time, told as it is, and all goes on after it."""
    kinds = ("hangs", "falls", "lies", "orders")
    servers = {"io": talking(), **{each: awkward(each) for each in kinds}}
    async with a_rig(tmp_path, servers, monkeypatch) as rig:
        await rig.ready(*(each for each in servers if each != "hangs"))
        orders = next(
            each.name for each in rig.servers.tools(OWNER) if each.name.startswith("orders__")
        )
        for turn in range(20):
            # One that holds its server: told as still running until it is over.
            late = await _unacknowledged(rig, "io__block", "block began", seconds=0.7)
            await _ended_late(rig, late)
            # Those that keep silent about what they were told.
            for name in ("lies__act", orders):
                await _unacknowledged(rig, name, "called", n=0)
            # One that hangs at its start: nothing was told to it, and nobody waits.
            accepted = await rig.begin("hangs__act")
            (result,) = await rig.bench.stop(message_id=accepted.message.id)
            assert result.receipt is not None
            assert result.receipt.server is None
            assert (await rig.bench.end(accepted)).state == "interrupted"
            # One that dies as it is called, at each moment about its end.
            before = len(rig.seen())
            accepted = await rig.begin("falls__act", n=1)
            await until(lambda before=before: "called" in rig.seen()[before:])
            await asyncio.sleep(turn / 1000)
            (result,) = await rig.bench.stop(message_id=accepted.message.id)
            message = await rig.bench.end(accepted)
            if message.state == "interrupted":
                assert result.receipt is not None
                said = result.receipt.server
                assert said is None or said.answer in {"gone", "acknowledged"}, said
                assert [each.state for each in message.tools] != ["still_running"]
            rig.handler.told.clear()
            await rig.servers.retry(OWNER, "falls")
            await rig.ready("falls")
        assert (await rig.call("io__slow", seconds=0)).text == "done"
        assert (await rig.call("lies__act", n=1)).text == "lied"


@pytest.mark.stress
async def test_a_stop_pressed_twice_in_each_phase(tmp_path: Path, monkeypatch: Any) -> None:
    """N9, N12: the second joins the first; both are told the same."""
    servers = {"io": talking(), "deaf": awkward("deaf")}
    async with a_rig(tmp_path, servers, monkeypatch) as rig:
        await rig.ready(*servers)
        for turn in range(40):
            name = ("io__slow", "deaf__act")[turn % 2]
            accepted = await rig.begin(name, seconds=600)
            for _ in range(turn):
                await asyncio.sleep(0)
            first = asyncio.create_task(rig.bench.stop(message_id=accepted.message.id))
            await asyncio.sleep(0.01 * (turn % 3))
            again = await rig.bench.stop(message_id=accepted.message.id)
            (one,), (other,) = await first, again
            assert one.receipt == other.receipt
            assert (await rig.bench.end(accepted)).state == "interrupted"
        assert "slow done" not in rig.seen()
        assert (await rig.call("io__slow", seconds=0)).text == "done"


async def test_a_stop_while_a_server_hangs_at_its_start(tmp_path: Path, monkeypatch: Any) -> None:
    """N9: nobody waits for it, and nothing was told to it."""
    async with a_rig(tmp_path, {"hangs": awkward("hangs")}, monkeypatch) as rig:
        for _ in range(2):
            accepted = await rig.begin("hangs__act")
            (result,) = await rig.bench.stop(message_id=accepted.message.id)
            assert result.receipt is not None
            assert result.receipt.server is None
            assert (await rig.bench.end(accepted)).state == "interrupted"
        found, _ = await rig.servers.listing(OWNER)
        assert found[0].state in {"not_started", "starting"}
        assert rig.seen() == []
        # Nor does what ends all of this.
        monkeypatch.setattr(session, "END_S", 600.0)
        async with asyncio.timeout(PATIENCE):
            await rig.servers.close()


async def test_what_is_stopped_before_it_is_sent_never_begins(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N9: allowed and stopped in the same moment, at each step of the way to the server."""
    async with a_rig(tmp_path, {"deaf": awkward("deaf")}, monkeypatch) as rig:
        await rig.ready("deaf")
        for turns in range(40):
            before = len(rig.seen())
            accepted = await rig.begin("deaf__act")
            for _ in range(turns):
                await asyncio.sleep(0)
            (result,) = await rig.bench.stop(message_id=accepted.message.id)
            await rig.bench.end(accepted)
            assert result.receipt is not None
            if result.receipt.server is None:
                # Whatever was said to the server later, it hears this behind it.
                assert rig.seen()[before:] == []
                continue
            await until(lambda before=before: "cancelled" in rig.seen()[before:])
            assert rig.seen()[before:] == ["called", "cancelled"]
            if turns > 30:
                break
