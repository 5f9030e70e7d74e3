"""The stop over HTTP: of a reply, a request, a chat, and all of one's own."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from jupyter_stop_chat.testing import Gate, Raise
from tests.aids.http_streams import begin


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
    _, start = await begin(await stream())
    both = await asyncio.gather(*(interrupt(start["message_id"]) for _ in range(5)))
    # Those that arrive when it has ended are told so.
    assert {status for status, _ in both} == {200}
    outcomes = {told["outcome"] for _, told in both}
    assert "interrupted" in outcomes
    assert outcomes <= {"interrupted", "already_interrupted"}
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
    starts = [(await begin(await stream()))[1] for _ in range(3)]
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
    starts = [(await begin(await stream()))[1] for _ in range(3)]
    body = {"chat_id": starts[0]["chat_id"], "everyone": True}
    assert _stopped(await call("POST", "interrupt", body=body)) == [starts[0]["message_id"]]
    body = {"request_id": starts[1]["request_id"], "chat_id": starts[2]["chat_id"]}
    assert _stopped(await call("POST", "interrupt", body=body)) == [starts[1]["message_id"]]
    assert _stopped(await call("POST", "interrupt")) == [starts[2]["message_id"]]


def _stopped(answer: tuple[int, Any]) -> list[str]:
    assert answer[0] == 200
    assert {each["outcome"] for each in answer[1]["results"]} == {"interrupted"}
    return [each["message_id"] for each in answer[1]["results"]]
