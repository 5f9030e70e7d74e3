"""Messages of a kernel, as they come: read in slices, and only as far as somebody needs it."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from queue import Empty
from typing import Any

from jupyter_client.session import DELIM

from jupyter_stop_chat.threads import in_thread

log = logging.getLogger(__name__)

#: A larger message is read in a thread, in bytes.
SMALL = 64 * 1024
#: A kernel that tells without end is listened to for so long at once, then others have their turn.
SLICE_S, PAUSE_S = 0.004, 0.004
#: How often is looked where a channel cannot wait, as that of a gateway.
POLL_S = 0.02
#: What stands for a character in JSON, cut off at its end.
_CUT = re.compile(r"u[0-9a-fA-F]{0,3}$")


@dataclass(frozen=True, slots=True)
class Heard:
    """One message.

    :ivar session: of who sent it.
    :ivar parent: the id of the message that it answers.
    :ivar parent_kind: what that one is.
    :ivar subshell: the subshell that it ran in; None: the kernel's main one.
    :ivar size: of the content, in bytes.
    """

    kind: str
    session: str
    parent: str
    parent_kind: str
    parent_session: str
    subshell: str | None
    size: int
    _read: Callable[[], dict[str, Any]]
    _read_beginning: Callable[[int], dict[str, Any]]

    async def beginning(self, most: int) -> dict[str, Any]:
        """Return what a long text on a stream begins with; where it is not as usual, nothing.

        To read all of it would hold up everything in this process, in a thread as well.

        :param most: so many bytes are read.
        """
        try:
            return await in_thread(self._read_beginning, most)
        except (ValueError, TypeError, RecursionError):
            log.debug("a message of a kernel cannot be read")
            return {}

    async def content(self) -> dict[str, Any]:
        """Return what it says; of one that is forged, nothing."""
        try:
            return self._read() if self.size <= SMALL else await in_thread(self._read)
        except (ValueError, TypeError, RecursionError):
            log.debug("a message of a kernel cannot be read")
            return {}


async def listen(channel: Any, session: Any) -> AsyncIterator[Heard]:
    """Yield what comes on a channel, while others of this loop go on."""
    socket = getattr(channel, "socket", None)
    began = time.monotonic()
    while True:
        if socket is None:
            try:
                heard = _of_gateway(channel.get_nowait())
            except Empty:
                await asyncio.sleep(POLL_S)
                began = time.monotonic()
                continue
        else:
            coming = socket.recv_multipart()
            if coming.done():
                frames = coming.result()
            else:
                frames = await coming
                began = time.monotonic()
            heard = _of_frames(frames, session)
        if heard is not None:
            yield heard
        if time.monotonic() - began > SLICE_S:
            await asyncio.sleep(PAUSE_S)
            began = time.monotonic()


def _of_frames(frames: list[bytes], session: Any) -> Heard | None:
    """Read what a message is about; its content is looked at where somebody asks for it."""
    at = frames.index(DELIM) + 1 if DELIM in frames else len(frames)
    signature, *parts = frames[at : at + 5] or [b""]

    def read() -> dict[str, Any]:
        if session.auth is not None and not hmac.compare_digest(session.sign(parts), signature):
            raise ValueError
        content = session.unpack(parts[3])
        return content if isinstance(content, dict) else {}

    def read_beginning(most: int) -> dict[str, Any]:
        if session.auth is not None and not hmac.compare_digest(session.sign(parts), signature):
            raise ValueError
        content = json.loads(uncut(parts[3][:most].decode("utf-8", "ignore")) + '"}')
        return content if isinstance(content, dict) else {}

    try:
        header, parent, size = session.unpack(parts[0]), session.unpack(parts[1]), len(parts[3])
        return _heard(header, parent, size, read, read_beginning)
    except Exception:  # noqa: BLE001 - of whichever kernel: what comes behind it is heard
        log.debug("a message of a kernel cannot be read")
        return None


def uncut(text: str) -> str:
    """Leave out half of what stands for one character at the end of JSON that was cut off."""
    for each in (text[:-4] + _CUT.sub("", text[-4:]), text):
        if (len(each) - len(each.rstrip("\\"))) % 2:
            return each[:-1]
    return text


def _of_gateway(message: Mapping[str, Any]) -> Heard | None:
    content = message.get("content")
    content = content if isinstance(content, dict) else {}
    size = sum(len(each) for each in content.values() if isinstance(each, str))

    def beginning(most: int) -> dict[str, Any]:
        return {**content, "text": str(content.get("text", ""))[:most]}

    of, about = message.get("header"), message.get("parent_header")
    return _heard(of, about, size, lambda: content, beginning)


def _heard(
    header: Any,
    parent: Any,
    size: int,
    read: Callable[[], dict[str, Any]],
    read_beginning: Callable[[int], dict[str, Any]],
) -> Heard | None:
    if not isinstance(header, dict):
        return None
    parent = parent if isinstance(parent, dict) else {}
    subshell = parent.get("subshell_id")
    return Heard(
        str(header.get("msg_type", "")),
        str(header.get("session", "")),
        str(parent.get("msg_id", "")),
        str(parent.get("msg_type", "")),
        str(parent.get("session", "")),
        subshell if isinstance(subshell, str) else None,
        size,
        read,
        read_beginning,
    )
