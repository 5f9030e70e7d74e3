"""Pieces: the texts of messages that a client asks for one by one, as a list leaves them out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from jupyter_stop_chat.wire.client_frames import WantedPiece
from jupyter_stop_chat.wire.objects import Message
from jupyter_stop_chat.wire.server_frames import Piece
from jupyter_stop_chat.wire.utf16 import utf16_length, utf16_slice

from .opening import MOST_TEXT, character_start

#: With less room than this a frame is full: the next text begins in the next one.
LEAST = 4096


async def read_pieces(
    wanted: Sequence[WantedPiece], get: Callable[[str], Awaitable[Message | None]]
) -> list[Piece]:
    """Return the texts that are wanted, in order, as many as one frame carries.

    What is not there is answered as an empty text; what is left out is to be asked for again.

    :param get: reads a message, or None where the client may know of none.
    """
    pieces: list[Piece] = []
    room = MOST_TEXT
    message: Message | None = None
    for each in wanted:
        if pieces and room < LEAST:
            break
        if message is None or message.id != each.message_id:
            message = await get(each.message_id)
        piece = _piece(each, text_of(message, each) if message is not None else "", room)
        room -= utf16_length(piece.text)
        pieces.append(piece)
    return pieces


def text_of(message: Message, wanted: WantedPiece) -> str:
    """Return one of the texts of a message; an empty one where there is none."""
    at = wanted.at
    match wanted.part:
        case "text":
            return message.text
        case "reasoning":
            return message.reasoning or ""
        case "attachment":
            return message.attachments[at].text if at < len(message.attachments) else ""
    if at >= len(message.tools):
        return ""
    call = message.tools[at]
    return (call.args if wanted.part == "tool_args" else call.result) or ""


def _piece(wanted: WantedPiece, text: str, room: int) -> Piece:
    start = character_start(text, wanted.offset)
    return Piece(
        message_id=wanted.message_id,
        part=wanted.part,
        at=wanted.at,
        offset=start,
        text=utf16_slice(text, start, start + room),
        length=utf16_length(text),
    )
