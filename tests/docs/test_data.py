"""What the pages show as JSON, TOML, YAML and events is what the code takes and tells."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from jupyter_stop_chat.mcp_servers.config import fault_in, servers_in
from jupyter_stop_chat.wire.client_frames import ClientFrame
from jupyter_stop_chat.wire.server_frames import ServerFrame
from tests.docs.pages import ROOT, blocks


def frames(union: Any) -> dict[str, type[BaseModel]]:
    """Return the frames by their types."""
    return {one.model_fields["type"].default: one for one in get_args(get_args(union)[0])}


FRAMES = frames(ClientFrame) | frames(ServerFrame)


def test_json_is_taken() -> None:
    """A file of MCP servers, or a frame of the wire."""
    shown = blocks("json")
    assert shown
    for each in shown:
        said = json.loads(each.text)
        if "mcpServers" in said:
            servers = servers_in(each.text.encode())
            assert servers
            assert [fault_in(entry) for entry in servers.values()] == [None] * len(servers)
        else:
            FRAMES[said["type"]].model_validate(said)


def test_entry_points_are_those_that_are_looked_for() -> None:
    shown = [each for each in blocks("toml") if each.runs_here]
    assert shown
    package = (ROOT / "jupyter_stop_chat").rglob("*.py")
    code = "".join(file.read_text(encoding="utf-8") for file in package)
    for each in shown:
        groups = tomllib.loads(each.text)["project"]["entry-points"]
        for group, points in groups.items():
            assert f'"{group}"' in code, str(each)
            assert all(re.fullmatch(r"[\w.]+:\w+", value) for value in points.values())


def test_what_kubernetes_asks_is_there() -> None:
    from jupyter_stop_chat.server.routes import document

    shown = [each for each in blocks("yaml") if each.runs_here]
    assert shown
    for each in shown:
        yaml.safe_load(each.text)
        asked = re.findall(r"/api/stop-chat(/[\w/-]+)", each.text)
        assert asked
        assert all(path in document()["paths"] for path in asked)


def test_events_are_told_as_they_come() -> None:
    """Each event has the fields of its frame, and no others."""
    from jupyter_stop_chat.server.generations import EVENTS

    shown = blocks("sse")
    assert shown
    for each in shown:
        for event, data in re.findall(r"^event: (\w+)\ndata: (.+)$", each.text, re.MULTILINE):
            said = json.loads(data.replace("{…}", "{}"))
            fields = {name for model in EVENTS[event] for name in model.model_fields}
            assert set(said) <= fields, (str(each), event)
            assert said.get("type") in {None, event, "message"}
