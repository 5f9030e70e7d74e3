"""Read the frames of clients, and write those for them: JSON, checked before anything else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from .errors import ErrorCode, StopChatError
from .protocol import ClientFrame, Id

_ids: TypeAdapter[str] = TypeAdapter(Id)
_frames: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)
CLIENT_TYPES = frozenset(
    {
        *("send", "stop", "open", "read", "close", "continue", "regenerate", "edit"),
        *("unqueue", "reorder", "resume", "ping"),
    }
)


def decode(raw: str | bytes) -> ClientFrame:
    """Read one frame from a client.

    :param raw: the text of the frame.
    :raises StopChatError: `bad_frame`, `unknown_type` or `invalid_field`.
    """
    if isinstance(raw, bytes):
        raise StopChatError(ErrorCode.BAD_FRAME, "a binary frame")
    try:
        frame = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise StopChatError(ErrorCode.BAD_FRAME) from None
    if not isinstance(frame, dict):
        raise StopChatError(ErrorCode.BAD_FRAME)
    kind = frame.get("type")
    if not isinstance(kind, str) or kind not in CLIENT_TYPES:
        raise StopChatError(ErrorCode.UNKNOWN_TYPE)
    try:
        return _frames.validate_python(frame)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise StopChatError(ErrorCode.INVALID_FIELD, where) from None


def ids_of(raw: str | bytes) -> dict[str, str]:
    """Find `request_id` and `chat_id` in a frame that is not taken, so that its sender learns."""
    if isinstance(raw, bytes) or not ('"request_id"' in raw or '"chat_id"' in raw):
        return {}
    found = {}
    try:
        frame = json.loads(raw)
        for name in ("request_id", "chat_id"):
            with suppress(ValueError, KeyError):
                found[name] = _ids.validate_python(frame[name], strict=True)
    except (ValueError, TypeError, RecursionError):
        return {}
    return found


def may_be_stop(raw: str | bytes) -> bool:
    """Tell whether a frame can be a stop, without reading it; what is refused costs little."""
    return isinstance(raw, str) and ('"stop"' in raw or "\\u" in raw)


def encode(frame: BaseModel) -> str:
    """Write one frame for a client, without the fields that are not set."""
    return frame.model_dump_json(exclude_none=True)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
