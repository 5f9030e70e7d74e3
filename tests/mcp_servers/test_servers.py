"""What servers offer and answer: told, cut and cleaned; and that nothing of them is left."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_stop_chat.engine.tools.approvals import digest_of
from jupyter_stop_chat.mcp_servers import McpServers, servers, session
from jupyter_stop_chat.ports.mcp import McpRules
from jupyter_stop_chat.ports.tools import Proposal
from tests.engine.bench import OWNER
from tests.engine.tools.acting import answer
from tests.mcp_servers.http_server import over_http
from tests.mcp_servers.rig import Rig, a_rig, awkward, left_behind, talking, until

#: What no log and no page may hold.
TOKEN = "sk-canary-of-a-server-1234567890"


async def test_what_a_server_answers_is_told_and_cut(tmp_path: Path, monkeypatch: Any) -> None:
    """N5: texts, pictures, links; 20 MB of an answer are cut; asked things are refused."""
    monkeypatch.setenv("MINE", TOKEN)
    async with a_rig(tmp_path, {"io": talking(MY_TOKEN="${env:MINE}")}, monkeypatch) as rig:
        await rig.ready("io")
        flood = (await rig.call("io__flood", characters=20_000_000)).text
        assert len(flood) < 60_000
        assert "more characters were left out" in flood
        assert (await rig.call("io__picture")).pictures[0].mime_type == "image/png"
        told = await rig.call("io__everything")
        assert told.failed
        assert "https://example.org/p" in told.text
        assert "its text" in told.text
        refused = await rig.call("io__ask")
        assert refused.text.split(" / ") == [
            "Sampling not supported",
            "Elicitation not supported",
            "List roots not supported",
        ]
        assert (await rig.call("io__steps")).text == "done"
        shown = [each.progress for each in rig.bench.heard.tools() if each.progress]
        assert shown == ["first  step (1 / 3)"]
        # What it wrote, without the key that it was given.
        await until(lambda: any("what it wrote" in each for each in _lines(rig)))
        log = "\n".join(await rig.servers.log(OWNER, "io") or ())
        assert "the log's own words" in log
        assert "what it wrote to stderr, with [key]" in log
        assert TOKEN not in log
        # One that ends in a call is told, and is there again with the next.
        told = await rig.call("io__die")
        assert told.failed
        assert "ended while it worked" in told.text
        assert [each.state for each in (await rig.servers.listing(OWNER))[0]] == ["gone"]
        assert (await rig.call("io__slow", seconds=0)).text == "done"
        # Also what leaves its server's group and lives on ends with it: `a_rig` looks.
        await rig.call("io__child")
        assert psutil.pid_exists(rig.pids("child")[0])


async def test_what_breaks_off_over_http_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    """N5, N7: an answer that is too long, and a server that ends in a call: nobody waits."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    async with over_http() as web, a_rig(tmp_path, {"web": web}, monkeypatch) as rig:
        await rig.ready("web")
        told = await rig.call("web__flood", characters=20_000_000)
        assert told.failed
        assert "too large to be read" in told.text
        assert (await rig.call("web__slow", seconds=0)).text == "done"
        told = await rig.call("web__die")
        assert told.failed
        assert "ended while it worked" in told.text
        told = await rig.call("web__slow", seconds=0)
        assert "cannot be reached at its address" in told.text


def _lines(rig: Rig) -> list[str]:
    one = rig.servers._owners[OWNER].servers["io"]
    return list(one.log.shown(()))


async def test_what_a_server_says_of_itself_has_no_power(tmp_path: Path, monkeypatch: Any) -> None:
    """N8: names for all providers, no hidden sign, no orders to read at length; asked as any."""
    named = {each: awkward(each) for each in ("orders", "lies", "babbles")}
    async with a_rig(tmp_path, named, monkeypatch) as rig:
        await rig.ready(*named)
        tools = {each.name: each for each in rig.servers.tools(OWNER)}
        first, second = sorted(each for each in tools if each.startswith("orders__"))
        for each in (first, second):
            assert len(each) <= 64
            assert set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
        tool = tools[first]
        # It says that it only reads; nobody takes its word for it.
        assert {each.touches for each in tools.values()} == {"runs"}
        said = json.dumps([tool.description, dict(tool.parameters)], ensure_ascii=False)
        assert not set("\u202e\u200b\U000e0041\x07") & set(said)
        assert len(tool.description) < 2100
        # Nothing to look arguments up in for ever.
        for each in ("$ref", "$defs", "$schema", "pattern", "wrong"):
            assert f'"{each}"' not in said
        assert tool.parameters["properties"]["t"]["type"] == "string"
        result = await rig.call(first, t="a" * 60 + "!")
        assert result.text == "lied"
        # One whose answer is not as it said it would be is told as it is.
        assert (await rig.call("lies__act", n=1)).text == "lied"
        # And what is no message is kept for people, and for nobody else.
        assert (await rig.call("babbles__act", n=1)).text == "lied"
        assert "Welcome!" in (await rig.servers.log(OWNER, "babbles") or ())


async def test_what_is_allowed_holds_for_what_it_was_said_to_be(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N8: a tool whose server tells something else of it is asked for anew."""
    entry = awkward("changes", EDITION="first")
    named = {"changes": entry}
    async with a_rig(tmp_path, named, monkeypatch, approvals=None) as rig:
        await rig.ready("changes")
        bench = rig.bench

        async def asked(how: str | None) -> bool:
            """Call the tool; tell whether a person was asked, who answers so."""
            accepted = await rig.begin("changes__act", n=1)
            generation = bench.engine.generation(accepted.message.id)
            assert generation is not None
            await until(lambda: generation.tools and _state(generation) != "waiting")
            was_asked = _state(generation) == "asked"
            if was_asked:
                (call,) = generation.tools.values()
                await answer(bench, accepted, call, how)
            assert (await bench.end(accepted)).state == "completed"
            return was_asked

        assert await asked("always")
        assert not await asked(None)
        rules = await bench.store.allowed_tools.rules(OWNER)
        assert [each.partition("@")[0] for _, each in rules] == ["changes__act"]
        named["changes"] = {**entry, "env": {**entry["env"], "EDITION": "second"}}
        await rig.ready("changes")
        assert await asked("once")
        before, after = (each.description for each in await _described(rig, entry, named))
        assert (before, after) == ("Act, first.", "Act, second.")
        # And the digest that a person allows is another one as well.
        tool = rig.servers.tools(OWNER)[0]
        other = digest_of(rules[0][1], "{}", Proposal())
        assert digest_of(tool.rule, "{}", Proposal()) != other


def _state(generation: Any) -> str:
    return str(next(iter(generation.tools.values())).state)


async def _described(rig: Rig, *entries: Any) -> list[Any]:
    found = []
    for each in (entries[0], entries[1]["changes"]):
        one = McpServers(Path("/nonexistent"), lambda each=each: McpRules({"changes": each}))
        await one.prepare(OWNER)
        listed, _ = await one.listing(OWNER)
        found += listed[0].tools
        await one.close()
    return found


async def test_two_people_share_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    """J6: each has a process of their own; a stop of one ends nothing of the other's."""
    async with a_rig(tmp_path, {"deaf": awkward("deaf")}, monkeypatch) as rig:
        await rig.ready("deaf", owner="user:ana")
        await rig.ready("deaf", owner="user:ben")
        ana = await rig.begin("deaf__act", owner="user:ana")
        await until(lambda: rig.seen().count("called") == 1)
        ben = await rig.begin("deaf__act", owner="user:ben")
        await until(lambda: rig.seen().count("called") == 2)
        assert len(set(rig.pids("called"))) == 2
        await rig.bench.stop(message_id=ana.message.id, owner="user:ana")
        await rig.bench.end(ana)
        await until(lambda: "cancelled" in rig.seen())
        assert rig.pids("cancelled") == rig.pids("called")[:1]
        going_on = rig.bench.engine.generation(ben.message.id)
        assert going_on is not None
        assert _state(going_on) == "running"
        assert await rig.servers.log("user:cid", "other") is None
        await rig.servers.retry("user:ana", "deaf")
        assert _state(going_on) == "running"
        await rig.bench.stop(message_id=ben.message.id, owner="user:ben")
        await rig.bench.end(ben)


async def test_a_server_that_cannot_be_used_says_why(tmp_path: Path, monkeypatch: Any) -> None:
    """N7: in words for people; the others are there, and a reply waits for none of them long."""
    monkeypatch.setattr(session, "START_S", 1.0)
    named: dict[str, Any] = {
        **{each: awkward(each) for each in ("hangs", "dies", "stubborn")},
        "missing": {"command": "no-such-command-anywhere"},
        "unset": {"command": "x", "env": {"KEY": "${env:NO_SUCH_VARIABLE}"}},
        "nowhere": {"url": "http://127.0.0.1:1/mcp"},
        "old": {"url": "http://127.0.0.1:1/sse", "type": "sse"},
        "empty": {},
    }
    async with a_rig(tmp_path, named, monkeypatch) as rig:
        await rig.servers.prepare(OWNER)
        while True:
            found, _ = await rig.servers.listing(OWNER)
            told = {each.name: each for each in found}
            if not any(each.state in {"not_started", "starting"} for each in found):
                break
            await asyncio.sleep(0.05)
        assert {name: each.failure for name, each in told.items()} == {
            "hangs": "It did not answer within 1 seconds of its start.",
            "dies": "It ended as it was started.",
            "stubborn": None,
            "missing": "Its command is not installed where the server runs.",
            "unset": "It names a variable of the environment that is not set: NO_SUCH_VARIABLE.",
            "nowhere": "It cannot be reached at its address.",
            "old": "It is of the type sse, which is no more; ask for its address of http.",
            "empty": "Its entry needs a command or a url.",
        }
        assert [each.name for each in rig.servers.tools(OWNER)] == ["stubborn__act"]
        # Switched off, it is offered no more; and on again.
        assert await rig.servers.switch(OWNER, "stubborn", "stubborn__act", on=False)
        assert rig.servers.tools(OWNER) == ()
        again = McpServers(tmp_path, lambda: McpRules({"stubborn": named["stubborn"]}))
        assert await asyncio.to_thread(again._switches.off, OWNER) == {("stubborn", "act")}
        assert await rig.servers.switch(OWNER, "stubborn", "stubborn__act", on=True)
        assert len(rig.servers.tools(OWNER)) == 1
        assert not await rig.servers.switch(OWNER, "stubborn", "other", on=False)


async def test_nothing_is_missing_where_the_package_is(tmp_path: Path, monkeypatch: Any) -> None:
    """H9: without the extra each server says what is to be installed."""
    monkeypatch.setattr(servers, "find_spec", lambda name: None)
    async with a_rig(tmp_path, {"io": talking()}, monkeypatch) as rig:
        await rig.servers.prepare(OWNER)
        found, _ = await rig.servers.listing(OWNER)
        assert (found[0].state, found[0].failure) == ("failed", servers.MISSING)
        assert rig.servers.tools(OWNER) == ()


async def test_a_package_that_cannot_be_used_is_told(tmp_path: Path, monkeypatch: Any) -> None:
    """H9: another release of it than ours is for, or a part of it is missing."""

    def broken() -> Any:
        raise ImportError("cannot import name")

    monkeypatch.setattr(servers, "_session", broken)
    async with a_rig(tmp_path, {"io": talking()}, monkeypatch) as rig:
        await rig.servers.prepare(OWNER)
        found, _ = await rig.servers.listing(OWNER)
        assert (found[0].state, found[0].failure) == ("failed", servers.UNFIT)
        assert await rig.servers.retry(OWNER, "io")
        assert rig.servers.tools(OWNER) == ()


async def test_a_tool_that_is_switched_off_acts_no_more(tmp_path: Path, monkeypatch: Any) -> None:
    """N8: also in a reply that began before, and whose question is answered after that."""
    entry = awkward("changes")
    async with a_rig(tmp_path, {"changes": entry}, monkeypatch, approvals=None) as rig:
        await rig.ready("changes")
        accepted = await rig.begin("changes__act", n=1)
        generation = rig.bench.engine.generation(accepted.message.id)
        assert generation is not None
        await until(lambda: generation.tools and _state(generation) == "asked")
        assert await rig.servers.switch(OWNER, "changes", "changes__act", on=False)
        (call,) = generation.tools.values()
        await answer(rig.bench, accepted, call, "once")
        await rig.bench.end(accepted)
        assert rig.handler.told.pop().text == "The person has switched this tool off."
        assert "called" not in rig.seen()


KILLED = """
import asyncio, sys
from pathlib import Path
from jupyter_stop_chat.mcp_servers import McpServers
from jupyter_stop_chat.ports.mcp import McpRules

async def main():
    entry = {"command": sys.executable, "args": sys.argv[2:], "env": {"SEEN": "${env:SEEN}"}}
    servers = McpServers(Path(sys.argv[1]), lambda: McpRules({"one": entry}))
    for owner in ("user:ana", "user:ben"):
        await servers.prepare(owner)
        while not servers.tools(owner):
            await asyncio.sleep(0.02)
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def _killed(folder: Path) -> None:
    """Kill a process whose owners have servers that ignore all but a kill; see that none is left.

    There are two owners, with a server each.
    """
    seen = folder / "seen"
    seen.write_text("")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, str(folder), *awkward("stubborn")["args"]),
        env={**os.environ, "SEEN": str(seen)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip() == b"ready"
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(left_behind(process.pid)) == 4  # the launcher and the server of each
    assert len(below) >= 6  # and what those started
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await until(lambda: not any(each.is_running() for each in below), patience=5)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
async def test_nothing_is_left_where_this_server_is_killed(tmp_path: Path) -> None:
    """L12: of two people, neither servers that ignore all signals, nor what they started."""
    await _killed(tmp_path)


@pytest.mark.stress
async def test_nothing_is_left_where_this_server_is_killed_many_times(tmp_path: Path) -> None:
    """L12."""
    for _ in range(20):
        await _killed(tmp_path)
