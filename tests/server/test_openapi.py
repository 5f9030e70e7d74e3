"""The OpenAPI document: as checked in, as served, and as the server keeps to it."""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.specs.openapi import schemas as _  # noqa: F401 - it is imported late, in a thread
from schemathesis.specs.openapi.checks import positive_data_acceptance

from jupyter_stop_chat.server.routes import document
from jupyter_stop_chat.testing import ScriptedHandler
from jupyter_stop_chat.wire.client_frames import Send
from tests.aids.in_turn import in_turn
from tests.conftest import PATIENCE
from tests.examples import examples
from tests.mcp_servers.rig import SERVERS
from tests.pictures import drawn

ROOT = Path(__file__).resolve().parents[2]
#: Requests that are tried of each operation; there are more of one whose path names an id.
EXAMPLES = examples(4, 200)
CHECKED_IN = ROOT / "docs" / "building" / "openapi.json"


@pytest.fixture(autouse=True)
def _nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the routes installs the local model."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


#: What a schema says of a type differs from one of pydantic's versions to the next.
of_this_pydantic = pytest.mark.skipif(
    tuple(map(int, pydantic.VERSION.split(".")[:2])) < (2, 14),
    reason="the document was written with a later pydantic",
)


@of_this_pydantic
def test_the_checked_in_document_is_the_codes() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate_openapi.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@of_this_pydantic
def test_drift_is_noticed() -> None:
    """What is compared is the text itself: one changed word of it is another text."""
    made = json.dumps(document(), indent=2) + "\n"
    assert CHECKED_IN.read_text(encoding="utf-8") == made
    assert made.replace("interrupt_all", "interrupt_none") != made


async def test_the_document_is_served_with_this_servers_address(
    jp_fetch: Any, jp_base_url: str
) -> None:
    response = await jp_fetch("api", "stop-chat", "openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    served = json.loads(response.body)
    assert served["servers"] == [{"url": f"{jp_base_url}api/stop-chat"}]
    assert served | {"servers": document()["servers"]} == document()


def test_every_reference_leads_somewhere() -> None:
    made = document()
    for name in _references(made):
        assert name in made["components"]["schemas"], name
    seen: set[str] = set()
    waiting = set(_references(made["paths"]))
    while waiting:
        seen |= waiting
        schemas = made["components"]["schemas"]
        waiting = {r for name in waiting for r in _references(schemas[name])} - seen
    assert set(made["components"]["schemas"]) == seen, "nothing is described that nobody uses"


#: Where files are sent, of which nothing that is drawn is one.
UPLOADS = {"/blobs", "/documents"}
#: Where a call must be going on, of which there is none.
OF_CALLS = {
    f"POST /messages/{{message_id}}/calls/{{call_id}}/{each}" for each in ("approval", "kernel")
}
PNG = drawn(8, 6)
WIKI = SERVERS / "awkward.py"
#: What stands in for what reads documents.
SAYS = 'import sys; sys.stdin.buffer.read(); print(\'{"text": "Words", "left_out": 0}\')'

OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in document()["paths"].items()
    for method in methods
]


@functools.cache
def _cases(base_url: str) -> dict[str, Any]:
    """Return what makes up requests, of each operation."""
    schema = schemathesis.openapi.from_dict(document(base_url))
    found = [each.ok() for each in schema.get_all_operations()]
    return {f"{each.method.upper()} {each.path}": each.as_strategy() for each in found}


@pytest.mark.timeout(600)
@pytest.mark.may_hold_the_loop("Jupyter Server imports what its contents need at their first use")
@in_turn(("name",), [(name,) for name in OPERATIONS])
async def test_the_server_keeps_to_the_document(
    app: Any,
    jp_ws_fetch: Any,
    jp_auth_header: dict[str, str],
    jp_http_port: int,
    jp_base_url: str,
    name: str,
) -> None:
    """L5: whatever is sent, the status and the body are among those that are described."""
    app.titles = "prompt"
    app.default_model = "scripted:x"
    services = await app.services()
    services.models.register("scripted", lambda model: ScriptedHandler(["Hello"]))
    chat_id, message_id = await _a_turn(services.engine)
    digest = await _a_picture(services)
    services.documents._command = (sys.executable, "-c", SAYS)
    (await asyncio.to_thread(Path, app.serverapp.root_dir) / "a.pdf").write_bytes(b"%PDF")
    seen = await _a_server_of_tools(app, services) if "{server}" in name else ""
    address = f"http://127.0.0.1:{jp_http_port}{jp_base_url}api/stop-chat"
    cases = (await asyncio.to_thread(_cases, jp_base_url))[name]
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def check(case: Case) -> None:
        # No schema says what bytes are a picture, or which files there are.
        passed = [positive_data_acceptance] if name.split()[1] in UPLOADS else []
        answered = case.call_and_validate(
            base_url=address, headers=jp_auth_header, excluded_checks=passed
        )
        statuses.add(answered.status_code)
        known = {"chat_id": chat_id, "message_id": message_id, "name": "openai_compatible"}
        known |= {"digest": digest, "server": "wiki", "tool": "wiki__act"}
        if name.split()[1] in UPLOADS:
            if case.method == "POST":
                case.body = PNG
            case.query = {"name": "a.pdf"} if case.method == "POST" else {"path": "a.pdf"}
            answered = case.call_and_validate(base_url=address, headers=jp_auth_header)
            statuses.add(answered.status_code)
        for part in set(case.path_parameters or {}) & set(known):
            case.path_parameters[part] = known[part]
            if name.endswith("/allowed"):
                case.body = {"digest": seen}
            answered = case.call_and_validate(base_url=address, headers=jp_auth_header)
            statuses.add(answered.status_code)

    await asyncio.to_thread(check)
    # Nothing is asked for here that could be allowed.
    assert any(status < 300 for status in statuses) or name in OF_CALLS, statuses


async def _a_picture(services: Any) -> str:
    """Keep a picture that nobody has sent."""
    made = await services.pictures.made(PNG, "anna")
    await services.engine.pictures.keep("server", made.picture, made.data)
    digest: str = made.picture.digest
    return digest


async def _a_server_of_tools(app: Any, services: Any) -> str:
    """Have a server of tools that has told of them, also where one of them was switched off.

    :returns: the digest of the tool that it has.
    """
    app.mcp_servers = {"wiki": {"command": sys.executable, "args": [str(WIKI), "changes"]}}
    await services.mcp.prepare("server")
    async with asyncio.timeout(PATIENCE):
        while (await services.mcp.listing("server"))[0][0].state != "ready":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    tool = await services.mcp.tool("server", "wiki", "wiki__act")
    return str(tool.edition)


async def _a_turn(engine: Any) -> tuple[str, str]:
    """Make a chat with a reply in it."""
    send = Send(
        type="send", request_id=str(uuid.uuid4()), chat_id=None, body="Hi", model="scripted:x"
    )
    accepted = await engine.send("server", send)
    generation = engine.generation(accepted.message.id)
    if generation is not None:
        await asyncio.wait({generation.settled})
    return accepted.chat_id, accepted.message.id


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rsplit("/", 1)[1]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)
