"""A stream of a reply that another process makes: it has all of its text, whatever was told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jupyter_stop_chat.connection.reply_stream import ReplyStream
from jupyter_stop_chat.ports.handler import WasThought
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.server_frames import Error
from tests.aids.turns import until
from tests.connection.streams import read_stream
from tests.engine.bench import OWNER
from tests.engine.reached import reached, twins
from tests.engine.servers.two_processes import begin

__all__ = ["reached", "twins"]

#: More than is told at once.
MUCH = 40 * ("word " * 2000)


async def _stream(reached: Any) -> tuple[str, ReplyStream]:
    """Ask through B behind a reply that A makes; return the new one's id once it begins there."""
    accepted = await begin(reached)
    asked = await reached.b.send("x", accepted.chat_id)
    reached.model.feed(accepted.message.id, None)
    lane = reached.a.engine.registry.lane(OWNER, accepted.chat_id)
    await until(lambda: lane.running is not None and lane.running.id == asked.message.id)
    return asked.message.id, ReplyStream(reached.b.engine, asked)


async def test_a_text_that_grows_by_much_at_once(reached: Any) -> None:
    """S3: followers are told only how long it is; a stream reads it."""
    message_id, stream = await _stream(reached)
    reached.model.feed(message_id, MUCH, None)
    text, last = await read_stream(stream)
    assert (text == MUCH, last.name) == (True, "completed")


async def test_much_that_turns_out_to_be_a_thought(reached: Any) -> None:
    """T7, S3: the text is the answer alone."""
    message_id, stream = await _stream(reached)
    reading = asyncio.ensure_future(read_stream(stream))
    reached.model.feed(message_id, "some ")
    await until(lambda: stream._text.length > 0)
    reached.model.feed(message_id, MUCH, WasThought(), "answer", None)
    text, last = await reading
    assert (text, last.name) == ("answer", "completed")


async def test_a_stream_that_begins_behind_what_others_know(reached: Any) -> None:
    """S3: what was told of the reply before it began is read."""
    accepted = await begin(reached, "half ")
    known = accepted.model_copy(
        update={"message": accepted.message.model_copy(update={"made_elsewhere": True})}
    )
    assert known.message.text == ""
    stream = ReplyStream(reached.b.engine, known)
    reached.model.feed(accepted.message.id, "whole", None)
    text, last = await read_stream(stream)
    assert (text, last.name) == ("half whole", "completed")


@pytest.mark.parametrize("gone", [True, False])
async def test_what_cannot_be_read_ends_the_stream(reached: Any, gone: bool) -> None:
    """S3: a text with a hole is not told."""
    message_id, stream = await _stream(reached)
    real = reached.b.store.get_message

    async def read(wanted: str) -> Any:
        if not stream._lacks:
            return await real(wanted)
        if gone:
            return None
        raise StopChatError(ErrorCode.INTERNAL)

    reached.b.store.get_message = read
    reached.model.feed(message_id, MUCH, None)
    text, last = await read_stream(stream)
    assert (text, last.name) == ("", "failed")
    assert isinstance(last.content, Error)
    assert last.content.code is (ErrorCode.UNKNOWN_MESSAGE if gone else ErrorCode.INTERNAL)


async def test_an_end_that_is_told_while_it_is_read(reached: Any) -> None:
    """S3: what came since is read as well, and told before the end is."""
    message_id, stream = await _stream(reached)
    real, b = reached.b.store.get_message, reached.b.engine.elsewhere
    made = reached.a.engine.generation(message_id)

    async def read(wanted: str) -> Any:
        found = await real(wanted)
        if wanted == message_id and found.text and stream._ended is None:
            reached.model.feed(message_id, "and its end.", None)
            await until(made.settled.done)
            reached.b.store.get_message = real
            await b.look()
            assert stream._ended is not None
        return found

    reached.model.feed(message_id, MUCH)
    await until(lambda: str(made.text) == MUCH)
    while (await real(message_id)).text != MUCH:
        pass
    await b.look()
    assert stream._lacks
    reached.b.store.get_message = read
    text, last = await read_stream(stream)
    assert (text == MUCH + "and its end.", last.name) == (True, "completed")
