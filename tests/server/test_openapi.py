"""The OpenAPI document: as checked in, as served, and as the server keeps to it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.specs.openapi import schemas as _  # noqa: F401 - it is imported late, in a thread

from jupyter_stop_chat.server.routes import document
from jupyter_stop_chat.testing import ScriptedHandler
from jupyter_stop_chat.wire.client_frames import Send
from tests.examples import examples

ROOT = Path(__file__).resolve().parents[2]
#: Requests that are tried of each operation; there are more of one whose path names an id.
EXAMPLES = examples(4, 200)
CHECKED_IN = ROOT / "docs" / "openapi.json"


@pytest.fixture(autouse=True)
def _nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the routes installs the local model."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


def test_the_checked_in_document_is_the_codes() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate_openapi.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


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


OPERATIONS = [
    f"{method.upper()} {path}"
    for path, methods in document()["paths"].items()
    for method in methods
]


@pytest.mark.parametrize("name", OPERATIONS)
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
    address = f"http://127.0.0.1:{jp_http_port}{jp_base_url}api/stop-chat"

    def described() -> Any:
        schema = schemathesis.openapi.from_dict(document(jp_base_url))
        (operation,) = [
            each.ok()
            for each in schema.get_all_operations()
            if f"{each.ok().method.upper()} {each.ok().path}" == name
        ]
        return operation.as_strategy()

    cases = await asyncio.to_thread(described)
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
        statuses.add(case.call_and_validate(base_url=address, headers=jp_auth_header).status_code)
        known = {"chat_id": chat_id, "message_id": message_id, "name": "openai_compatible"}
        for part in set(case.path_parameters or {}) & set(known):
            case.path_parameters[part] = known[part]
            answered = case.call_and_validate(base_url=address, headers=jp_auth_header)
            statuses.add(answered.status_code)

    await asyncio.to_thread(check)
    assert any(status < 300 for status in statuses), statuses


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
