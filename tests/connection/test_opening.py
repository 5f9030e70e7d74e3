"""The answer to `open`: how much it carries, what it leaves out, and what when it fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jupyter_stop_chat.connection import opening as tails
from jupyter_stop_chat.wire.objects import Attachment, Message, MessageState
from jupyter_stop_chat.wire.tools import ToolCall
from jupyter_stop_chat.wire.utf16 import utf16_length
from tests.connection.wire import Wire, feed, shows
from tests.engine.bench import Bench, new_id, turns_until

#: What JSON makes of a list and its texts, in characters.
LARGEST = 2 * (tails.MOST_TEXT + tails.MOST_LISTED)


async def _long_chat(bench: Bench, page: Wire, count: int, **more: Any) -> tuple[str, list[str]]:
    """Put messages that have ended into a chat; return its id and theirs."""
    accepted = await page.ask()
    chat_id, before = accepted["chat_id"], accepted["message"]["id"]
    feed(bench, before, "first", None)
    await page.end_of(before)
    messages = []
    for _ in range(count):
        text = more.get("text", "ok")
        message = Message(
            id=new_id(),
            chat_id=chat_id,
            role="assistant",
            text_length=utf16_length(text),
            state=MessageState.COMPLETED,
            created_at=accepted["message"]["created_at"],
            reply_to=before,
            **{"text": text, **more},
        )
        messages.append(message)
        before = message.id
    most = 1 if more else 200  # what is long takes its time
    for at in range(0, count, most):
        await bench.store.begin_turn(messages[at : at + most])
    return chat_id, [message.id for message in messages]


@pytest.mark.parametrize(
    "more",
    [
        {"reasoning": "r" * 200_000},
        {"attachments": tuple(Attachment(name="a", text="x" * 60_000) for _ in range(20))},
        {
            "tools": tuple(
                ToolCall(
                    call_id=str(n), name="t", state="completed", args="a" * 9000, result="b" * 9000
                )
                for n in range(20)
            )
        },
        {"text": "naïve 🗼 " * 20_000},
    ],
    ids=["reasoning", "attachments", "tools", "text"],
)
async def test_an_answer_is_bounded_whatever_the_messages_carry(
    bench: Bench, wire: Any, more: dict[str, Any]
) -> None:
    """B5: and what it leaves out is named with its length, and can be read."""
    chat_id, ids = await _long_chat(bench, wire(), 100, **more)
    late = wire()
    answer = await late.opens(chat_id)
    await late.idle()
    assert max(late.sizes) < LARGEST
    pages = [page["messages"] for page in late.page.of_type("messages")[::-1]]
    messages = [message for page in (*pages, answer["messages"]) for message in page][-100:]
    assert [each["id"] for each in messages] == ids
    listed = messages[-1]
    wanted = [
        {"part": each["part"], "at": each["at"], "length": each["length"]}
        for each in listed.get("left_out", ())
    ]
    if "text" in more:
        assert listed["text"] == more["text"], "the newest has its text first"
        first = messages[0]
        assert (first["text"], first["text_length"]) == ("", utf16_length(more["text"]))
        wanted = [{"part": "text", "at": 0, "length": first["text_length"]}]
    assert wanted
    message_id = ids[0]
    for each in wanted:
        have = ""
        while utf16_length(have) < each["length"]:
            have += await _read(late, chat_id, message_id, utf16_length(have), each)
        assert have == _text(more, each)
    assert max(late.sizes) < LARGEST


async def _read(
    page: Wire, chat_id: str, message_id: str, offset: int, which: dict[str, Any]
) -> str:
    request_id = new_id()
    asked = {"message_id": message_id, "part": which["part"], "at": which["at"]}
    page.send("read", request_id=request_id, chat_id=chat_id, wanted=[{**asked, "offset": offset}])
    answer = await page.until("pieces", lambda frame: frame["request_id"] == request_id)
    (piece,) = answer["pieces"]
    assert {**asked, "offset": offset, "length": which["length"]}.items() <= piece.items()
    assert piece["text"]
    return str(piece["text"])


def _text(more: dict[str, Any], which: dict[str, Any]) -> str:
    part, at = which["part"], which["at"]
    if part in {"text", "reasoning"}:
        return str(more[part])
    if part == "attachment":
        return str(more["attachments"][at].text)
    return str(getattr(more["tools"][at], part.removeprefix("tool_")))


async def test_a_chat_of_many_messages_comes_in_pages_and_a_stop_is_answered(
    bench: Bench, wire: Any
) -> None:
    """B5, J2: the newest first, the older ones behind them, in order; none is heard of twice."""
    chat_id, ids = await _long_chat(bench, wire(), 1700)
    late = wire()
    answer = await late.opens(chat_id)
    assert len(answer["messages"]) == tails.MOST_MESSAGES
    assert answer["messages"][-1]["id"] == ids[-1]
    accepted = await late.ask(chat_id)
    await late.idle()
    pages = late.page.of_type("messages")
    listed = [message["id"] for page in pages[::-1] for message in page["messages"]]
    listed += [message["id"] for message in answer["messages"]]
    assert listed[-1700:] == ids
    assert len(set(listed)) == len(listed)
    counts = [answer["earlier"], *(page["earlier"] for page in pages)]
    assert counts == [len(listed) - 500 * n for n in range(1, len(pages) + 1)] + [0]
    assert max(late.sizes) < LARGEST
    late.send("stop", message_id=accepted["message"]["id"], shown=0)
    await late.until("stop_result")


@pytest.mark.parametrize("same", [True, False])
async def test_a_stop_does_not_wait_for_the_rest_of_a_list(
    bench: Bench, wire: Any, same: bool
) -> None:
    """S1, B5: neither of the list of its own chat, nor of another one; the list comes behind."""
    chat_id, ids = await _long_chat(bench, wire(), 1700)
    late = wire()
    accepted = await late.ask(chat_id if same else None)
    reply = accepted["message"]["id"]
    feed(bench, reply, "some words")
    await shows(bench, reply, "some words")
    await late.idle()
    late.send("open", chat_id=chat_id)
    late.open.clear()
    await turns_until(lambda: late.connection._outbox._openings)
    late.send("stop", message_id=reply, shown=4)
    await turns_until(lambda: late.connection._outbox._stopped)
    late.open.set()
    await late.until("stop_result")
    await late.idle()
    kinds = [frame["type"] for frame in late.page.frames]
    assert "messages" in kinds[kinds.index("stop_result") :]
    assert kinds[: kinds.index("stop_result")].count("messages") <= 1
    listed = {each["id"] for page in late.page.of_type("messages") for each in page["messages"]}
    assert set(ids) - listed <= set(late.page.messages)
    assert late.page.messages[reply].state == "interrupted"
    assert late.page.text(reply) == "some"


async def test_a_chat_that_is_closed_is_listed_no_further(bench: Bench, wire: Any) -> None:
    """V10: nor is one that is opened anew listed twice."""
    chat_id, _ = await _long_chat(bench, wire(), 1700)
    late = wire()
    late.open.clear()
    late.send("open", chat_id=chat_id)
    await turns_until(lambda: late.connection._outbox._openings)
    late.send("open", chat_id=chat_id)
    await turns_until(lambda: not late.connection._opening)
    late.send("close", chat_id=chat_id)
    await turns_until(lambda: not late.connection._chats)
    late.open.set()
    await late.idle()
    assert not late.page.of_type("messages")


async def test_a_reply_goes_on_where_its_chat_cannot_be_opened_again(
    bench: Bench, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B5: who followed a chat hears on of it while it is read, and also if that fails."""
    page = wire()
    accepted = await page.ask()
    message_id, chat_id = accepted["message"]["id"], accepted["chat_id"]
    feed(bench, message_id, "one ")
    await turns_until(lambda: page.page.text(message_id) == "one ")
    get_messages = bench.store.get_messages

    async def fails(chat_id: str) -> list[Message]:
        feed(bench, message_id, "two ")
        await turns_until(lambda: page.page.text(message_id) == "one two ")
        raise OSError("the disk is away")

    monkeypatch.setattr(bench.store, "get_messages", fails)
    page.send("open", chat_id=chat_id, offsets=page.page.offsets(), epoch=bench.engine.epoch)
    error = await page.until("error")
    assert (error["code"], error["chat_id"]) == ("internal", chat_id)
    feed(bench, message_id, "three", None)
    await page.end_of(message_id)
    assert page.page.text(message_id) == "one two three"
    monkeypatch.setattr(bench.store, "get_messages", get_messages)
    answer = await page.opens(chat_id)
    assert answer["messages"][-1]["text"] == "one two three"


async def test_what_is_read_is_the_owners_and_of_that_chat(bench: Bench, wire: Any) -> None:
    """J6, L4: another's text is answered like none."""
    page, stranger = wire(), wire("eve")
    chat_id, (message_id,) = await _long_chat(bench, page, 1, text="secret")
    theirs = await stranger.ask()
    asked = {"message_id": message_id, "part": "text"}
    stranger.send("read", request_id=new_id(), chat_id=chat_id, wanted=[asked])
    assert (await stranger.until("error"))["code"] == "unknown_chat"
    request_id = new_id()
    stranger.send("read", request_id=request_id, chat_id=theirs["chat_id"], wanted=[asked])
    answer = await stranger.until("pieces")
    assert [(each["text"], each["length"]) for each in answer["pieces"]] == [("", 0)]
    assert "secret" not in json.dumps(stranger.page.frames)
    feed(bench, theirs["message"]["id"], None)
    await stranger.end_of(theirs["message"]["id"])


async def test_what_is_not_there_is_answered_as_empty(bench: Bench, wire: Any) -> None:
    page = wire()
    chat_id, (message_id,) = await _long_chat(bench, page, 1, text="a🗼b")
    parts = ["reasoning", "attachment", "tool_args", "tool_result"]
    wanted = [{"message_id": message_id, "part": part, "at": 7} for part in parts]
    wanted.append({"message_id": message_id, "part": "text", "offset": 2})
    wanted.append({"message_id": new_id(), "part": "text"})
    page.send("read", request_id=new_id(), chat_id=chat_id, wanted=wanted)
    pieces = (await page.until("pieces"))["pieces"]
    assert [(each["offset"], each["text"]) for each in pieces] == [
        *[(0, "")] * 4,
        (1, "🗼b"),
        (0, ""),
    ]


async def test_a_ping_is_answered(bench: Bench, wire: Any) -> None:
    """B5: a page learns that a silent connection is there."""
    page = wire()
    page.send("ping")
    assert await page.until("pong") == {"type": "pong"}


async def test_what_is_being_made_can_be_read(bench: Bench, wire: Any) -> None:
    page = wire()
    accepted = await page.ask()
    message_id = accepted["message"]["id"]
    feed(bench, message_id, "so far")
    await shows(bench, message_id, "so far")
    which = {"part": "text", "at": 0, "length": 6}
    assert await _read(page, accepted["chat_id"], message_id, 3, which) == "far"
    feed(bench, message_id, None)
    await page.end_of(message_id)


async def test_a_page_that_comes_back_after_a_cut_and_more(bench: Bench, wire: Any) -> None:
    """B5, B4, V9: what it had of the text behind the cut is not taken for what came since."""
    asker, away = wire(), wire()
    accepted = await asker.ask()
    chat_id, message_id = accepted["chat_id"], accepted["message"]["id"]
    await away.opens(chat_id)
    feed(bench, message_id, "Seen by both")
    await shows(bench, message_id, "Seen by both")
    await away.idle()
    assert away.page.text(message_id) == "Seen by both"
    away.connection.end()
    asker.send("stop", message_id=message_id, shown=4)
    await asker.end_of(message_id)
    asker.send("continue", message_id=message_id, request_id=new_id())
    await turns_until(lambda: bench.engine.generation(message_id) is not None)
    feed(bench, message_id, " and otherwise")
    await shows(bench, message_id, "Seen and otherwise")
    back = wire()
    back.page.messages = away.page.messages
    await back.opens(chat_id, offsets=back.page.offsets(), epoch=bench.engine.epoch)
    await back.idle()
    assert back.page.text(message_id) == "Seen and otherwise"
    feed(bench, message_id, None)
    await back.end_of(message_id)
