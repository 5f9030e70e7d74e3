"""The pictures of a history: whether a model takes them, and how they are read for it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from jupyter_stop_chat.ports.handler import Turn, TurnMessage
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError


def takes_pictures(model: Any) -> bool | None:
    """Tell whether a chat model takes pictures, where LangChain's profile of it says so.

    It can be given as a parameter as well: `{"profile": {"image_inputs": true}}`.
    """
    takes = (getattr(model, "profile", None) or {}).get("image_inputs")
    return takes if isinstance(takes, bool) else None


async def read_pictures(turn: Turn, messages: Sequence[TurnMessage]) -> dict[str, str]:
    """Read the pictures of a history, as base64, by their digests.

    :raises StopChatError: `unknown_picture`, where one of the prompt itself is gone; of older ones
        the model knows the names.
    """
    read: dict[str, str] = {}
    for message in messages:
        for each in message.pictures:
            digest = each.picture.digest
            if digest in read:
                continue
            data = await turn.read(each)
            if data is not None:
                encoded = await in_thread(base64.b64encode, data)
                read[digest] = encoded.decode("ascii")
            elif message is messages[-1]:
                raise StopChatError(ErrorCode.UNKNOWN_PICTURE, "gone before it was sent")
    return read
