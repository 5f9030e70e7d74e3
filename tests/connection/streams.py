"""A reader of replies that are streamed."""

from __future__ import annotations

from jupyter_stop_chat.connection.reply_stream import ReplyStream, StreamEvent
from jupyter_stop_chat.wire.server_frames import Delta, Thought


async def read_stream(stream: ReplyStream) -> tuple[str, StreamEvent]:
    """Read a stream to its end; return its text, as a client has it, and the last event."""
    text = ""
    while True:
        while (event := stream.next()) is None:
            await stream.news()
        match event.content:
            case Delta(part="text", offset=offset, text=more):
                assert offset == len(text)
                text += more
            case Thought(text_length=length):
                text = text[:length]
        if event.last:
            stream.close()
            return text, event
