"""Tools over HTTP and on the socket: what asks a person, and what a page does and answers."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from jupyter_stop_chat.engine import Engine
from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.engine.tools.approvals import Allowed
from jupyter_stop_chat.ports.handler import Event, Text, Turn
from jupyter_stop_chat.ports.tools import Change, PageError, Proposal
from jupyter_stop_chat.server.agent.tools import MAX_ANSWER_BYTES
from jupyter_stop_chat.wire.tools import ToolCall
from tests.engine.tools.acting import tool

CHANGE = Change("a.ipynb", "insert", "new", "code", after="y = 1", beside={"new_above": None})
#: As a provider may choose it.
CALL = "call ü:1"


class Working:
    """A chat handler whose replies do some work, and say what came of it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.work: Callable[[Generation], Awaitable[str]] = self.ask

    async def reply(self, turn: Turn) -> AsyncIterator[Event]:
        """Do it."""
        generation = self.engine.generation(turn.message_id)
        assert generation is not None
        yield Text(await self.work(generation))

    async def ask(self, generation: Generation) -> str:
        """Ask whether a cell may be inserted."""
        call = ToolCall(call_id=CALL, name="insert_cell", state="waiting", args="{}")
        proposal = Proposal((CHANGE,))
        show = generation.put_call
        answer = await self.engine.approvals.ask(generation, call, tool(), proposal, show)
        show(call.model_copy(update={"state": "completed"}))
        return "Allowed." if isinstance(answer, Allowed) else f"Refused: {answer.reason}"

    async def read(self, generation: Generation) -> str:
        """Have a page read."""
        try:
            answer = await self.engine.pages.ask(generation, "read", {"path": "a.ipynb"})
        except PageError as error:
            return error.code
        return str(len(answer["text"]))

    async def close(self) -> None:
        """Have nothing to let go of."""


@pytest.fixture
def working(app: Any) -> Callable[[], Awaitable[Working]]:
    """Make `scripted:x` work."""

    async def make() -> Working:
        app.titles = "prompt"
        services = await app.services()
        made = Working(services.engine)
        services.models.register("scripted", lambda name: made)
        return made

    return make


async def _asked(page: Any) -> tuple[str, dict[str, Any]]:
    accepted = await page.ask(model="scripted:x")
    frame = await page.until("tool")
    assert frame["state"] == "asked"
    return accepted["message"]["id"], frame["approval"]


async def test_a_call_is_looked_at_and_allowed_over_http(
    app: Any, working: Any, connect: Any, call: Any, jp_fetch: Any
) -> None:
    """N8: whole, with what it would change; for that alone, and twice counts once."""
    await working()
    page = await connect()
    message_id, approval = await _asked(page)
    status, told = await call("GET", "messages", message_id, "calls")
    assert status == 200
    (whole,) = told["calls"]
    assert (whole["call_id"], whole["state"], whole["args"]) == (CALL, "asked", "{}")
    assert whole["changes"] == []
    assert whole["proposed"] == [
        {
            **{"path": "a.ipynb", "action": "insert", "cell_id": "new", "cell_type": "code"},
            **{"after": "y = 1", "beside": {"new_above": None}},
        }
    ]
    _, chats = await call("GET", "chats")
    assert [each["state"] for each in chats["chats"]] == ["asking"]
    assert app.current_activity() == {}, "what waits for a person keeps no server awake"
    where = ("messages", message_id, "calls", CALL, "approval")
    body = {"digest": "0" * 64, "answer": "once"}
    status, told = await call("POST", *where, body=body)
    assert (status, told["code"]) == (409, "asked_anew")
    status, told = await call("POST", *where, body={**body, "answer": "perhaps"})
    assert (status, told["code"], told["field"]) == (400, "invalid_field", "answer")
    body = json.dumps({"digest": approval["digest"], "answer": "always"})
    answer = await jp_fetch("api", "stop-chat", *where, method="POST", body=body)
    assert answer.code == 204
    ended = await page.end_of(message_id)
    assert [each["state"] for each in ended["tools"]] == ["completed"]
    other = {"digest": approval["digest"], "answer": "refuse"}
    status, told = await call("POST", *where, body=other)
    assert (status, told["code"]) == (409, "answered_already")
    # What was allowed is listed, and can be taken back.
    assert await call("GET", "allowed-tools") == (
        200,
        {"tools": [{"tool": "insert_cell"}], "locked": False},
    )
    for query in ({"tool": "another"}, {"tool": "insert_cell", "chat_id": str(uuid.uuid4())}):
        await jp_fetch("api", "stop-chat", "allowed-tools", method="DELETE", params=query)
    app.agent_approvals = "each"
    _, told = await call("GET", "allowed-tools")
    assert (len(told["tools"]), told["locked"]) == (1, True)
    await jp_fetch("api", "stop-chat", "allowed-tools", method="DELETE")
    assert (await call("GET", "allowed-tools"))[1]["tools"] == []


async def test_a_call_is_refused_on_the_socket(working: Any, connect: Any) -> None:
    """N8: with a reason; another page that answers too is told that it was answered."""
    await working()
    page, other = await connect(), await connect()
    message_id, approval = await _asked(page)
    chat_id = next(each for each in page.frames if each["type"] == "accepted")["chat_id"]
    await other.send({"type": "open", "chat_id": chat_id})
    opened = await other.until("chat", lambda frame: "messages" in frame)
    assert opened["chat"]["state"] == "asking"
    assert opened["messages"][1]["tools"][0]["approval"] == approval, "also after a reload"
    frame = {"type": "approve", "message_id": message_id, "call_id": CALL, **approval}
    del frame["by_rule"]
    await page.send({**frame, "answer": "refuse", "reason": "No."})
    await page.end_of(message_id)
    assert "".join(each["text"] for each in page.frames if each["type"] == "delta") == (
        "Refused: No."
    )
    await other.send({**frame, "answer": "once"})
    error = await other.until("error")
    assert (error["code"], error["of"], error["message_id"]) == (
        "answered_already",
        "approve",
        message_id,
    )


async def test_a_page_does_what_a_tool_asks(
    working: Any, connect: Any, call: Any, jp_fetch: Any
) -> None:
    """N14: on its socket, over HTTP what is too long for that, and in words what is too large."""
    handler = await working()
    handler.work = handler.read
    page, script = await connect(), await connect()
    page_id = str(uuid.uuid4())
    await page.send({"type": "focus", "page": page_id})
    short, long = (
        json.dumps({"text": "x"}),
        json.dumps({"text": "é" * 1_000_000}, ensure_ascii=False),
    )

    async def asked() -> tuple[str, str]:
        accepted = await page.ask(model="scripted:x")
        request = await page.until("tool_request")
        assert (request["operation"], request["args"]) == ("read", {"path": "a.ipynb"})
        assert request["message_id"] == accepted["message"]["id"]
        await page.send({"type": "tool_taken", "call": request["call"]})
        return accepted["message"]["id"], request["call"]

    async def said(message_id: str, of: str) -> str:
        assert (await page.until("tool_cancel"))["call"] == of, "its answer came"
        await page.end_of(message_id)
        deltas = [each for each in page.frames if each.get("message_id") == message_id]
        page.frames.clear()
        return "".join(each["text"] for each in deltas if each["type"] == "delta")

    message_id, of = await asked()
    await script.send({"type": "tool_taken", "call": str(uuid.uuid4())})
    await script.until("tool_cancel")
    await page.send({"type": "tool_answer", "call": of, "result": short})
    assert await said(message_id, of) == "1"
    message_id, of = await asked()
    for body in ("[]", "{", '{"result": 1}'):
        status, told = await call("POST", "tool-answers", of, body=body)
        assert (status, told["code"]) in {(400, "bad_frame"), (400, "invalid_field")}
    body = (await asyncio.to_thread(json.dumps, {"result": long})).encode()
    answer = await jp_fetch("api", "stop-chat", "tool-answers", of, method="POST", body=body)
    assert answer.code == 204
    assert await said(message_id, of) == "1000000"
    # A late one is taken, and changes nothing.
    answer = await jp_fetch("api", "stop-chat", "tool-answers", of, method="POST", body=body)
    assert answer.code == 204
    message_id, of = await asked()
    # In a thread, and as bytes: to make it and to encode it hold a loop on a busy machine.
    body = await asyncio.to_thread(lambda: b"x" * (MAX_ANSWER_BYTES + 1))
    status, told = await call("POST", "tool-answers", of, body=body)
    assert (status, told["code"]) == (413, "answer_too_large")
    assert await said(message_id, of) == "too_large"
    # It reloads in the middle: what it was asked is asked of the next connection.
    message_id, of = await asked()
    page.socket.close()
    page = await connect()
    await page.send({"type": "open", "chat_id": page_id})  # a chat of nobody's
    await page.send({"type": "focus", "page": page_id, "here": False})
    request = await page.until("tool_request")
    await page.send({"type": "tool_answer", "call": request["call"], "error": "not_open"})
    assert (await page.until("tool_cancel"))["call"] == request["call"]
    services = await _until_ended(handler, message_id)
    assert services == "not_open"


async def _until_ended(handler: Working, message_id: str) -> str:
    generation = handler.engine.generation(message_id)
    if generation is not None:
        await asyncio.shield(generation.settled)
    message = await handler.engine.store.get_message(message_id)
    assert message is not None
    return message.text


async def test_where_no_tools_may_be_used(app: Any, working: Any, connect: Any) -> None:
    """N8: the page is told so, and a prompt in that mode is refused in words."""
    await working()
    app.agent_mode = False
    page = await connect()
    (welcome,) = (each for each in page.frames if each["type"] == "welcome")
    assert welcome["modes"] == ["ask"]
    request_id = str(uuid.uuid4())
    fields = {"chat_id": None, "body": "Hi", "model": "scripted:x", "mode": "agent"}
    await page.send({"type": "send", "request_id": request_id, **fields})
    error = await page.until("error")
    assert (error["code"], error["request_id"]) == ("mode_not_allowed", request_id)
    app.agent_mode = True
    other = await connect()
    (welcome,) = (each for each in other.frames if each["type"] == "welcome")
    assert welcome["modes"] == ["ask", "agent"]
