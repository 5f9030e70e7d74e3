"""What a socket refuses: bad frames, and frames that are too large."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from jupyter_stop_chat.testing import ScriptedHandler
from jupyter_stop_chat.wire.objects import MAX_FRAME_BYTES
from tests.providers import Script

BAD = [
    ("not json", "bad_frame"),
    ("[1, 2]", "bad_frame"),
    ("[" * 5000, "bad_frame"),
    ('{"type": "dance"}', "unknown_type"),
    ('{"type": null}', "unknown_type"),
    ('{"no": "type"}', "unknown_type"),
    ('{"type": "send"}', "invalid_field"),
    ('{"type": "send", "request_id": "x", "chat_id": null, "body": "Hi"}', "invalid_field"),
    ('{"type": "stop"}', "invalid_field"),
    ('{"type": "stop", "all": true, "shown": -1}', "invalid_field"),
    ('{"type": "open", "chat_id": "ID", "offsets": {"ID": 1e999}}', "invalid_field"),
    ('{"type": "open", "chat_id": "ID"}', "unknown_chat"),
    ('{"type": "send", "request_id": "ID", "chat_id": "ID", "body": "Hi"}', "unknown_chat"),
    ('{"type": "send", "request_id": "ID", "chat_id": null, "body": " \\n\\t "}', "blank_prompt"),
    ('{"type": "continue", "request_id": "ID", "message_id": "ID"}', "unknown_message"),
    ('{"type": "regenerate", "request_id": "ID", "message_id": "ID"}', "unknown_message"),
    ('{"type": "unqueue", "message_id": "ID"}', "unknown_message"),
]

#: Which field is wrong, where one is.
FIELDS = {
    '{"type": "send"}': "request_id",
    '{"type": "send", "request_id": "x", "chat_id": null, "body": "Hi"}': "request_id",
    '{"type": "stop", "all": true, "shown": -1}': "shown",
    '{"type": "open", "chat_id": "ID", "offsets": {"ID": 1e999}}': "offsets.ID",
}


async def test_bad_input_is_answered_and_the_socket_goes_on(provider: Any, connect: Any) -> None:
    provider.script = Script(tokens=["Still ", "here."])
    page = await connect()
    for raw, code in BAD:
        id_ = str(uuid.uuid4())
        await page.send(raw.replace("ID", id_))
        error = await page.until("error")
        assert error["code"] == code, raw
        assert error["message"].endswith("."), "a sentence"
        assert error.get("field", "").replace(id_, "ID") == FIELDS.get(raw, "")
    await page.send({"type": "stop", "message_id": str(uuid.uuid4())})
    result = await page.until("stop_result")
    assert result["results"][0]["outcome"] == "not_found"
    accepted = await page.ask()
    await page.end_of(accepted["message"]["id"])
    assert page.text(accepted["message"]["id"]) == "Still here."


async def test_a_frame_that_is_too_large_closes_with_1009(provider: Any, connect: Any) -> None:
    page = await connect()
    await page.send("x" * MAX_FRAME_BYTES)
    assert (await page.until("error"))["code"] == "bad_frame"
    await page.send("x" * (MAX_FRAME_BYTES + 1))
    assert await page.socket.read_message() is None
    assert page.socket.close_code == 1009
    again = await connect()
    accepted = await again.ask()
    assert (await again.end_of(accepted["message"]["id"]))["state"] == "completed"


def _asks(body: str, how: str) -> str:
    """Write a prompt as a page does, or as a script whose JSON is all ASCII."""
    frame = {"type": "send", "request_id": str(uuid.uuid4()), "chat_id": None, "body": body}
    return json.dumps(frame, ensure_ascii=how == "escaped")


@pytest.mark.parametrize("how", ["as it is", "escaped"])
@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ("漢" * 50_000, True),
        ("漢" * 50_001, False),
        ("🗼" * 25_000, True),
        ("🗼" * 25_000 + "x", False),
        ("🗼" * 50_000, False),
        ('"\n' * 25_000, True),
    ],
    ids=["chinese", "chinese and one", "emoji", "emoji and one", "twice the emoji", "quotes"],
)
async def test_a_prompt_is_as_long_in_any_script_and_on_any_way(
    app: Any, connect: Any, jp_fetch: Any, body: str, fits: bool, how: str
) -> None:
    """L5: one limit, counted in UTF-16 code units; beyond it words, and the socket stays open."""
    app.titles, app.default_model = "prompt", "scripted:x"
    services = await app.services()
    services.models.register("scripted", lambda name: ScriptedHandler(["Read."]))
    page = await connect()
    raw = _asks(body, how)
    await page.send(raw)
    told = await page.until("accepted" if fits else "error")
    asked = {key: each for key, each in json.loads(raw).items() if key in {"request_id", "body"}}
    asked["request_id"] = str(uuid.uuid4())
    written = json.dumps(asked, ensure_ascii=how == "escaped").encode()
    response = await jp_fetch(
        *("api", "stop-chat", "generate"), method="POST", body=written, raise_error=False
    )
    if fits:
        assert told["user_message"]["text_length"] <= app.max_prompt_length
        assert await services.store.get_message(told["user_message"]["id"]) is not None
        assert response.code == 200
    else:
        refused = json.loads(response.body)
        assert (told["code"], refused["code"]) == ("prompt_too_long", "prompt_too_long")
        assert response.code == 413
    await page.send({"type": "ping"})
    await page.until("pong")


async def test_where_longer_prompts_are_allowed_larger_frames_are(
    app: Any, connect: Any, jp_ws_fetch: Any
) -> None:
    app.titles, app.default_model, app.max_prompt_length = "prompt", "scripted:x", 400_000
    services = await app.services()
    services.models.register("scripted", lambda name: ScriptedHandler(["Read."]))
    page = await connect()
    limits = page.frames[0]["limits"]
    await page.send(_asks("漢" * limits["max_prompt_length"], "escaped"))
    accepted = await page.until("accepted")
    assert accepted["user_message"]["text_length"] == 400_000
    await page.send(_asks("漢" * 600_000, "escaped"))
    assert (await page.until("error"))["code"] == "prompt_too_long"


async def test_what_json_makes_six_times_as_long_reaches_who_opens_it(
    app: Any, connect: Any
) -> None:
    """B5: signs that steer a terminal, as programs print them."""
    app.titles, app.default_model = "prompt", "scripted:x"
    services = await app.services()
    services.models.register("scripted", lambda name: ScriptedHandler(["\x1b" * 250_000]))
    page = await connect()
    accepted = await page.ask()
    await page.end_of(accepted["message"]["id"])
    late = await connect()
    await late.send({"type": "open", "chat_id": accepted["chat_id"]})
    chat = await late.until("chat", lambda frame: "messages" in frame)
    assert len(chat["messages"][-1]["text"]) == 250_000
