"""The routes of MCP servers, and a reply that uses one of theirs, from a model's wire on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir

from tests.aids.agent_page import Person, uses
from tests.mcp_servers.rig import awkward, left_behind
from tests.providers import OpenAIProvider, Script
from tests.tools.notebooks import Page

KEY = "sk-canary-of-a-server-1234567890"


async def _write(servers: dict[str, Any]) -> None:
    path = Path(jupyter_data_dir()) / "stop-chat" / "mcp.json"
    await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(path.write_text, json.dumps({"mcpServers": servers}))


async def _put(jp_fetch: Any, *path: str, body: Any) -> int:
    sent = await jp_fetch(
        "api", "stop-chat", *path, method="PUT", body=json.dumps(body), raise_error=False
    )
    return int(sent.code)


async def test_a_server_of_a_persons_file_is_used_and_shown(
    app: Any,
    provider: OpenAIProvider,
    connect: Any,
    call: Any,
    jp_fetch: Any,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    """N7, N8, L5: asked for, told, switched off, and its key is nowhere."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    monkeypatch.setenv("MINE", KEY)
    await _write({"my files": awkward("changes", EDITION="first", TOKEN="${env:MINE}")})
    status, told = await call("GET", "mcp", "servers")
    assert (status, told["may_own"]) == (200, True)
    server = {"name": "my files", "kind": "stdio", "source": "own", "state": "not_started"}
    assert told["servers"] == [{**server, "tools": [], "left_out": 0}]
    # At the first need of it.
    person = Person(await connect(), Page())
    await person.here()
    provider.scripts.append(Script(tokens=["Hello."]))
    await person.end(await person.send())
    while True:
        _, told = await call("GET", "mcp", "servers")
        if told["servers"][0]["state"] == "ready":
            break
        await asyncio.sleep(0.05)
    (tool,) = told["servers"][0]["tools"]
    assert (tool["name"], tool["own_name"], tool["description"]) == (
        "my_files__act",
        "act",
        "Act, first.",
    )
    assert (tool["on"], tool["allowed"]) == (True, False)
    person.answer = "always"
    provider.scripts += [uses("my_files__act", n=1), Script(tokens=["Done."])]
    ended = await person.end(await person.send())
    assert [each["state"] for each in ended["tools"]] == ["completed"], ended
    assert [each["touches"] for each in ended["tools"]] == ["runs"]
    _, told = await call("GET", "mcp", "servers")
    assert told["servers"][0]["tools"][0]["allowed"]
    # It is listed by its name, and asked again by it, whatever edition it was.
    _, allowed = await call("GET", "allowed-tools")
    assert allowed["tools"] == [{"tool": "my_files__act"}]
    await jp_fetch(
        "api", "stop-chat", "allowed-tools", method="DELETE", params={"tool": "my_files__act"}
    )
    _, told = await call("GET", "mcp", "servers")
    assert not told["servers"][0]["tools"][0]["allowed"]
    where = ("mcp", "servers", "my files", "tools", "my_files__act")
    assert await _put(jp_fetch, *where, body={"on": False}) == 204
    _, told = await call("GET", "mcp", "servers")
    assert not told["servers"][0]["tools"][0]["on"]
    assert await _put(jp_fetch, *where[:-1], "other", body={"on": False}) == 404
    assert await _put(jp_fetch, *where, body={"on": 3}) == 400
    for path in (("mcp", "servers", "x", "log"), ("mcp", "servers", "x", "retry")):
        status, refused = await call("POST" if path[-1] == "retry" else "GET", *path)
        assert (status, refused["code"]) == (404, "unknown_mcp")
    status, log = await call("GET", "mcp", "servers", "my files", "log")
    assert (status, KEY in json.dumps([log, told])) == (200, False)
    # A file that is none is told, and what was there ends.
    path = Path(jupyter_data_dir()) / "stop-chat" / "mcp.json"
    await asyncio.to_thread(path.write_text, "{")
    _, told = await call("GET", "mcp", "servers")
    assert told["servers"] == []
    assert told["failure"] == 'It is no JSON of the form {"mcpServers": {…}}.'
    await app.stop_extension()
    assert left_behind() == []


async def _put_told(jp_fetch: Any, *path: str, body: Any) -> tuple[int, str | None]:
    """Put something; return the status, and the code of an error."""
    sent = await jp_fetch(
        "api", "stop-chat", *path, method="PUT", body=json.dumps(body), raise_error=False
    )
    return int(sent.code), json.loads(sent.body)["code"] if sent.body else None


async def _start(jp_fetch: Any, name: str) -> None:
    await jp_fetch("api", "stop-chat", "mcp", "servers", name, "retry", method="POST", body="{}")


async def _ready(call: Any, name: str) -> dict[str, Any]:
    """Return a server of the list once it is ready, with what it said last."""
    while True:
        _, told = await call("GET", "mcp", "servers")
        found: dict[str, Any] = {each["name"]: each for each in told["servers"]}[name]
        if found["state"] == "ready" and found["tools"]:
            return found
        await asyncio.sleep(0.05)


async def test_a_tool_is_allowed_in_the_list_as_it_was_seen(
    app: Any,
    provider: OpenAIProvider,
    connect: Any,
    call: Any,
    jp_fetch: Any,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    """N8: by its digest, for all chats and the question that is open; changed, it is refused."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    await _write({"my": awkward("changes", EDITION="first")})
    _, told = await call("GET", "mcp", "servers")
    assert not told["locked"]
    await _start(jp_fetch, "my")
    (tool,) = (await _ready(call, "my"))["tools"]
    where = ("mcp", "servers", "my", "tools", "my__act", "allowed")
    # Neither of another tool, nor of nothing, nor of what it is not.
    other = (*where[:4], "my__other", where[5])
    assert await _put_told(jp_fetch, *other, body={"digest": "x"}) == (404, "unknown_mcp")
    elsewhere = (*where[:2], "their", *where[3:])
    assert await _put_told(jp_fetch, *elsewhere, body={"digest": "x"}) == (404, "unknown_mcp")
    for body in ({}, {"digest": 3}, {"digest": ""}, {"digest": tool["digest"], "on": True}):
        assert await _put_told(jp_fetch, *where, body=body) == (400, "invalid_field")
    assert await _put_told(jp_fetch, *where, body={"digest": "0" * 32}) == (409, "tool_changed")
    assert (await call("GET", "allowed-tools"))[1]["tools"] == []
    # A question of it that is open is answered as well.
    person = Person(await connect(), Page())
    await person.here()
    person.answer = None
    provider.scripts += [uses("my__act", n=1), Script(tokens=["Done."])]
    message_id = await person.send()
    await person.until("tool", lambda frame: frame["state"] == "asked")
    assert await _put(jp_fetch, *where, body={"digest": tool["digest"]}) == 204
    ended = await person.end(message_id)
    assert [each["state"] for each in ended["tools"]] == ["completed"]
    # In another chat nobody is asked.
    person.chat_id = None
    provider.scripts += [uses("my__act", n=1), Script(tokens=["Done."])]
    ended = await person.end(await person.send())
    assert [each["state"] for each in ended["tools"]] == ["completed"]
    assert len(person.asked) == 1
    # Its server says something else of it: what was seen before is allowed no more.
    await _write({"my": awkward("changes", EDITION="second")})
    await _start(jp_fetch, "my")
    (changed,) = (await _ready(call, "my"))["tools"]
    assert (changed["allowed"], changed["digest"] != tool["digest"]) == (False, True)
    assert await _put_told(jp_fetch, *where, body={"digest": tool["digest"]}) == (
        409,
        "tool_changed",
    )
    # The administrator's word holds.
    app.agent_approvals = "each"
    _, told = await call("GET", "mcp", "servers")
    assert told["locked"]
    assert await _put_told(jp_fetch, *where, body={"digest": changed["digest"]}) == (
        409,
        "asked_each_time",
    )
    rules = (await call("GET", "allowed-tools"))[1]["tools"]
    assert rules == [{"tool": "my__act"}]


async def test_a_request_has_room_for_ours_first(
    app: Any,
    provider: OpenAIProvider,
    connect: Any,
    call: Any,
    jp_fetch: Any,
    tmp_path: Path,
    monkeypatch: Any,
) -> None:
    """N15: 300 tools of a server make no request fail, and take no place of ours."""
    monkeypatch.setenv("SEEN", str(tmp_path / "seen"))
    person = Person(await connect(), Page())
    await person.here()
    provider.scripts.append(Script(tokens=["Hello."]))
    assert (await person.end(await person.send()))["state"] == "completed"
    ours = [each["function"]["name"] for each in provider.requests[-1].body["tools"]]
    await _write({"crowd": awkward("crowd", COUNT="300")})
    await _start(jp_fetch, "crowd")
    server = await _ready(call, "crowd")
    provider.scripts.append(Script(tokens=["Hello."]))
    assert (await person.end(await person.send()))["state"] == "completed"
    names = [each["function"]["name"] for each in provider.requests[-1].body["tools"]]
    assert (len(names), names[: len(ours)]) == (128, ours)
    left = [each["own_name"] for each in server["tools"] if each.get("left_out") == "no_room"]
    assert left[0] == f"act{128 - len(ours)}"
    assert len(left) == 300 - (128 - len(ours))


async def test_an_administrator_has_none_at_all(app: Any, call: Any) -> None:
    """N8: neither their own, nor anybody's."""
    await _write({"mine": awkward("changes")})
    app.mcp_servers = {"theirs": awkward("changes")}
    _, told = await call("GET", "mcp", "servers")
    assert {each["name"]: each["source"] for each in told["servers"]} == {
        "theirs": "settings",
        "mine": "own",
    }
    app.allow_own_mcp_servers = False
    _, told = await call("GET", "mcp", "servers")
    assert [each["name"] for each in told["servers"]] == ["theirs"]
    assert not told["may_own"]
    app.mcp = False
    _, told = await call("GET", "mcp", "servers")
    assert (told["servers"], told["may_own"]) == ([], False)
