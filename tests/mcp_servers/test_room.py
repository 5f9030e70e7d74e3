"""What no provider takes of a server's tools: left out, and told."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from tests.chat_handlers.test_exchange import Noting, made_by
from tests.engine.bench import OWNER
from tests.mcp_servers.rig import Rig, a_rig, awkward
from tests.providers import Script
from tests.providers.strict import check_anthropic, check_chat, check_responses, refusal


async def _refusals(rig: Rig) -> list[str | None]:
    """Have each kind of provider asked with the tools; return what it says against them."""
    found = []
    checks = {"openai": check_chat, "responses": check_responses, "anthropic": check_anthropic}
    for kind, check in checks.items():
        gate = Noting(*rig.servers.tools(OWNER))
        _, _, (sent,), error = await made_by(kind, Script(tokens=1), gate=gate)
        assert error is None
        found.append(refusal(check, sent))
    return found


async def test_what_is_too_much_for_a_request_is_left_out_and_told(
    tmp_path: Path, monkeypatch: Any, caplog: Any
) -> None:
    """N15: 300 tools and one; ours come first, and no server keeps another's out."""
    named = {
        "crowd": awkward("crowd", COUNT="300"),
        "few": awkward("crowd", COUNT="2"),
        "many": awkward("many"),
    }
    caplog.set_level(logging.WARNING, "jupyter_stop_chat.mcp_servers")
    ours = [f"ours{n}" for n in range(20)]
    async with a_rig(tmp_path, named, monkeypatch, taken=lambda: ours) as rig:
        await rig.ready(*named)
        names = [each.name for each in rig.servers.tools(OWNER)]
        assert len(names) == 128 - 20
        assert [each for each in names if each.startswith("few")] == ["few__act0", "few__act1"]
        assert names[:2] == ["crowd__act0", "crowd__act1"]
        assert names.count("crowd__act52") == names.count("many__act52") == 1
        assert await _refusals(rig) == [None] * 3
        found, _ = await rig.servers.listing(OWNER)
        crowd, few, many = found
        left = [each.own_name for each in crowd.tools if each.left_out == "no_room"]
        assert left == [f"act{n}" for n in range(53, 300)]
        assert not any(each.left_out for each in few.tools)
        assert [each.unread for each in found] == [0, 0, 4000 - len(many.tools)]
        assert len(many.tools) == 512
        # Who switches one off has another in.
        assert await rig.servers.switch(OWNER, "crowd", "crowd__act0", on=False)
        names = [each.name for each in rig.servers.tools(OWNER)]
        assert len(names) == 108
        assert "crowd__act53" in names
        # It is in the log once, however often it is looked at.
        for _ in range(3):
            await rig.servers.prepare(OWNER)
        said = [each.getMessage() for each in caplog.records if "left out" in each.getMessage()]
        assert sorted(each.split("'")[1] for each in said) == ["crowd", "many"]


async def test_arguments_that_not_every_provider_takes_are_left_out_and_told(
    tmp_path: Path, monkeypatch: Any, caplog: Any
) -> None:
    """N15: a request with such a name would fail; who needs it is no tool for a model."""
    caplog.set_level(logging.WARNING, "jupyter_stop_chat.mcp_servers")
    async with a_rig(tmp_path, {"odd": awkward("umlauts")}, monkeypatch) as rig:
        await rig.ready("odd")
        assert [each.name for each in rig.servers.tools(OWNER)] == ["odd__act"]
        assert await _refusals(rig) == [None] * 3
        (server,), _ = await rig.servers.listing(OWNER)
        told = [(each.own_name, each.left_out, each.unfit) for each in server.tools]
        assert told == [("act", None, ("größe",)), ("needs", "arguments", ("größe",))]
        said = [each.getMessage() for each in caplog.records]
        assert [each for each in said if "arguments" in each] == [
            "of the MCP server 'odd' 2 arguments of tools are left out"
        ]


@pytest.mark.parametrize("check", [check_chat, check_responses])
def test_what_is_strict_refuses_more_tools_than_are_taken(check: Any) -> None:
    """N15: as OpenAI does."""
    named = [{"name": f"t{n}", "parameters": {"type": "object"}} for n in range(129)]
    tools = [{"type": "function", "function": each, **each} for each in named]
    body = {"tools": tools, "messages": [{"role": "user", "content": "Hi"}], "input": "Hi"}
    assert refusal(check, body) == "tools: array too long"
    assert refusal(check, {**body, "tools": tools[:128]}) is None


@pytest.mark.parametrize("name", ["größe", "a b", "", "x" * 65])
def test_what_is_strict_refuses_names_of_arguments(name: str) -> None:
    """N15: at each depth."""
    inner = {"type": "array", "items": {"type": "object", "properties": {name: {}}}}
    schema = {"type": "object", "properties": {"a": inner}}
    said = [{"role": "user", "content": "Hi"}]
    body = {"tools": [{"name": "t", "input_schema": schema}], "messages": said}
    assert "the key of a property" in (refusal(check_anthropic, body) or "")
