"""The frames, both ways: what is read, what is refused, what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.wire.client_frames import CLIENT_TYPES
from jupyter_stop_chat.wire.codec import decode, encode, named_in
from jupyter_stop_chat.wire.errors import SENTENCES, ErrorCode, StopChatError
from jupyter_stop_chat.wire.server_frames import Delta, error_frame, server_frames

FRAMES = Path(__file__).parents[1] / "frames"
GOOD: list[dict[str, Any]] = json.loads((FRAMES / "good.json").read_text(encoding="utf-8"))
BAD: list[dict[str, Any]] = json.loads((FRAMES / "bad.json").read_text(encoding="utf-8"))
FROM_CLIENTS = [each for each in GOOD if each["direction"] == "client"]
FROM_SERVERS = [each for each in GOOD if each["direction"] == "server"]
ID = "00000000-0000-4000-8000-000000000009"


def by_name(frames: list[dict[str, Any]]) -> dict[str, Any]:
    return {"argvalues": frames, "ids": [each["name"] for each in frames]}


@pytest.mark.parametrize("example", **by_name(FROM_CLIENTS))
def test_a_good_frame_is_read(example: dict[str, Any]) -> None:
    frame = decode(json.dumps(example["frame"]))
    assert frame.type == example["frame"]["type"]
    for name, value in example["frame"].items():
        read = getattr(frame, name)
        if name not in {"attachments", "wanted"}:
            assert read == value


@pytest.mark.parametrize("example", **by_name(FROM_CLIENTS))
def test_a_good_frame_with_one_field_more_is_refused(example: dict[str, Any]) -> None:
    with pytest.raises(StopChatError) as caught:
        decode(json.dumps(example["frame"] | {"surplus": 1}))
    assert caught.value.code is ErrorCode.INVALID_FIELD


@pytest.mark.parametrize("example", **by_name(BAD))
def test_a_bad_frame_is_refused(example: dict[str, Any]) -> None:
    with pytest.raises(StopChatError) as caught:
        decode(example["raw"])
    assert caught.value.code == example["code"]


@pytest.mark.parametrize("example", **by_name(FROM_SERVERS))
def test_what_a_server_writes_is_what_clients_are_tested_with(example: dict[str, Any]) -> None:
    frame = server_frames.validate_json(json.dumps(example["frame"]))
    written = json.loads(encode(frame))
    for name, value in example["frame"].items():
        assert name in written
        if not isinstance(value, dict | list):
            assert written[name] == value
    assert server_frames.validate_json(encode(frame)) == frame


def test_every_kind_of_frame_has_an_example() -> None:
    clients = {each["frame"]["type"] for each in FROM_CLIENTS}
    assert clients == CLIENT_TYPES
    servers = {each["frame"]["type"] for each in FROM_SERVERS}
    kinds = {"welcome", "accepted", "chat", "messages", "pieces", "delta", "message", "tool"}
    kinds |= {"thought", "stop_result", "pong", "error", "tool_request", "tool_cancel"}
    assert servers == kinds


def test_what_is_not_set_is_not_written() -> None:
    frame = json.loads(encode(error_frame(ErrorCode.BUSY)))
    assert frame == {"type": "error", "code": "busy", "message": SENTENCES[ErrorCode.BUSY][0]}


def test_who_sent_what_cannot_be_read_learns_of_it() -> None:
    assert named_in(json.dumps({"type": "send", "request_id": ID})) == {
        "of": "send",
        "request_id": ID,
    }
    both = {"request_id": ID, "chat_id": ID, "message_id": ID}
    assert named_in(json.dumps(both)) == {"request_id": ID}
    assert named_in(json.dumps(both | {"request_id": 7})) == {"chat_id": ID}
    assert named_in(json.dumps({"type": "unqueue", "message_id": ID, "x": 1})) == {
        "of": "unqueue",
        "message_id": ID,
    }
    assert named_in('{"type": "stop", "all": true, "x": 1}') == {"of": "stop", "all": True}
    assert named_in('{"type": ["stop"], "all": 1}') == {}
    for raw in ("", "[]", "{}", '{"request_id": 7}', '{"request_id": "x"}', "[" * 100_000):
        assert named_in(raw) == {}
    for raw in ('["request_id"]', '"chat_id"', '{"request_id"', '{"chat_id": ' + "[" * 100_000):
        assert named_in(raw) == {}
    assert named_in(b'{"request_id"') == {}


def test_bytes_are_no_frame() -> None:
    with pytest.raises(StopChatError) as caught:
        decode(b'{"type": "resume"}')
    assert caught.value.code is ErrorCode.BAD_FRAME


def test_half_a_character_in_a_prompt_is_made_whole() -> None:
    frame = {"type": "send", "request_id": ID, "chat_id": None, "body": "a \ud83d b"}
    assert decode(json.dumps(frame)).body == "a � b"  # type: ignore[union-attr]


def test_what_is_not_set_in_a_part_is_not_written() -> None:
    assert "discarded" not in json.loads(encode(Delta(message_id=ID, offset=0, text="")))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.sampled_from(FROM_CLIENTS), st.data())
def test_whatever_comes_is_read_or_refused_with_a_code(example: Any, data: st.DataObject) -> None:
    """L5: nothing else is raised, whatever a field holds."""
    frame = dict(example["frame"])
    name = data.draw(st.sampled_from(sorted(frame)))
    frame[name] = data.draw(_JSON)
    assert _code_of(json.dumps(frame)) in {
        *(None, ErrorCode.BAD_FRAME, ErrorCode.UNKNOWN_TYPE, ErrorCode.INVALID_FIELD)
    }


@given(st.text() | st.binary())
def test_noise_is_refused(raw: str | bytes) -> None:
    assert _code_of(raw) in {ErrorCode.BAD_FRAME, ErrorCode.UNKNOWN_TYPE}


def _code_of(raw: str | bytes) -> ErrorCode | None:
    try:
        decode(raw)
    except StopChatError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "ping", **{f"k{n}": 1 for n in range(50_000)}},
        {"type": "open", "chat_id": ID, "offsets": {f"k{n}": "x" for n in range(50_000)}},
        {
            **{"type": "send", "request_id": ID, "chat_id": None, "body": "x"},
            "attachments": [{f"k{n}": 1 for n in range(2_000)}] * 20,
        },
    ],
    ids=["fields", "offsets", "attachments"],
)
def test_what_is_wrong_in_many_places_is_not_told_place_by_place(frame: dict[str, Any]) -> None:
    """Each place would be written down, and everyone would wait for that."""
    with pytest.raises(StopChatError) as refused:
        decode(json.dumps(frame))
    assert refused.value.code is ErrorCode.INVALID_FIELD
    assert refused.value.detail == "offsets" or refused.value.detail.endswith(" fields")
