"""The connection, with a fake socket: which chats it follows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.connection.wire import feed, shows
from tests.engine.bench import OWNER, Bench, new_id, turns_until

# --- following -------------------------------------------------------------------------------


async def test_open_brings_only_what_is_missing(bench: Bench, wire: Any) -> None:
    """B5: by offsets in UTF-16, of this epoch only."""
    first = wire()
    accepted = await first.ask()
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    feed(bench, message_id, "né 🗼 ", "é̂ word")
    await shows(bench, message_id, "né 🗼 é̂ word")
    await first.idle()
    epoch = bench.engine.epoch
    second = wire()
    second.page.show(first.page.of_type("accepted")[0])
    second.page.messages[message_id].text += "né 🗼".encode("utf-16-le")
    answer = await second.opens(chat_id, offsets={message_id: 5}, epoch=epoch)
    reply = answer["messages"][1]
    assert (reply["text_offset"], reply["text"]) == (5, " é̂ word")
    assert answer["chat"]["state"] == "generating"
    third = wire()
    answer = await third.opens(chat_id, offsets={message_id: 5}, epoch="of another life")
    assert answer["messages"][1]["text_offset"] == 0
    half = wire()
    half.page.show(first.page.of_type("accepted")[0])
    half.page.messages[message_id].text += "né 🗼".encode("utf-16-le")[:-2]
    answer = await half.opens(chat_id, offsets={message_id: 4}, epoch=epoch)
    assert answer["messages"][1]["text_offset"] == 3, "half of a pair is no place to begin at"
    feed(bench, message_id, " more", None)
    for each in (first, second, third):
        await each.end_of(message_id)
        assert each.page.text(message_id) == "né 🗼 é̂ word more"
    ended = await second.opens(chat_id, offsets=second.page.offsets(), epoch=epoch)
    assert [message["text"] for message in ended["messages"]] == ["", ""]
    assert ended["chat"]["state"] == "idle"


@pytest.mark.parametrize("whose", ["unknown", "another's"])
async def test_a_chat_that_is_not_yours_is_not_there_and_not_followed(
    bench: Bench, wire: Any, whose: str
) -> None:
    """J6, L4: nothing of it is heard, whichever frame was tried."""
    owner, stranger = wire(), wire("eve")
    accepted = await owner.ask()
    chat_id, message_id = accepted["chat_id"], accepted["message"]["id"]
    if whose == "unknown":
        chat_id, message_id = new_id(), new_id()
    asked = {"request_id": new_id(), "message_id": message_id}
    for frame, code in (
        ({"type": "open", "chat_id": chat_id}, "unknown_chat"),
        (
            {"type": "send", "request_id": new_id(), "chat_id": chat_id, "body": "?"},
            "unknown_chat",
        ),
        ({"type": "continue", **asked}, "unknown_message"),
        ({"type": "regenerate", **asked}, "unknown_message"),
        ({"type": "edit", "body": "?", **asked}, "unknown_message"),
        ({"type": "unqueue", "message_id": message_id}, "unknown_message"),
        ({"type": "reorder", "chat_id": chat_id, "message_ids": []}, "unknown_chat"),
        ({"type": "resume", "chat_id": chat_id}, "unknown_chat"),
    ):
        skip = len(stranger.page.frames)
        stranger.connection.receive(json.dumps(frame))
        error = await stranger.until("error", skip=skip)
        assert error["code"] == code
        assert stranger.connection._chats == {}
    feed(bench, accepted["message"]["id"], "secret", None)
    await owner.end_of(accepted["message"]["id"])
    await stranger.idle()
    assert {frame["type"] for frame in stranger.page.frames} == {"welcome", "error"}


async def test_what_is_refused_is_told_to_who_asked(bench: Bench, wire: Any) -> None:
    """L5, J6: an error names the frame that it answers, by its type and the narrowest id in it."""
    page = wire()
    chat_id, message_id, request_id = new_id(), new_id(), new_id()
    asked = {"request_id": request_id, "message_id": message_id}
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"type": "unqueue", "message_id": message_id}, {"message_id": message_id}),
        ({"type": "reorder", "chat_id": chat_id, "message_ids": []}, {"chat_id": chat_id}),
        ({"type": "resume", "chat_id": chat_id}, {"chat_id": chat_id}),
        ({"type": "open", "chat_id": chat_id}, {"chat_id": chat_id}),
        ({"type": "edit", "body": "?", **asked}, {"request_id": request_id}),
        ({"type": "continue", **asked}, {"request_id": request_id}),
        ({"type": "regenerate", **asked}, {"request_id": request_id}),
    ]
    # What cannot be read, too: a field too many.
    cases += [({**frame, "more": 1}, names) for frame, names in cases]
    cases += [
        ({"type": "stop", "message_id": message_id, "more": 1}, {"message_id": message_id}),
        ({"type": "stop", "all": True, "more": 1}, {"all": True}),
        ({"type": "ping", "more": 1}, {}),
    ]
    for frame, names in cases:
        skip = len(page.page.frames)
        page.connection.receive(json.dumps(frame))
        error = await page.until("error", skip=skip)
        assert error["of"] == frame["type"]
        every = {"request_id", "chat_id", "message_id", "all"}
        assert {name: error[name] for name in every if name in error} == names


async def test_close_and_end_leave_no_listener_behind(bench: Bench, wire: Any) -> None:
    """V10: also when what was asked for is answered after the socket has ended."""
    other = bench.bus.listeners
    page = wire()
    accepted = await page.ask()
    await page.opens(accepted["chat_id"])
    page.send("close", chat_id=accepted["chat_id"])
    await turns_until(lambda: not page.connection._chats)
    assert page.connection._outbox._backlogs == {}
    feed(bench, accepted["message"]["id"], "unheard", None)
    await bench.end(accepted["message"]["id"])
    await page.idle()
    assert not page.page.of_type("delta")
    page.send("send", request_id=new_id(), chat_id=None, body="late")
    page.send("open", chat_id=accepted["chat_id"])
    page.connection.end()
    await turns_until(lambda: not page.connection._intake._tasks)
    assert bench.bus.listeners == other
    page.connection.receive('{"type": "stop", "all": true}')
    assert not page.connection._intake._tasks
    (late,) = bench.engine.running()
    feed(bench, late.id, "goes on", None)
    assert (await bench.end(late.id)).text == "goes on"


async def test_a_request_is_answered_although_its_chat_is_opened_or_closed_at_once(
    bench: Bench, wire: Any
) -> None:
    page = wire()
    first = await page.ask()
    for what in ("open", "close"):
        page.open.clear()
        request_id = new_id()
        page.send("send", request_id=request_id, chat_id=first["chat_id"], body="And?")
        await turns_until(
            lambda asked=request_id: bool(bench.engine.registry.by_request(OWNER, asked))
        )
        await turns_until(lambda: not page.connection._unanswered)
        page.send(what, chat_id=first["chat_id"])
        await turns_until(lambda: not page.connection._intake._tasks)
        page.open.set()
        await page.until("accepted", lambda frame, asked=request_id: frame["request_id"] == asked)
    await bench.stop(all=True)
    for each in bench.engine.running():
        await bench.stop(message_id=each.id)


async def test_a_reply_that_ends_before_its_acceptance_is_told(bench: Bench, wire: Any) -> None:
    """S6: a remembered stop settles it at once."""
    page, request_id = wire(), new_id()
    page.send("stop", request_id=request_id)
    await page.until("stop_result")
    accepted = await page.ask(request_id=request_id)
    message_id = accepted["message"]["id"]
    await turns_until(lambda: page.page.messages[message_id].ended)
    again = await wire().ask(request_id=request_id)
    assert again["message"]["state"] == "interrupted"
