"""A chat as a document: in the order in which it is read, and as fast as it is long."""

from __future__ import annotations

import html
import json
import random
import time
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.documents.export import export
from jupyter_stop_chat.documents.importing import read_chat
from jupyter_stop_chat.documents.reading_order import reading_order
from jupyter_stop_chat.wire.objects import Attachment, Chat, Message, MessageState, Receipt

WHEN = "2026-01-02T03:04:05.678Z"
CHAT = Chat(id=str(uuid.UUID(int=99)), owner="ada", created_at=WHEN, updated_at=WHEN, title="T")


def _message(at: int, follows: int | None = None, **more: Any) -> Message:
    values: dict[str, Any] = {
        "role": "assistant" if at % 2 else "user",
        "text": f"text {at}",
        "text_length": len(f"text {at}"),
        "state": MessageState.COMPLETED,
    }
    return Message(
        id=str(uuid.UUID(int=at)),
        chat_id=CHAT.id,
        created_at=WHEN,
        reply_to=None if follows is None else str(uuid.UUID(int=follows)),
        **(values | more),
    )


#: The prompt 4 was written after the prompt 2, and put before it.
REORDERED = (_message(0), _message(1, 0), _message(2, 5), _message(3, 2), _message(4, 1),
             _message(5, 4))  # fmt: skip


def test_a_reordered_queue_is_written_as_it_was_said() -> None:
    """B10, L11: each prompt stands behind the reply that it follows."""
    written = export(CHAT, REORDERED, "md")
    places = [written.index(f"text {at}\n") for at in (0, 1, 4, 5, 2, 3)]
    assert places == sorted(places)


def test_a_reordered_queue_is_read_back_as_one_thread() -> None:
    """B10: also of a file that has its messages in another order."""
    for messages in (REORDERED, REORDERED[::-1]):
        whole = {"chat": {}, "messages": [each.model_dump(mode="json") for each in messages]}
        for file in (json.dumps(whole), export(CHAT, messages, "json")):
            document = json.loads(file)
            document["chat"] = {"title": "T"}
            read = read_chat(json.dumps(document).encode(), "ada", 1000).messages
            assert [each.text for each in read] == [f"text {at}" for at in (0, 1, 4, 5, 2, 3)]
            assert [each.reply_to for each in read[1:]] == [each.id for each in read[:-1]]


@given(st.lists(st.none() | st.integers(0, 14), max_size=12), st.randoms())
def test_nothing_is_lost_and_nothing_goes_before_what_it_follows(
    follows: list[int | None], chance: random.Random
) -> None:
    messages = [_message(at, parent) for at, parent in enumerate(follows)]
    chance.shuffle(messages)
    ordered = reading_order(messages)
    assert sorted(each.id for each in ordered) == sorted(each.id for each in messages)
    parents = {each.id: each.reply_to for each in messages}
    for each in messages:
        path, at = set(), each.reply_to
        while at in parents and at not in path:
            path.add(at)
            at = parents[at]
        if at in parents:  # a ring
            assert ordered == messages
            return
    place = {each.id: at for at, each in enumerate(ordered)}
    assert all(
        place[each.reply_to] < place[each.id] for each in messages if each.reply_to in place
    )


def test_what_was_taken_out_is_left_out_with_its_prompt() -> None:
    """V4: but a prompt that has another reply stays."""
    gone = Receipt(reason="user", requested_at=WHEN, discarded=True)
    messages = [
        *(_message(0), _message(1, 0, stop=gone, state=MessageState.INTERRUPTED)),
        *(_message(2), _message(3, 2, stop=gone, state=MessageState.INTERRUPTED)),
        *(_message(5, 2), _message(6, 5)),
    ]
    whole = json.loads(export(CHAT, messages, "json"))
    assert [each["text"] for each in whole["messages"]] == ["text 2", "text 5", "text 6"]


@pytest.mark.parametrize("form", ["md", "ipynb", "json"])
def test_a_chat_ten_times_as_long_takes_about_ten_times_as_long(form: Any) -> None:
    """A whole day's chat, or one that was imported, is exported in no time."""
    gone = Receipt(reason="user", requested_at=WHEN, discarded=True)

    def seconds(length: int) -> float:
        messages = [
            _message(at, at - 1 if at else None, **({"stop": gone} if at % 10 == 1 else {}))
            for at in range(length)
        ]
        taken = []
        for _ in range(3):
            began = time.thread_time()
            export(CHAT, messages, form)
            taken.append(time.thread_time() - began)
        return min(taken)

    assert seconds(5_000) < 40 * seconds(500)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("user", "Response stopped by the user"),
        ("server_restart", "The server restarted"),
        ("server_gone", "The server went away"),
        ("server_shutdown", "The server shut down"),
        ("replaced", "Replaced by a newer prompt"),
        (None, "Response interrupted"),
    ],
)
def test_who_ended_a_reply_is_said_as_in_the_sidebar(reason: Any, words: str) -> None:
    """T2: only what a person stopped is called stopped."""
    stop = reason and Receipt(reason=reason, requested_at=WHEN)
    ended = _message(1, 0, state=MessageState.INTERRUPTED, stop=stop)
    assert export(CHAT, (_message(0), ended), "md").rstrip().endswith(f"*{words}*")
    broke_off = ended.model_copy(update={"finish_reason": "cut_off", "stop": None})
    said = export(CHAT, (_message(0), broke_off), "md")
    assert "*The connection broke off before the response ended*" in said
    assert "stopped" not in said


@pytest.mark.parametrize("form", ["md", "ipynb"])
def test_what_was_attached_is_written_down(form: Any) -> None:
    """U27: else nobody knows what a question was about; nothing in it ends its block."""
    notes = "a <b>\n```\n# no heading\n````\n"
    asked = _message(0).model_copy(
        update={"attachments": (Attachment(name="a*b*.md", text=notes),)}
    )
    written = export(CHAT, [asked, _message(1, 0)], form)
    if form == "ipynb":
        written = json.loads(written)["cells"][1]["source"]
    shown = html.unescape(written)
    assert notes.strip() in shown
    assert "Attached: a*b*.md" in shown
    assert "\n# no heading\n&#96;" in written, "within a block of HTML, where it is none"
