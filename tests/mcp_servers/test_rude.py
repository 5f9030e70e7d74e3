"""Servers that say very much: tools, answers to nobody, and lines with keys in them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.engine.bench import OWNER
from tests.mcp_servers.rig import a_rig, awkward, heard_of, until

TOKEN = "canary-0123456789-abcdefghij-ABCDEFGHIJ"


async def test_of_very_many_tools_the_first_are_offered(tmp_path: Path, monkeypatch: Any) -> None:
    """N15: their list is longer than a message may be; it is cut, and the server is there."""
    async with a_rig(tmp_path, {"many": awkward("many")}, monkeypatch) as rig:
        await rig.ready("many")
        tools = rig.servers.tools(OWNER)
        assert [each.name for each in tools] == [f"many__act{n}" for n in range(128)]
        assert (await rig.call("many__act7", n=1)).text == "lied"


async def test_a_line_that_is_cut_shows_no_half_of_a_key(tmp_path: Path, monkeypatch: Any) -> None:
    """L5: what is behind the cut of a line is no line of its own."""
    monkeypatch.setenv("MINE", TOKEN)
    named = {"spills": awkward("spills", TOKEN="${env:MINE}")}
    async with a_rig(tmp_path, named, monkeypatch) as rig:
        await rig.ready("spills")
        await rig.call("spills__act", n=1)
        lines: tuple[str, ...] = ()
        while "next" not in lines:
            lines = await rig.servers.log(OWNER, "spills") or ()
            await asyncio.sleep(0.02)
        pieces = {TOKEN[at : at + 5] for at in range(len(TOKEN) - 4)}
        assert not any(piece in "\n".join(lines) for piece in pieces), lines


async def test_messages_to_nobody_cost_little(tmp_path: Path, monkeypatch: Any) -> None:
    """N5: answers and questions as fast as a server can; others work, and a Stop does."""
    named = {each: awkward(each) for each in ("chatters", "deaf")}
    async with a_rig(tmp_path, named, monkeypatch) as rig:
        await rig.ready("chatters", "deaf")
        accepted = await rig.begin("chatters__act", n=1)
        await until(lambda: "called" in rig.seen())
        assert (await rig.bench.end(accepted)).state == "completed"
        heard = await heard_of(rig, "chatters")
        assert heard < 1000
        accepted = await rig.begin("deaf__act")
        await until(lambda: rig.seen().count("called") == 2)
        (result,) = await rig.bench.stop(message_id=accepted.message.id)
        assert result.outcome == "interrupted"


async def test_an_answer_of_very_many_parts_does_not_hold_the_loop(
    tmp_path: Path, monkeypatch: Any
) -> None:
    """N5: it is made short before it is read here."""
    async with a_rig(tmp_path, {"heavy": awkward("heavy")}, monkeypatch) as rig:
        await rig.ready("heavy")
        session = rig.servers._owners[OWNER].servers["heavy"].session
        assert session is not None
        assert session.client is not None
        answers: list[Any] = []
        handle = session.client._handle_response

        async def keep(message: Any) -> None:
            answers.append(message.message.root.result)
            await handle(message)

        session.client._handle_response = keep  # type: ignore[method-assign]
        told = await rig.call("heavy__act", n=1)
        assert told.text.startswith('{"a": [[], [], ')
        (result,) = answers
        assert set(result) == {"content", "isError"}
