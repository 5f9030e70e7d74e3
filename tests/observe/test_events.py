"""The events that an operator records."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from jupyter_events import EventLogger
from jupyter_server.auth import Authorizer
from jupyter_server.auth.identity import User

from jupyter_stop_chat.engine.changes import TextGrew
from jupyter_stop_chat.observe import events
from jupyter_stop_chat.testing import Gate, Raise


class Everything(Authorizer):
    """What lets everyone do everything, by intent."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        return True


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"jupyter_stop_chat": True},
            "authorizer_class": Everything,
        }
    }


@pytest.fixture
def recorded(app: Any) -> Callable[[], list[dict[str, Any]]]:
    """Record as an operator does: to a handler of Python's logging."""
    stream = StringIO()
    app.serverapp.event_logger.register_handler(logging.StreamHandler(stream))

    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return read


async def test_a_reply_is_recorded_at_its_start_and_its_end(
    scripted: Any, recorded: Any, connect: Any
) -> None:
    page = await connect()
    for steps, action in (
        (("Once upon a time",), "completed"),
        ((Raise(RuntimeError("the canary sings")),), "failed"),
    ):
        await scripted(*steps)
        accepted = await page.ask("A secret", model="scripted:x")
        message = await page.end_of(accepted["message"]["id"])
        began, ended = recorded()[-2:]
        assert began["__schema__"] == ended["__schema__"] == events.GENERATION
        assert (began["action"], ended["action"]) == ("started", action)
        for event in (began, ended):
            assert event["message_id"] == message["id"]
            assert event["chat_id"] == message["chat_id"]
            assert event["owner"] == "server"
            assert event["model"] == "scripted:x"
        assert ended["text_length"] == message["text_length"]
        assert ended.get("error_id") == message.get("error", {}).get("error_id")
    told = json.dumps(recorded())
    assert "generation_failed" in told
    for private in ("secret", "Once", "canary"):
        assert private not in told


async def test_who_stopped_what_when_and_why_is_recorded(
    scripted: Any, recorded: Any, connect: Any
) -> None:
    handler = await scripted(Gate())
    page = await connect()
    accepted = await page.ask(model="scripted:x")
    await handler.next_reply()
    await page.send({"type": "stop", "message_id": accepted["message"]["id"]})
    message = await page.end_of(accepted["message"]["id"])
    event = recorded()[-1]
    assert event["action"] == "interrupted"
    assert event["owner"] == "server"
    assert event["stop_reason"] == "user"
    assert event["stop_requested_at"] == message["stop"]["requested_at"]
    assert event["stop_settled_ms"] == message["stop"]["settled_ms"]
    assert event["provider"] == "closed"


async def test_stopping_everyone_is_audited(
    scripted: Any, recorded: Any, connect: Any, jp_fetch: Any
) -> None:
    await scripted(Gate())
    page = await connect()
    accepted = await page.ask(model="scripted:x")
    body = json.dumps({"everyone": True})
    await jp_fetch("api", "stop-chat", "interrupt", method="POST", body=body)
    event = recorded()[-1]
    assert event["__schema__"] == events.STOPPED_EVERYONE
    assert event["by"] == "server"
    assert event["owners"] == ["server"]
    assert event["messages"] == [accepted["message"]["id"]]


async def test_an_event_that_cannot_be_recorded_harms_no_reply(
    scripted: Any, connect: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**event: Any) -> None:
        raise OSError("no space left on device")

    await scripted("Hello")
    monkeypatch.setattr(app.serverapp.event_logger, "emit", broken)
    page = await connect()
    accepted = await page.ask(model="scripted:x")
    assert (await page.end_of(accepted["message"]["id"]))["state"] == "completed"


def test_the_schemas_say_what_is_personal_and_take_nothing_else() -> None:
    logger = EventLogger()
    events.register(logger)
    events.register(logger)  # a second server in one process
    for schema_id, name in events.SCHEMAS.items():
        schema = yaml.safe_load((Path(events.__file__).parent / name).read_text())
        assert schema["$id"] == schema_id
        assert schema["personal-data"] is True
        assert schema["additionalProperties"] is False
        for field in schema["properties"].values():
            assert field["description"].endswith(".")


def test_text_is_nothing_to_record() -> None:
    class Deaf:
        def emit(self, **event: Any) -> None:
            raise AssertionError(event)

    events.recorder(Deaf())(TextGrew(None))  # type: ignore[arg-type]
