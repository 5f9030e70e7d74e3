"""The HTTP routes that make replies and stop them, from the outside."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from jupyter_stop_chat.magics.received import Received
from jupyter_stop_chat.ports.handler import Reasoning, ToolEnded, ToolStarted, WasThought
from jupyter_stop_chat.server import generations as generate
from jupyter_stop_chat.testing import Endless, Gate, Raise, ScriptedHandler
from tests.http_streams import PATIENCE, EventReader


@pytest.fixture
def scripted(app: Any) -> Callable[..., Awaitable[ScriptedHandler]]:
    """Make `scripted:x` follow a script."""

    async def follow(*steps: Any) -> ScriptedHandler:
        app.titles = "prompt"  # else the model is asked for a title as well
        handler = ScriptedHandler(list(steps))
        (await app.services()).models.register("scripted", lambda name: handler)
        return handler

    return follow


@pytest.fixture
def stream(
    jp_ws_fetch: Any, jp_auth_header: dict[str, str], jp_http_port: int, jp_base_url: str
) -> Iterator[Callable[..., Awaitable[EventReader]]]:
    """Ask for a reply over a connection of one's own."""
    opened: list[EventReader] = []

    async def ask(**fields: Any) -> EventReader:
        body = {"body": "Tell me a story", "model": "scripted:x"} | fields
        path = f"{jp_base_url}api/stop-chat/generate"
        made = await EventReader.post(jp_http_port, path, jp_auth_header, body)
        opened.append(made)
        return made

    yield ask
    for each in opened:
        each.close()


@pytest.fixture
def call(jp_fetch: Any) -> Callable[..., Awaitable[tuple[int, Any]]]:
    """Call a route; return its status and what was answered, whatever it is."""

    async def do(method: str, *path: str, body: Any = None) -> tuple[int, Any]:
        fields: dict[str, Any] = {"method": method}
        if method == "POST":
            fields["body"] = body if isinstance(body, str) else json.dumps(body or {})
        response = await jp_fetch("api", "stop-chat", *path, raise_error=False, **fields)
        return response.code, json.loads(response.body)

    return do


async def _start(reader: EventReader) -> tuple[Any, dict[str, Any]]:
    """Read the first event; return what yields the others, and its content."""
    events = reader.events()
    name, start = await anext(events)
    assert name == "start"
    return events, start


# --- the stream ------------------------------------------------------------------------------


async def test_a_reply_is_streamed_from_its_start_to_its_end(scripted: Any, stream: Any) -> None:
    """L2, L3: the first event carries the ids, the last one the end; nothing follows."""
    await scripted(
        Reasoning("Hm."),
        "Once ",
        ToolStarted("c", "look", "{}"),
        ToolEnded("c", "seen"),
        "upon 🗼",
    )
    reader = await stream()
    assert reader.status == 200
    assert reader.headers["content-type"].startswith("text/event-stream")
    assert reader.headers["x-accel-buffering"] == "no"
    assert "no-transform" in reader.headers["cache-control"]
    events = [event async for event in reader.events()]
    names = [name for name, _ in events]
    assert names[0] == "start"
    assert names[-1] == "completed"
    assert set(names[1:-1]) == {"delta", "tool"}
    start = events[0][1]
    for each in ("message_id", "chat_id", "request_id", "user_message_id"):
        assert uuid.UUID(start[each])
    text, thought = _told(events)
    assert (text, thought) == ("Once upon 🗼", "Hm.")
    last = events[-1][1]["message"]
    assert last["id"] == start["message_id"]
    assert last["text_length"] == len("Once upon 🗼") + 1
    tools = [content for name, content in events if name == "tool"]
    assert tools[-1]["state"] == "completed"


async def test_text_that_was_a_thought_is_told_of(scripted: Any, stream: Any) -> None:
    """T7, L2: the text is cut where the thought began, which comes as reasoning."""
    await scripted("I look. ", "Hm 😀. ", WasThought(7), "Yes")
    events = [event async for event in (await stream()).events()]
    received, thought = Received(), ""
    for name, content in events:
        received.take(name, content)
        if name == "delta" and content["part"] == "reasoning":
            assert content["offset"] == len(thought)
            thought += content["text"]
    assert (received.text, thought, received.state) == ("I look. Yes", "Hm 😀. ", "completed")
    assert events[-1][1]["message"]["text_length"] == len("I look. Yes")


async def test_an_interrupt_ends_the_stream_and_the_model(
    scripted: Any, stream: Any, call: Any, app: Any
) -> None:
    """L1, L3, S5, V10: the model's code is left, and an `interrupted` event is the last one."""
    handler = await scripted("Once upon", Endless("."))
    events, start = await _start(await stream())
    name, _ = await anext(events)
    assert name == "delta"
    status, result = await call(
        "POST", "generations", start["message_id"], "interrupt", body={"shown": 4}
    )
    assert status == 200
    assert result["outcome"] == "interrupted"
    assert result["receipt"]["provider"] == "closed"
    assert result["receipt"]["reason"] == "user"
    reply = await handler.next_reply()
    assert reply.ended.is_set(), "answered once it is true"
    rest = [event async for event in events]
    assert [name for name, _ in rest if name != "delta"] == ["interrupted"]
    message = rest[-1][1]["message"]
    assert message["text_length"] == 4, "what was shown is kept, and no more"
    assert message["stop"]["reason"] == "user"
    assert (await app.services()).engine.registry.empty


async def test_a_model_that_fails_ends_the_stream_with_a_code(scripted: Any, stream: Any) -> None:
    """L5: one response, a code and a sentence, and not a word of the exception."""
    await scripted("Once", Raise(RuntimeError("the canary sings")))
    events = [event async for event in (await stream()).events()]
    assert events[-1][0] == "failed"
    error = events[-1][1]["message"]["error"]
    assert error["code"] == "generation_failed"
    assert error["error_id"]
    assert "canary" not in json.dumps(events)


async def test_closing_the_stream_stops_nothing(
    scripted: Any, stream: Any, call: Any, app: Any
) -> None:
    """B5: the reply lives on, and can be read and followed again."""
    gate = Gate()
    handler = await scripted("Once ", gate, "upon")
    services = await app.services()
    request_id = str(uuid.uuid4())
    reader = await stream(request_id=request_id)
    events, start = await _start(reader)
    await anext(events)
    listeners = services.engine.bus.listeners
    reader.close()
    await _until(lambda: services.engine.bus.listeners == listeners - 1)
    status, message = await call("GET", "generations", start["message_id"])
    assert (status, message["state"]) == (200, "generating")
    assert message["text"] == "Once "
    again, same = await _start(await stream(request_id=request_id))
    assert same["message_id"] == start["message_id"]
    gate.open()
    rest = [event async for event in again]
    assert _told(rest)[0] == "Once upon", "from its beginning"
    assert rest[-1][0] == "completed"
    assert len(handler.replies) == 1
    late = [event async for event in (await stream(request_id=request_id)).events()]
    assert _told(late)[0] == "Once upon", "also once it has ended"
    assert late[-1][0] == "completed"
    status, message = await call("GET", "generations", start["message_id"])
    assert message["state"] == "completed"


async def test_a_slow_reader_holds_nobody_back(
    scripted: Any, stream: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule 11: who does not read costs no memory, and is let go; the reply goes on to its end."""
    monkeypatch.setattr(generate, "STALLED_AFTER", 0.2)
    app.max_reply_length = 20_000_000
    part = "x" * 16_000
    await scripted(*[part] * 700)
    services = await app.services()
    reader = await stream()
    _, start = await _start(reader)
    generation = services.engine.generation(start["message_id"])
    message = await asyncio.wait_for(asyncio.shield(generation.settled), PATIENCE)
    assert message.text_length == 700 * len(part)
    await _until(lambda: services.engine.bus.listeners == 0)
    with pytest.raises(asyncio.IncompleteReadError):
        _ = [event async for event in reader.events()]


async def test_a_stream_without_news_is_kept_alive(
    scripted: Any, stream: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "KEEP_ALIVE", 0.01)
    gate = Gate()
    await scripted(gate, "Well.")
    reader = await stream()
    events, _ = await _start(reader)
    following = asyncio.ensure_future(anext(events))
    await _until(lambda: reader.comments >= 2)
    gate.open()
    assert (await following)[1]["text"] == "Well."


async def test_a_chat_that_is_deleted_ends_the_stream(
    scripted: Any, stream: Any, app: Any
) -> None:
    await scripted("Once", Gate())
    events, start = await _start(await stream())
    await anext(events)
    services = await app.services()
    await services.engine.delete_chat("server", start["chat_id"])
    rest = [event async for event in events]
    assert [name for name, _ in rest] == ["interrupted"]
    assert rest[0][1]["message"]["stop"]["reason"] == "deleted"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("", 400, "invalid_field"),
        ("nonsense", 400, "bad_frame"),
        ("[]", 400, "bad_frame"),
        ('{"body": NaN}', 400, "bad_frame"),
        ("[" * 100_000, 400, "bad_frame"),
        ('{"body": 1}', 400, "invalid_field"),
        ('{"body": "Hi", "role": "system"}', 400, "invalid_field"),
        ('{"body": "Hi", "chat_id": "../../etc"}', 400, "invalid_field"),
        ('{"body": " \\n "}', 400, "blank_prompt"),
        ('{"body": "Hi", "chat_id": "00000000-0000-4000-8000-000000000001"}', 404, "unknown_chat"),
        (json.dumps({"body": "x" * 60_000}), 413, "prompt_too_long"),
        (json.dumps({"body": "x" * 2_000_000}), 413, "prompt_too_long"),
    ],
)
async def test_a_bad_prompt_is_refused_before_the_stream_begins(
    scripted: Any, call: Any, body: str, status: int, code: str
) -> None:
    await scripted("Hello")
    answered, told = await call("POST", "generate", body=body)
    assert (answered, told["code"]) == (status, code)
    assert set(told) <= {"code", "message", "error_id"}


async def test_a_fault_of_ours_is_told_by_an_id_that_the_log_knows(
    scripted: Any, call: Any, app: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """L5: no traceback, no word of the exception; one line in the log without the token."""
    await scripted("Hello")
    engine = (await app.services()).engine

    def broken(owner: str) -> list[Any]:
        raise RuntimeError("/home/someone/secret.py")

    monkeypatch.setattr(engine, "running", broken)
    status, told = await call("GET", "generations")
    monkeypatch.undo()
    assert status == 500
    assert told["code"] == "internal"
    assert set(told) == {"code", "message", "error_id"}
    lines = [r.getMessage() for r in caplog.records if told["error_id"] in r.getMessage()]
    assert len(lines) == 1
    assert "secret" not in json.dumps(told)


async def test_what_does_not_exist_is_told_in_json(call: Any) -> None:
    status, told = await call("GET", "generate")
    assert (status, told["code"]) == (405, "no_such_route")


# --- the stop --------------------------------------------------------------------------------


async def test_each_outcome_of_an_interrupt(scripted: Any, stream: Any, call: Any) -> None:
    """L4: stopped, stopped twice, already ended, failed and unknown each say so."""

    async def interrupt(message_id: str) -> tuple[int, Any]:
        answer: tuple[int, Any] = await call("POST", "generations", message_id, "interrupt")
        return answer

    async def ended() -> str:
        events = [event async for event in (await stream()).events()]
        message_id: str = events[0][1]["message_id"]
        return message_id

    await scripted("Done.")
    status, told = await interrupt(await ended())
    assert (status, told["outcome"]) == (200, "already_completed")
    assert "receipt" not in told
    await scripted(Raise(RuntimeError()))
    status, told = await interrupt(await ended())
    assert (status, told["outcome"]) == (200, "already_failed")
    await scripted(Gate())
    _, start = await _start(await stream())
    both = await asyncio.gather(*(interrupt(start["message_id"]) for _ in range(5)))
    assert {(status, told["outcome"]) for status, told in both} == {(200, "interrupted")}
    assert len({json.dumps(told["receipt"]) for _, told in both}) == 1, "V7: one stop"
    status, told = await interrupt(start["message_id"])
    assert (status, told["outcome"]) == (200, "already_interrupted")
    assert told["receipt"]["settled_ms"] is not None
    status, told = await interrupt(str(uuid.uuid4()))
    assert (status, told["code"]) == (404, "unknown_message")
    status, told = await interrupt(start["user_message_id"])
    assert (status, told["outcome"]) == (200, "already_completed"), "a prompt is not made"


async def test_all_of_yours_stop_at_once(scripted: Any, stream: Any, call: Any, app: Any) -> None:
    await scripted(Gate())
    starts = [(await _start(await stream()))[1] for _ in range(3)]
    status, told = await call("GET", "generations")
    assert status == 200
    assert {each["message_id"] for each in told["generations"]} == {
        each["message_id"] for each in starts
    }
    assert {each["state"] for each in told["generations"]} == {"generating"}
    status, told = await call("POST", "interrupt")
    assert status == 200
    assert {each["message_id"] for each in told["results"]} == {
        each["message_id"] for each in starts
    }
    assert {each["outcome"] for each in told["results"]} == {"interrupted"}
    assert (await call("GET", "generations"))[1] == {"generations": []}
    assert (await app.services()).engine.registry.empty
    assert await call("POST", "interrupt") == (200, {"results": []})


async def test_a_request_is_stopped_before_it_arrives(
    scripted: Any, stream: Any, call: Any
) -> None:
    """S6: its sender chose the id, and nothing is asked of the model."""
    handler = await scripted("Once upon", Gate())
    request_id = str(uuid.uuid4())
    status, told = await call("POST", "interrupt", body={"request_id": request_id})
    assert (status, told) == (200, {"results": [{"outcome": "remembered"}]})
    events = [event async for event in (await stream(request_id=request_id)).events()]
    assert [name for name, _ in events] == ["start", "interrupted"]
    assert handler.replies == []


async def test_the_narrowest_that_is_named_is_stopped(
    scripted: Any, stream: Any, call: Any
) -> None:
    await scripted(Gate())
    starts = [(await _start(await stream()))[1] for _ in range(3)]
    body = {"chat_id": starts[0]["chat_id"], "everyone": True}
    assert _stopped(await call("POST", "interrupt", body=body)) == [starts[0]["message_id"]]
    body = {"request_id": starts[1]["request_id"], "chat_id": starts[2]["chat_id"]}
    assert _stopped(await call("POST", "interrupt", body=body)) == [starts[1]["message_id"]]
    assert _stopped(await call("POST", "interrupt")) == [starts[2]["message_id"]]


def _stopped(answer: tuple[int, Any]) -> list[str]:
    assert answer[0] == 200
    assert {each["outcome"] for each in answer[1]["results"]} == {"interrupted"}
    return [each["message_id"] for each in answer[1]["results"]]


class AsksAboutEveryone(Authorizer):
    """What lets everyone do everything, and note what is asked."""

    asked: list[tuple[str, str]] = []
    leave = True

    async def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:  # type: ignore[override]
        type(self).asked.append((action, resource))
        await asyncio.sleep(0)
        return self.leave or resource != generate.EVERYONE_RESOURCE


async def test_nobody_stops_everyone_where_everything_is_allowed(
    scripted: Any, stream: Any, call: Any, app: Any
) -> None:
    """J6: Jupyter Server's own authorizer allows all, and that is no leave for this."""
    await scripted(Gate())
    _, start = await _start(await stream())
    status, told = await call("POST", "interrupt", body={"everyone": True})
    assert (status, told["code"]) == (403, "not_allowed")
    assert (await app.services()).engine.generation(start["message_id"]).stop is None


@pytest.mark.parametrize("leave", [True, False])
@pytest.mark.parametrize(
    "jp_server_config",
    [
        {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_stop_chat": True},
                "authorizer_class": AsksAboutEveryone,
            }
        }
    ],
)
async def test_everyone_is_stopped_by_the_authorizers_leave(
    scripted: Any,
    stream: Any,
    call: Any,
    app: Any,
    leave: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: Any,
) -> None:
    await scripted(Gate())
    _, start = await _start(await stream())
    monkeypatch.setattr(AsksAboutEveryone, "leave", leave)
    monkeypatch.setattr(AsksAboutEveryone, "asked", [])
    status, told = await call("POST", "interrupt", body={"everyone": True})
    assert ("execute", generate.EVERYONE_RESOURCE) in AsksAboutEveryone.asked
    generation = (await app.services()).engine.generation(start["message_id"])
    if not leave:
        assert (status, told["code"]) == (403, "not_allowed")
        assert generation.stop is None
        return
    assert status == 200
    assert [each["message_id"] for each in told["results"]] == [start["message_id"]]
    assert generation is None
    assert [r for r in caplog.records if "stopped everyone" in r.getMessage()], "audited"


async def test_models_are_listed(scripted: Any, call: Any) -> None:
    await scripted("Hello")
    status, told = await call("GET", "models")
    assert status == 200
    assert "scripted:default" in {each["id"] for each in told["models"]}
    assert told["default_model"]


def _told(events: list[tuple[str, dict[str, Any]]]) -> tuple[str, str]:
    """Put the text and the reasoning together, and check that every offset fits."""
    parts = {"text": "", "reasoning": ""}
    for name, content in events:
        if name == "delta":
            so_far = parts[content["part"]]
            assert content["offset"] == len(so_far.encode("utf-16-le")) // 2
            parts[content["part"]] += content["text"]
    return parts["text"], parts["reasoning"]


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.005)
