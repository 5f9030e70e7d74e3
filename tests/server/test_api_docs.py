"""What `docs/building/api.md` shows works as it is written there."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.testing import Endless, ScriptedHandler

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "building" / "api.md").read_text(
    encoding="utf-8"
)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def server(app: Any, jp_ws_fetch: Any, jp_http_port: int, jp_base_url: str) -> dict[str, str]:
    """Return the environment of somebody who knows the server."""
    app.titles = "prompt"
    app.default_model = "scripted:x"
    return os.environ | {
        "CHAT": f"http://127.0.0.1:{jp_http_port}{jp_base_url}api/stop-chat",
        "TOKEN": app.serverapp.identity_provider.token,
        "PYTHONIOENCODING": "utf-8",
    }


async def _run(environment: dict[str, str], *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    return out.decode()


async def test_the_python_client_streams_a_reply_and_stops_it(app: Any, server: Any) -> None:
    """L1, L2: in thirty lines, without a package."""
    handler = ScriptedHandler([Endless("Once upon a time. ")])
    services = await app.services()
    services.models.register("scripted", lambda name: handler)
    (client,) = _blocks("python")
    assert len(client.strip().splitlines()) <= 30
    told = await _run(server, sys.executable, "-c", client)
    assert told.startswith("Once upon a time. Once")
    assert told.endswith("[interrupted]\n")
    assert handler.replies[0].ended.is_set()
    assert services.engine.registry.empty


def test_every_route_that_the_page_names_is_in_the_document() -> None:
    from jupyter_stop_chat.server.routes import document

    paths = document()["paths"]
    named = re.findall(r"^\| `(GET|POST) ([^`]+)` \|", PAGE, re.MULTILINE)
    assert len(named) >= 6
    for method, path in named:
        assert method.lower() in paths[f"/{path}"], path
