"""Sessions that nobody uses: ended after a while, and begun anew with the next call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_stop_chat.mcp_servers import ServerInfo, servers
from tests.engine.bench import OWNER
from tests.mcp_servers.rig import Rig, a_rig, awkward, left_behind, talking, until


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def _states(rig: Rig, owner: str = OWNER) -> dict[str, str]:
    found: list[ServerInfo]
    found, _ = await rig.servers.listing(owner)
    return {each.name: each.state for each in found}


async def test_a_session_without_a_call_ends_and_begins_anew_with_one(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N5, N7: its process is gone meanwhile; its tools are offered, and the list says so."""
    clock = Clock()
    named = {"io": talking(), "deaf": awkward("deaf")}
    async with a_rig(tmp_path, named, monkeypatch, idle_s=60, clock=clock) as rig:
        await rig.ready("io", "deaf")
        clock.now += 59
        rig.servers.end_idle()
        assert await _states(rig) == {"io": "ready", "deaf": "ready"}
        # A call counts from its end on, and while it lasts.
        accepted = await rig.begin("deaf__act")
        await until(lambda: "called" in rig.seen())
        assert (await rig.call("io__slow", seconds=0)).text == "done"
        clock.now += 59
        rig.servers.end_idle()
        assert await _states(rig) == {"io": "ready", "deaf": "ready"}
        clock.now += 1
        rig.servers.end_idle()
        assert await _states(rig) == {"io": "idle", "deaf": "ready"}
        await rig.bench.stop(message_id=accepted.message.id)
        await rig.bench.end(accepted)
        clock.now += 60
        rig.servers.end_idle()
        assert await _states(rig) == {"io": "idle", "deaf": "idle"}
        await until(lambda: left_behind() == [])
        assert "It was ended, as it was not used for long." in (
            await rig.servers.log(OWNER, "io") or ()
        )
        # Neither a look nor a prompt starts it; a call does, of the tools that are offered still.
        await rig.servers.prepare(OWNER)
        assert await _states(rig) == {"io": "idle", "deaf": "idle"}
        assert "io__slow" in {each.name for each in rig.servers.tools(OWNER)}
        assert (await rig.call("io__slow", seconds=0)).text == "done"
        assert await _states(rig) == {"io": "ready", "deaf": "idle"}
        assert await rig.servers.retry(OWNER, "deaf")
        await rig.ready("deaf")


async def test_a_session_runs_on_where_no_time_is_set(tmp_path: Path, monkeypatch: Any) -> None:
    """N7: 0 minutes are none."""
    clock = Clock()
    async with a_rig(tmp_path, {"io": talking()}, monkeypatch, idle_s=0, clock=clock) as rig:
        await rig.ready("io")
        clock.now += 10**9
        rig.servers.end_idle()
        assert await _states(rig) == {"io": "ready"}


async def test_it_is_looked_for_again_and_again(tmp_path: Path, monkeypatch: Any) -> None:
    """N5: as long as a session is there, and for each of several people."""
    monkeypatch.setattr(servers, "IDLE_LOOK_S", 0.01)
    clock = Clock()
    named = {"deaf": awkward("deaf")}
    async with a_rig(tmp_path, named, monkeypatch, idle_s=60, clock=clock) as rig:
        for _ in range(2):
            await rig.ready("deaf", owner="user:ana")
            await rig.ready("deaf", owner="user:ben")
            clock.now += 61
            await until(lambda: rig.servers._timer is None)
            for owner in ("user:ana", "user:ben"):
                assert await _states(rig, owner) == {"deaf": "idle"}
                await rig.servers.retry(owner, "deaf")
        await asyncio.sleep(0)
