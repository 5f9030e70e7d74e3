"""Read the frames of clients, and write those for them: JSON, checked before anything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from .client_frames import CLIENT_TYPES, ClientFrame
from .errors import ErrorCode, StopChatError
from .terms import AT_FIRST_USE, Id

#: With more wrong fields than this, none is named: each of them would be written down first.
MOST_WRONG = 100
#: What names what a frame is about.
NAMES = {"request_id", "chat_id", "message_id", "all"}
#: No frame has so many fields.
_MOST_FIELDS = 50
_ids: TypeAdapter[str] = TypeAdapter(Id, config=AT_FIRST_USE)
_frames: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame, config=AT_FIRST_USE)


def make_ready() -> None:
    """Build what reads frames, which takes longer than a loop may be held on a slow machine."""
    _ids.rebuild()
    _frames.rebuild()


def decode(raw: str | bytes) -> ClientFrame:
    """Read one frame from a client.

    :param raw: the text of the frame.
    :raises StopChatError: `bad_frame`, `unknown_type` or `invalid_field`.
    """
    if isinstance(raw, bytes):
        raise StopChatError(ErrorCode.BAD_FRAME, "a binary frame")
    try:
        frame = loads(raw)
    except (ValueError, RecursionError):
        raise StopChatError(ErrorCode.BAD_FRAME) from None
    if not isinstance(frame, dict):
        raise StopChatError(ErrorCode.BAD_FRAME)
    kind = frame.get("type")
    if not isinstance(kind, str) or kind not in CLIENT_TYPES:
        raise StopChatError(ErrorCode.UNKNOWN_TYPE)
    if len(frame) > _MOST_FIELDS:
        raise StopChatError(ErrorCode.INVALID_FIELD, f"{len(frame)} fields")
    try:
        return _frames.validate_python(frame)
    except ValidationError as error:
        # It begins with the frame's type, which is no field.
        field = first_wrong(error).removeprefix(kind).removeprefix(".")
        raise StopChatError(ErrorCode.INVALID_FIELD, field) from None


def first_wrong(error: ValidationError) -> str:
    """Name the first wrong field, for the log, unless that would take long."""
    if error.error_count() > MOST_WRONG:
        return f"{error.error_count()} fields"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return ".".join(map(str, first["loc"]))


def named(frame: ClientFrame) -> dict[str, Any]:
    """Return how an error names the frame that it answers, so that its sender alone is told.

    That is its type, and the narrowest id in it.
    """
    return _named(frame.model_dump(include={"type", *NAMES}))


def named_in(raw: str | bytes) -> dict[str, Any]:
    """Return the same of a frame that is not taken."""
    try:
        frame = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return _named(frame) if isinstance(raw, str) and isinstance(frame, dict) else {}


def _named(frame: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kind = frame.get("type")
    if isinstance(kind, str) and kind in CLIENT_TYPES:
        found["of"] = kind
    for name in ("request_id", "chat_id", "message_id"):
        with suppress(ValidationError):
            return found | {name: _ids.validate_python(frame.get(name), strict=True)}
    return found | ({"all": True} if frame.get("all") is True else {})


def may_be_stop(raw: str | bytes) -> bool:
    """Tell whether a frame can be a stop, without reading it; what is refused costs little."""
    return isinstance(raw, str) and ('"stop"' in raw or "\\u" in raw)


def encode(frame: BaseModel) -> str:
    """Write one frame for a client, without the fields that are not set."""
    return frame.model_dump_json(exclude_none=True)


def loads(raw: str | bytes) -> Any:
    """Read JSON, without the constants that Python adds to it.

    :raises ValueError: when it is none.
    :raises RecursionError: when it is nested too deeply.
    """
    return json.loads(raw, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
