"""The socket, from the outside: a page's frames in, the server's frames out."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from jupyter_stop_chat.server.socket import MAX_WRITE_BUFFER
from tests.aids.knocking import Knock, knock, token
from tests.providers import Script

__all__ = ["knock"]


async def test_a_prompt_is_answered_to_its_end(provider: Any, connect: Any) -> None:
    provider.script = Script(tokens=["Once ", "upon ", "a ", "time 🗼."])
    page = await connect()
    accepted = await page.ask("A story")
    message = await page.end_of(accepted["message"]["id"])
    assert message["state"] == "completed"
    assert page.text(message["id"]) == "Once upon a time 🗼."
    assert message["text_length"] == len("Once upon a time 🗼.") + 1
    assert "stop" not in message


async def test_stop_before_the_first_word_and_while_the_provider_stalls(
    provider: Any, connect: Any
) -> None:
    """V8, J2: settled at once, whatever the provider is waiting for."""
    page = await connect()
    for script in (
        Script(stall="before_headers"),
        Script(stall="after_headers"),
        Script(tokens=100, stall_after=3),
    ):
        provider.script = script
        accepted = await page.ask()
        message_id = accepted["message"]["id"]
        request = await provider.next_request(len(provider.requests) + 1)
        if script.stall_after:
            await page.until("delta", lambda frame: "t2" in frame["text"])
        await page.send({"type": "stop", "message_id": message_id})
        message = await page.end_of(message_id)  # the provider would stall for ever
        assert message["state"] == "interrupted"
        await asyncio.wait_for(request.closed.wait(), 10)
        assert request.tokens_sent == (script.stall_after or 0)
    await provider.no_connections()


@pytest.mark.may_hold_the_loop("LangChain puts all chunks together when its stream is closed")
async def test_stop_while_the_reader_of_the_stream_waits(
    provider: Any, connect: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J7: the cancel lands in the consumer's own await, not in the model's stream."""
    services = await app.services()
    gate = asyncio.Event()
    append_then = services.store.append_then

    def held(*args: Any) -> None:
        async def later() -> None:
            await gate.wait()
            append_then(*args)

        holding.append(asyncio.ensure_future(later()))

    holding: list[Any] = []
    monkeypatch.setattr(services.store, "append_then", held)
    provider.script = Script(tokens=["word " * 200] * 10_000)
    page = await connect()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    generation = services.engine.generation(message_id)
    while generation._pending._room.is_set():  # noqa: ASYNC110 - until the model's stream is held back
        await asyncio.sleep(0)
    request = provider.requests[-1]
    await page.send({"type": "stop", "message_id": message_id})
    await asyncio.wait_for(request.closed.wait(), 10)
    gate.set()
    message = await page.end_of(message_id)
    assert message["state"] == "interrupted"
    assert message["text_length"] == 0, "nothing had been shown"
    await provider.no_connections()
    assert services.engine.registry.empty


async def test_no_text_after_the_end(provider: Any, connect: Any) -> None:
    """B4, S5: at most what was shown is kept, and nothing follows the terminal frame."""
    provider.script = Script(tokens=1_000_000)
    page = await connect()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    await page.until("delta", lambda frame: frame["offset"] > 500)
    await page.send({"type": "stop", "message_id": message_id, "shown": 321})
    message = await page.end_of(message_id)
    assert message["text_length"] == 321
    assert len(page.text(message_id)) == 321
    seen = len(page.frames)
    await page.send({"type": "stop", "message_id": message_id})
    await page.until("stop_result", lambda frame: frame["results"][0]["outcome"] != "interrupted")
    assert not [
        frame
        for frame in page.frames[seen:]
        if frame["type"] == "delta" and frame["message_id"] == message_id
    ]
    await page.send({"type": "open", "chat_id": accepted["chat_id"]})
    opened = await page.until("chat", lambda frame: "messages" in frame)
    assert opened["messages"][-1]["text"] == page.text(message_id)


async def test_a_stop_that_comes_before_its_prompt(provider: Any, connect: Any) -> None:
    """S6: remembered, for a chat that the server does not know yet."""
    provider.script = Script(tokens=1_000_000, rate=100)
    page = await connect()
    request_id = str(uuid.uuid4())
    await page.send({"type": "stop", "request_id": request_id})
    result = await page.until("stop_result")
    assert result["results"] == [{"outcome": "remembered"}]
    assert result["request_id"] == request_id
    accepted = await page.ask(request_id=request_id)
    message = await page.end_of(accepted["message"]["id"])
    assert message["state"] == "interrupted"
    assert provider.requests == []


async def test_a_prompt_that_is_sent_twice_counts_once(provider: Any, connect: Any) -> None:
    page, request_id = await connect(), str(uuid.uuid4())
    first = await page.ask(request_id=request_id)
    again = await page.ask(request_id=request_id)
    assert again["message"]["id"] == first["message"]["id"]
    await page.end_of(first["message"]["id"])
    later = await page.ask(request_id=request_id)
    assert later["message"]["id"] == first["message"]["id"]
    assert later["message"]["state"] == "completed"
    assert len(provider.requests) == 1


async def test_a_failure_is_told_by_a_code_and_a_sentence(provider: Any, connect: Any) -> None:
    """L5: once, in plain words, with the id it has in the log."""
    provider.script = Script(trouble="bad_key")
    page = await connect()
    accepted = await page.ask()
    message = await page.end_of(accepted["message"]["id"])
    assert message["state"] == "failed"
    assert message["error"]["code"] == "key_refused"
    assert message["error"]["error_id"]
    assert "canary" not in json.dumps(page.frames)


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_without_a_token_nobody_comes_in(
    connect: Any, jp_http_port: int, jp_base_url: str, token: str
) -> None:
    await connect()  # the right token does
    url = f"ws://127.0.0.1:{jp_http_port}{jp_base_url}api/stop-chat/ws"
    headers = {"Authorization": f"token {token}"} if token else {}
    with pytest.raises(HTTPClientError) as refused:
        await websocket_connect(HTTPRequest(url, headers=headers))
    assert refused.value.code == 403


async def test_asking_does_not_make_a_socket_follow_another_owners_chat(
    provider: Any, connect: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """J6, L4: it is answered as what does not exist, and nothing of it is heard afterwards."""
    page = await connect()
    monkeypatch.setattr("jupyter_stop_chat.server.socket.owner_of", lambda *who: "user:other")
    stranger = await connect()
    provider.script = Script(tokens=100_000, rate=100)
    accepted = await page.ask()
    chat_id, message_id = accepted["chat_id"], accepted["message"]["id"]
    request = {"request_id": str(uuid.uuid4()), "chat_id": chat_id}
    for frame, code in (
        ({"type": "send", "body": "Hi", **request}, "unknown_chat"),
        ({"type": "open", "chat_id": chat_id}, "unknown_chat"),
        ({"type": "continue", "message_id": message_id} | _id(), "unknown_message"),
        ({"type": "regenerate", "message_id": message_id} | _id(), "unknown_message"),
        ({"type": "unqueue", "message_id": message_id}, "unknown_message"),
    ):
        await stranger.send(frame)
        assert (await stranger.until("error"))["code"] == code
    for target in ({"message_id": message_id}, {"chat_id": chat_id}):
        await stranger.send({"type": "stop", **target})
        result = await stranger.until("stop_result")
        assert result["results"][0]["outcome"] == "not_found"
    await stranger.send({"type": "stop", "all": True})
    assert (await stranger.until("stop_result"))["results"] == []
    await page.until("delta")
    await page.send({"type": "stop", "message_id": message_id})
    assert (await page.end_of(message_id))["state"] == "interrupted"
    await stranger.send("a last word")
    await stranger.until("error")
    assert {frame["type"] for frame in stranger.frames} == {"welcome", "error", "stop_result"}


async def test_several_tabs_follow_one_chat(provider: Any, connect: Any) -> None:
    """B5, J4: a prompt from one shows in the others, and a stop from any of them in all."""
    provider.script = Script(tokens=["One."])
    first, second = await connect(), await connect()
    accepted = await first.ask()
    await first.end_of(accepted["message"]["id"])
    await second.send({"type": "open", "chat_id": accepted["chat_id"]})
    opened = await second.until("chat", lambda frame: "messages" in frame)
    assert [message["role"] for message in opened["messages"]] == ["user", "assistant"]
    provider.script = Script(tokens=100_000, rate=200)
    asked = await first.ask(chat_id=accepted["chat_id"])
    message_id = asked["message"]["id"]
    seen = await second.until("accepted")
    assert seen["message"]["id"] == message_id
    await first.until("delta")
    await second.until("delta")
    await second.send({"type": "stop", "message_id": message_id})
    ends = [await page.end_of(message_id) for page in (first, second)]
    assert [end["state"] for end in ends] == ["interrupted"] * 2
    assert first.text(message_id) == second.text(message_id)


async def test_a_reconnect_gets_only_what_it_lacks(provider: Any, connect: Any) -> None:
    """B5: by offset, within one epoch of the server; text counts in UTF-16."""
    words = [f"wörd{number} 🗼é " for number in range(400)]
    provider.script = Script(tokens=words, stall_after=200)
    first = await connect()
    accepted = await first.ask()
    message_id = accepted["message"]["id"]
    await first.until("delta", lambda frame: "199" in frame["text"])
    epoch = first.frames[0]["epoch"]
    shown = first.text(message_id)
    first.socket.close()
    second = await connect()
    second.frames = [frame for frame in first.frames if frame["type"] in {"accepted", "delta"}]
    have = _units(shown)
    await second.send(
        {
            "type": "open",
            "chat_id": accepted["chat_id"],
            "offsets": {message_id: have},
            "epoch": epoch,
        }
    )
    opened = await second.until("chat", lambda frame: "messages" in frame)
    reply = opened["messages"][-1]
    assert reply["text_offset"] == have
    assert reply["text"] == ""
    provider.script.resume.set()
    await second.end_of(message_id)
    assert second.text(message_id) == "".join(words)


async def test_a_socket_is_kept_alive_and_holds_little_back(knock: Knock, app: Any) -> None:
    """It is pinged; and what cannot be written to it is bounded, beside the writer's own care."""
    assert await knock.let_in("GET", "/ws", **token(knock))
    while not len(app.sockets):  # noqa: ASYNC110 - until the server has opened its end
        await asyncio.sleep(0)
    (socket,) = app.sockets._held["server"]
    assert socket.ping_callback.is_running()
    assert socket.ws_connection.stream.max_write_buffer_size == MAX_WRITE_BUFFER


def _id() -> dict[str, str]:
    return {"request_id": str(uuid.uuid4())}


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
