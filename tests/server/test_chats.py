"""The history over HTTP: list, look at, rename, delete, export."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import nbformat
import pytest
from tornado.httpclient import HTTPClientError

from jupyter_stop_chat.testing import Gate, ScriptedHandler
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState, Usage
from tests.aids.in_turn import in_turn


@pytest.fixture
def ask(app: Any, connect: Any) -> Any:
    """Begin a chat whose reply is scripted, and return what `accepted` said."""

    async def make(script: list[Any], body: str = "A question") -> tuple[Any, dict[str, Any]]:
        services = await app.services()
        services.models.forget("scripted")
        services.models.register("scripted", lambda name: ScriptedHandler(script))
        page = await connect()
        return page, await page.ask(body, model=f"scripted:{uuid.uuid4()}")

    app.titles = "prompt"
    return make


async def _json(fetch: Any, *path: str, **more: Any) -> Any:
    response = await fetch("api", "stop-chat", *path, **more)
    return json.loads(response.body)


async def test_a_chat_is_listed_found_renamed_and_deleted(ask: Any, jp_fetch: Any) -> None:
    """L9, L10: a title is nullable everywhere, rename included; a wrong one is told as that."""
    page, accepted = await ask(["Under the ", "lighthouse."])
    await page.end_of(accepted["message"]["id"])
    chat_id = accepted["chat_id"]
    listed = (await _json(jp_fetch, "chats"))["chats"]
    assert [chat["id"] for chat in listed] == [chat_id]
    found = await _json(jp_fetch, "chats", params={"query": "lighthouse"})
    assert [chat["id"] for chat in found["chats"]] == [chat_id]
    assert (await _json(jp_fetch, "chats", params={"query": "windmill"}))["chats"] == []
    whole = await _json(jp_fetch, "chats", chat_id)
    assert [message["text"] for message in whole["messages"]] == [
        "A question",
        "Under the lighthouse.",
    ]
    # The last is a character that a Python of today need not know yet.
    for title in ("Of light", None, "灯", "\U0001fadf"):
        body = json.dumps({"title": title})
        changed = await _json(jp_fetch, "chats", chat_id, method="PATCH", body=body)
        assert changed.get("title") == title
    wrong: tuple[tuple[Any, str, str | None], ...] = (
        ({"title": " \t\n"}, "blank_title", None),
        ({"title": "\u200b\u00a0"}, "blank_title", None),
        ({"title": "\u008b\u2060\ufeff"}, "blank_title", None),
        ({"title": ""}, "blank_title", None),
        ({"title": 5}, "invalid_field", "title"),
        ({"title": "x" * 201}, "invalid_field", "title"),
        ({}, "invalid_field", "title"),
        ({"title": "a", "tilte": "b"}, "invalid_field", "tilte"),
        ({"title": "a", "sk-0123456789abcdef": "b"}, "invalid_field", "[key]"),
        ({"title": "a", "x" * 5000: "b"}, "invalid_field", "x" * 99 + "…"),
    )
    for asked, code, field in wrong:
        with pytest.raises(HTTPClientError) as refused:
            await _json(jp_fetch, "chats", chat_id, method="PATCH", body=json.dumps(asked))
        told = json.loads(refused.value.response.body)
        assert (refused.value.code, told["code"], told.get("field")) == (400, code, field)
    await jp_fetch("api", "stop-chat", "chats", chat_id, method="DELETE")
    with pytest.raises(HTTPClientError) as gone:
        await jp_fetch("api", "stop-chat", "chats", chat_id)
    assert gone.value.code == 404
    assert json.loads(gone.value.response.body)["code"] == "unknown_chat"


async def test_a_long_chat_is_read_in_pages(app: Any, jp_fetch: Any) -> None:
    """B5: the newest first; a page has so many messages, and so much of text."""
    services = await app.services()
    when = "2026-01-01T00:00:00Z"
    chat = Chat(id=str(uuid.uuid4()), owner="server", created_at=when, updated_at=when)

    def message(text: str) -> Message:
        return Message(
            id=str(uuid.uuid4()),
            chat_id=chat.id,
            role="assistant",
            text=text,
            text_length=len(text),
            state=MessageState.COMPLETED,
            created_at=when,
            usage=Usage(output_tokens=1),
        )

    messages = [message(f"number {n}") for n in range(250)]
    messages += [message("long " * 120_000) for _ in range(4)]
    await services.store.add_chat(chat, messages)
    page = await _json(jp_fetch, "chats", chat.id)
    assert [each["id"] for each in page["messages"]] == [each.id for each in messages[-2:]]
    assert (page["earlier"], page["usage"]["output_tokens"]) == (252, 254)
    seen = page["messages"]
    while page["earlier"]:
        params = {"before": seen[0]["id"], "limit": "120"}
        page = await _json(jp_fetch, "chats", chat.id, params=params)
        assert len(page["messages"]) <= 120
        seen = page["messages"] + seen
    assert [each["id"] for each in seen] == [each.id for each in messages]
    first = await _json(jp_fetch, "chats", chat.id, params={"before": messages[0].id})
    assert (first["messages"], first["earlier"]) == ([], 0)
    for params, status in (
        ({"limit": "0"}, 400),
        ({"limit": "201"}, 400),
        ({"before": "x"}, 404),
        ({"before": str(uuid.uuid4())}, 404),
    ):
        with pytest.raises(HTTPClientError) as refused:
            await jp_fetch("api", "stop-chat", "chats", chat.id, params=params)
        assert refused.value.code == status


async def test_what_is_not_accepted_yet_is_shown_as_it_was(
    ask: Any, jp_fetch: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B3: a stopped reply that is asked to go on is stopped until that is written down."""
    page, accepted = await ask(["Some text", Gate()])
    message_id = accepted["message"]["id"]
    await page.until("delta")
    await page.send({"type": "stop", "message_id": message_id})
    await page.end_of(message_id)
    services = await app.services()
    asked, written, write = asyncio.Event(), asyncio.Event(), services.store.reopen

    async def reopen(*args: Any) -> Any:
        asked.set()
        await written.wait()
        return await write(*args)

    monkeypatch.setattr(services.store, "reopen", reopen)
    asking = {"type": "continue", "message_id": message_id, "request_id": str(uuid.uuid4())}
    await page.send(asking)
    await asked.wait()
    whole = await _json(jp_fetch, "chats", accepted["chat_id"])
    assert whole["messages"][-1]["state"] == "interrupted"
    written.set()
    await page.until("accepted")
    whole = await _json(jp_fetch, "chats", accepted["chat_id"])
    assert whole["messages"][-1]["state"] != "interrupted"
    await page.send({"type": "stop", "all": True})
    await page.end_of(message_id)


async def test_deleting_a_chat_stops_what_runs_in_it(ask: Any, jp_fetch: Any, app: Any) -> None:
    """L12, V10."""
    page, accepted = await ask(["Some text", Gate()])
    await page.until("delta")
    await jp_fetch("api", "stop-chat", "chats", accepted["chat_id"], method="DELETE")
    services = await app.services()
    assert services.engine.running() == []
    assert await services.store.get_messages(accepted["chat_id"]) == []


async def test_a_stopped_chat_is_exported_with_its_mark(ask: Any, jp_fetch: Any) -> None:
    """L6, L11: an open fence of a stopped reply swallows nothing that follows it."""
    page, accepted = await ask(["Look:\n```python\nprint(", Gate()])
    await page.until("delta")
    await page.send({"type": "stop", "message_id": accepted["message"]["id"]})
    await page.until("stop_result")
    path = ("api", "stop-chat", "chats", accepted["chat_id"], "export")
    markdown = (await jp_fetch(*path, params={"format": "md"})).body.decode()
    assert markdown.count("```") == 2
    assert markdown.rstrip().endswith("*Response stopped by the user*")
    text = (await jp_fetch(*path, params={"format": "ipynb"})).body.decode()
    # Beside the loop: what validates reads its schemas at the first use.
    notebook = await asyncio.to_thread(nbformat.reads, text, as_version=4)
    await asyncio.to_thread(nbformat.validate, notebook)
    assert len(notebook.cells) == 3
    whole = json.loads((await jp_fetch(*path, params={"format": "json"})).body)
    assert whole["messages"][-1]["state"] == "interrupted"


async def test_what_is_behind_the_cut_is_exported_no_more(ask: Any, jp_fetch: Any) -> None:
    """B2, L6: from the stop on, also while a model does not react to it."""
    gate = Gate(swallow=-1)
    page, accepted = await ask(["The seen. ", "The unseen.", gate])
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    while page.text(message_id) != "The seen. The unseen.":
        await page.until("delta")
    await page.send({"type": "stop", "message_id": message_id, "shown": len("The seen. ")})
    await page.until("message", lambda frame: frame["message"]["state"] == "stopping")
    path = ("api", "stop-chat", "chats", chat_id, "export")
    exported = json.loads((await jp_fetch(*path, params={"format": "json"})).body)
    gate.open()
    assert exported["messages"][-1]["text"] == "The seen. "
    assert exported["messages"][-1]["state"] == "stopping"
    assert (await page.end_of(message_id))["text_length"] == len("The seen. ")


@in_turn(
    ("path", "params", "status", "code"),
    [
        (("chats",), {"limit": "0"}, 400, "invalid_field"),
        (("chats",), {"limit": "9" * 30}, 400, "invalid_field"),
        (("chats",), {"query": "word " * 2000}, 400, "query_too_long"),
        (("chats",), {"limit": "many"}, 400, "invalid_field"),
        (("chats", str(uuid.uuid4())), {}, 404, "unknown_chat"),
        (("chats", str(uuid.uuid4()), "export"), {"format": "md"}, 404, "unknown_chat"),
        (("chats", "no-id"), {}, 404, "no_such_route"),
    ],
)
async def test_bad_requests_are_told_apart(
    jp_fetch: Any, path: tuple[str, ...], params: dict[str, str], status: int, code: str
) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("api", "stop-chat", *path, params=params)
    assert refused.value.code == status
    if code != "no_such_route":
        assert json.loads(refused.value.response.body)["code"] == code
