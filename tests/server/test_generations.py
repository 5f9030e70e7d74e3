"""The HTTP routes that make replies and stop them, from the outside."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_stop_chat.magics.received import Received
from jupyter_stop_chat.ports.handler import Reasoning, ToolEnded, ToolStarted, WasThought
from jupyter_stop_chat.server import generations as generate
from jupyter_stop_chat.testing import Endless, Gate, Raise
from tests.aids.http_streams import PATIENCE, begin
from tests.aids.in_turn import in_turn


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
    events, start = await begin(await stream())
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
    events, start = await begin(reader)
    await anext(events)
    listeners = services.engine.bus.listeners
    reader.close()
    await _until(lambda: services.engine.bus.listeners == listeners - 1)
    status, message = await call("GET", "generations", start["message_id"])
    assert (status, message["state"]) == (200, "generating")
    assert message["text"] == "Once "
    again, same = await begin(await stream(request_id=request_id))
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
    _, start = await begin(reader)
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
    events, _ = await begin(reader)
    following = asyncio.ensure_future(anext(events))
    await _until(lambda: reader.comments >= 2)
    gate.open()
    assert (await following)[1]["text"] == "Well."


async def test_a_chat_that_is_deleted_ends_the_stream(
    scripted: Any, stream: Any, app: Any
) -> None:
    await scripted("Once", Gate())
    events, start = await begin(await stream())
    await anext(events)
    services = await app.services()
    await services.engine.delete_chat("server", start["chat_id"])
    rest = [event async for event in events]
    assert [name for name, _ in rest] == ["interrupted"]
    assert rest[0][1]["message"]["stop"]["reason"] == "deleted"


@in_turn(
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
    assert set(told) <= {"code", "message", "error_id", "field"}


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
