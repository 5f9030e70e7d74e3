"""What is said of servers: by the administrator and by people, variables and all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from jupyter_stop_chat.mcp_servers.config import (
    ConfigError,
    entries_of,
    fingerprint,
    servers_in,
)
from jupyter_stop_chat.mcp_servers.files import Switches, own_file, read_own
from jupyter_stop_chat.ports.mcp import McpRules
from tests.aids.in_turn import in_turn

ENVIRON = {"KEY": "secret-of-mine", "HOST": "example.org"}


def _entry(said: Any, **rules: Any) -> Any:
    found = entries_of(McpRules(**rules), "server", {"one": said}, ENVIRON.get)
    return found["one"]


def test_variables_are_looked_up_and_their_values_masked() -> None:
    """L5: by either form of their names; what they hold is in no print-out."""
    entry = _entry(
        {
            "command": "uvx",
            "args": ["tool", "--key=${KEY}", "--at=${env:HOST}", "${NONE:-x}"],
            "env": {"A": "${env:KEY}"},
            "alwaysAllow": ["delete_all"],
        }
    )
    assert entry.command == ("uvx", "tool", "--key=secret-of-mine", "--at=example.org", "x")
    assert (entry.kind, entry.env, entry.failure) == ("stdio", {"A": "secret-of-mine"}, None)
    assert "secret-of-mine" in entry.secrets
    assert "--key=secret-of-mine" in entry.secrets
    assert "secret" not in repr(entry) + entry.said
    web = _entry({"url": "https://${HOST}/mcp", "headers": {"Authorization": SecretStr("${KEY}")}})
    assert (web.kind, web.url) == ("http", "https://example.org/mcp")
    assert web.headers == {"Authorization": "secret-of-mine"}
    other = _entry({"url": "https://${HOST}/mcp", "headers": {"Authorization": "another"}})
    assert fingerprint(web) != fingerprint(other)


def test_a_key_is_masked_also_without_what_stood_around_it() -> None:
    """L5: a server that says its key says it alone, and not as its entry does."""
    header = {"Authorization": "Bearer ${env:KEY}", "X": "Token written-out-here"}
    for said, keys in (
        ({"url": "https://x/mcp", "headers": header}, {"secret-of-mine", "written-out-here"}),
        ({"url": "https://x/mcp?k=${KEY}"}, {"secret-of-mine"}),
        ({"command": "x", "args": ["--key=${KEY}"]}, {"secret-of-mine"}),
        ({"command": "x", "env": {"A": "b:${env:KEY}"}}, {"secret-of-mine"}),
        ({"command": "x", "args": ["--api-key", "mine-1", "TOKEN=mine-2"]}, {"mine-1", "mine-2"}),
    ):
        assert keys <= set(_entry(said).secrets), said
    said = {"command": "x", "args": ["--folder", "/data", "--at=${env:HOME}"]}
    found = entries_of(McpRules(), "server", {"one": said}, {"HOME": "/home/ana"}.get)
    assert not {"/data", "/home/ana"} & set(found["one"].secrets)


@in_turn(
    ("said", "words"),
    [
        (3, "needs a command or a url"),
        ({}, "needs a command or a url"),
        ({"command": " "}, "needs a command or a url"),
        ({"command": "x", "args": "y"}, "args must be a list"),
        ({"command": "x", "env": {"A": 3}}, "env must be texts"),
        ({"url": "file:///etc"}, "must begin with http"),
        ({"url": "https://x/sse", "type": "sse"}, "of the type sse"),
        ({"command": "${NONE}"}, "not set: NONE"),
        ({"command": "x", "args": ["${input:key}"]}, "no variable of the environment"),
        ({"command": "x", "env": {"A": "b\n"}}, "a line's end"),
    ],
)
async def test_what_is_wrong_with_an_entry_is_said(said: Any, words: str) -> None:
    """N7: in words for people, and the others are there all the same."""
    entry = _entry(said)
    assert entry.failure is not None
    assert words in entry.failure


def test_nobody_takes_the_place_of_the_administrators() -> None:
    """J6: theirs come first, only they where people may have none, and only what is allowed."""
    settings = {"one": {"command": "theirs"}}
    own = {"one": {"command": "mine"}, "two": {"command": "uvx", "args": ["good"]}, "off": {}}
    own["off"] = {"command": "x", "disabled": True}
    # Nor by a name that only looks like theirs, or by one that nobody sees.
    own |= {each: {"command": "mine"} for each in ("one\u200b", "\u202eone ", "\u200b")}
    rules = McpRules(settings)
    found = entries_of(rules, "server", own)
    assert {name: (each.source, each.command[0]) for name, each in found.items()} == {
        "one": ("settings", "theirs"),
        "two": ("own", "uvx"),
    }
    # Where people have names, a command of theirs would run as the server's user.
    assert list(entries_of(rules, "user:ana", own)) == ["one"]
    assert list(entries_of(McpRules(settings, own=False), "server", own)) == ["one"]
    allowed = McpRules(settings, own=True, allowed=("uvx good", "https://example.org/*"))
    own = {
        "good": {"command": "uvx", "args": ["good"]},
        "more": {"command": "uvx", "args": ["good", "--with", "bad"]},
        "env": {"command": "uvx", "args": ["good"], "env": {"UV_INDEX": "https://bad"}},
        "web": {"url": "https://example.org/mcp"},
        "bad": {"url": "https://bad.example.org/mcp"},
    }
    found = entries_of(allowed, "user:ana", own)
    failed = {name for name, each in found.items() if each.failure is not None}
    assert failed == {"more", "env", "bad"}
    assert not any(each.command or each.env for name, each in found.items() if name in failed)


def test_a_file_is_a_persons_own(tmp_path: Path, monkeypatch: Any) -> None:
    """J6: on a hub it is `mcp.json` as well; what is no such file says so."""
    monkeypatch.setenv("JUPYTERHUB_USER", "ana")
    assert own_file(tmp_path, "server", "server").name == "mcp.json"
    assert own_file(tmp_path, "user:ana", "server").name == "mcp.json"
    assert own_file(tmp_path, "user:../ben", "server").name == "mcp-..%2Fben.json"
    path = tmp_path / "mcp.json"
    assert read_own(path) == {}
    path.write_text(json.dumps({"mcpServers": {"a": {"command": "x"}}}))
    assert read_own(path) == {"a": {"command": "x"}}
    assert servers_in(b'{"servers": {"a": {"url": "http://x"}}}') == {"a": {"url": "http://x"}}
    for raw in (b"{", b"[]", b'{"mcpServers": []}', b'"x"'):
        with pytest.raises(ConfigError, match="JSON of the form"):
            servers_in(raw)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no such files")
def test_what_is_no_file_of_servers_is_told(tmp_path: Path) -> None:
    """N7: a pipe would be waited for, and each reply behind it; a long one is not half read."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(ConfigError, match="It is no file"):
            read_own(path)
    long = tmp_path / "long"
    long.write_text(json.dumps({"mcpServers": {}, "more": "x" * 10_000_000}))
    with pytest.raises(ConfigError, match="larger than 4 MB"):
        read_own(long)


def test_switches_are_kept_by_owner(tmp_path: Path) -> None:
    """J6: and what is damaged counts for nothing."""
    path = tmp_path / "off.json"
    switches = Switches(path)
    switches.switch("ana", ("s", "t"), on=False)
    switches.switch("ana", ("s", "u"), on=False)
    switches.switch("ana", ("s", "u"), on=True)
    assert Switches(path).off("ana") == {("s", "t")}
    assert Switches(path).off("ben") == frozenset()
    for damaged in ("{", "[]", '{"version": 1, "off": [3, {"owner": 1}]}', '{"version": 2}'):
        path.write_text(damaged)
        assert Switches(path).off("ana") == frozenset()
