"""A server that ends, or is killed, while MCP servers of two people run: none is left."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import psutil
import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests.browser.lab import Lab
from tests.mcp_servers.rig import awkward, left_behind, until

ROOT = Path(__file__).parents[2]
PEOPLE = ("ana", "ben")


async def _ask(lab: Lab, person: str, method: str, path: str) -> str:
    request = HTTPRequest(
        f"http://127.0.0.1:{lab.port}/api/stop-chat/mcp/servers{path}",
        method,
        {"Authorization": f"token {lab.token}", "X-User": person},
        "{}" if method == "POST" else None,
    )
    return (await AsyncHTTPClient().fetch(request)).body.decode()


@pytest.mark.stress
@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["shutdown", "kill -9"])
async def test_nothing_of_two_people_is_left_where_a_server_ends(
    tmp_path: Path, how: signal.Signals
) -> None:
    """L12: within 5 s, also of servers that ignore all signals but one, and what they started."""
    seen = tmp_path / "seen"
    seen.write_text("")
    entry = {**awkward("stubborn"), "env": {"SEEN": str(seen)}}
    people = "tests.server.people.people.Named"
    config = {
        "StopChatApp": {"mcp_servers": {"one": entry}},
        "ServerApp": {"identity_provider_class": people, "disable_check_xsrf": True},
    }
    lab = Lab(tmp_path, config, "jupyter_server", packages=ROOT)
    lab.start()
    assert lab.process is not None
    try:
        for person in PEOPLE:
            await _ask(lab, person, "POST", "/one/retry")
            while True:
                (server,) = json.loads(await _ask(lab, person, "GET", ""))["servers"]
                if server["state"] == "ready":
                    break
                assert server["state"] == "starting", server
        below = psutil.Process(lab.process.pid).children(recursive=True)
        assert len(left_behind(lab.process.pid)) == 2 * len(PEOPLE)
        children = [int(line.split()[1]) for line in seen.read_text().splitlines()]
        assert {each.pid for each in below} >= set(children)
        assert len(children) == len(PEOPLE)
        lab.process.send_signal(how)
        await until(lambda: lab.process.poll() is not None, patience=60)
        await until(lambda: not any(each.is_running() for each in below), patience=5)
    finally:
        lab.stop()
