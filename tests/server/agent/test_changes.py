"""What a reply changed, over HTTP: told to its owner's page, which notes what it took back."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_stop_chat.observe import metrics
from jupyter_stop_chat.ports.tools import Change
from jupyter_stop_chat.testing import Gate

INSERT = Change("a.ipynb", "insert", "new", "code", after="y", beside={"new_above": None})
CELL = {"cell_type": "code", "id": "old", "source": "x", "metadata": {}, "outputs": []}
DELETE = Change("a.ipynb", "delete", "old", "code", "x", cell=CELL, beside={"above": "new"})


async def test_what_a_reply_changed_is_taken_back_and_done_again(
    app: Any, scripted: Any, connect: Any, call: Any, jp_asyncio_loop: Any
) -> None:
    """N10: of a stopped reply too; all pages hear of it, and what is sent twice counts once."""
    page, other = await connect(), await connect()
    await scripted("Hello", gate := Gate())
    accepted = await page.ask(model="scripted:x")
    message_id = accepted["message"]["id"]
    await other.send({"type": "open", "chat_id": accepted["chat_id"]})
    await gate.reached.wait()
    journal = (await app.services()).store.journal
    for each in (INSERT, DELETE, DELETE):
        await journal.note(message_id, "call", each)
    await journal.mark(message_id, {0: "done", 1: "done", 2: "failed"})
    where = ("messages", message_id, "changes")
    both = [{"n": 0, "outcome": "put_back"}, {"n": 1, "outcome": "merged"}]
    status, told = await call("POST", *where, body={"undone": True, "outcomes": both})
    assert (status, told["code"]) == (409, "not_possible_now"), "it may change more"
    await page.send({"type": "stop", "message_id": message_id})
    assert (await page.end_of(message_id))["changes"] == {
        "cells": 2,
        "files": 0,
        "undone": False,
    }
    status, told = await call("GET", *where)
    assert status == 200
    assert told["changes"] == [
        {
            **{"n": 0, "call_id": "call", "path": "a.ipynb", "action": "insert"},
            **{"state": "done", "cell_id": "new", "cell_type": "code", "after": "y"},
            "beside": {"new_above": None},
        },
        {
            **{"n": 1, "call_id": "call", "path": "a.ipynb", "action": "delete"},
            **{"state": "done", "cell_id": "old", "cell_type": "code", "before": "x"},
            **{"cell": CELL, "beside": {"above": "new"}},
        },
        {**told["changes"][1], "n": 2, "state": "failed"},
    ]
    closed = metrics.provider_close_seconds.collect()
    for undone in (True, True, False):
        outcomes = [*both, {"n": 2, "outcome": "put_back"}, {"n": 9, "outcome": "put_back"}]
        body = {"undone": undone, "outcomes": outcomes}
        status, message = await call("POST", *where, body=body)
        assert (status, message["changes"]["undone"]) == (200, undone)
    for undone in (True, False):
        frame = await other.until(
            "message",
            lambda each, undone=undone: (
                each["message"].get("changes", {}).get("undone") is undone
                and each["message"]["state"] == "interrupted"
            ),
        )
        assert frame["message"]["text_length"] == 5
    states = [each["state"] for each in (await call("GET", *where))[1]["changes"]]
    assert states == ["done", "done", "failed"]
    left = {"undone": True, "outcomes": [{"n": 0, "outcome": "left"}]}
    assert (await call("POST", *where, body=left))[1]["changes"]["undone"] is False
    before = [each for each in closed[0].samples if each.name.endswith("_count")]
    after = metrics.provider_close_seconds.collect()[0].samples
    assert [each.value for each in after if each.name.endswith("_count")] == [
        each.value for each in before
    ], "how it ended is told once"
    await asyncio.sleep(0)


async def test_what_is_none_is_refused(call: Any) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert (await call("GET", "messages", nobody, "changes"))[0] == 404
    body = {"undone": True, "outcomes": []}
    assert (await call("POST", "messages", nobody, "changes", body=body))[0] == 404
    for wrong in ({}, {"undone": True}, {"undone": 1, "outcomes": []}, "[]"):
        assert (await call("POST", "messages", nobody, "changes", body=wrong))[0] == 400
    wrong = {"undone": True, "outcomes": [{"n": -1, "outcome": "put_back"}]}
    status, told = await call("POST", "messages", nobody, "changes", body=wrong)
    assert (status, told["field"]) == (400, "outcomes.0.n")
