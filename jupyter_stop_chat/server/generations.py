"""The HTTP routes that make replies, tell what is being made, and stop it."""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from typing import TYPE_CHECKING

from pydantic import BaseModel
from tornado.iostream import StreamClosedError

from jupyter_stop_chat.connection.reply_stream import ReplyStream, StreamEvent
from jupyter_stop_chat.observe.events import STOPPED_EVERYONE, emit
from jupyter_stop_chat.wire.client_frames import Send, Stop
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.http import (
    GenerateRequest,
    InterruptAllRequest,
    InterruptRequest,
    InterruptResults,
    RunningGeneration,
    RunningGenerations,
    StreamStart,
)
from jupyter_stop_chat.wire.objects import Message, Outcome, StopResult
from jupyter_stop_chat.wire.server_frames import Delta, Error, MessageChanged, Thought, Tool

from .base import ChatApp, StopChatHandler
from .leave import EVERYONE_RESOURCE, may_stop_everyone
from .openapi import JSON, Operation, ref
from .owners import display_name

if TYPE_CHECKING:
    from jupyter_stop_chat.engine import Engine
    from jupyter_stop_chat.engine.stop import StoppedEveryone

log = logging.getLogger(__name__)

#: A reader of a stream without progress for this long is let go, in seconds.
STALLED_AFTER = 15.0
#: A stream without news says so this often, so that no proxy takes it for dead, in seconds.
KEEP_ALIVE = 15.0

#: What each event of a stream carries.
EVENTS: dict[str, tuple[type[BaseModel], ...]] = {
    "start": (StreamStart,),
    "delta": (Delta,),
    "thought": (Thought,),
    "tool": (Tool,),
    "completed": (MessageChanged,),
    "interrupted": (MessageChanged,),
    "failed": (MessageChanged, Error),
}
#: The schema of a stream: its events' names, and the JSON text in each.
STREAM = {
    "description": """\
One server-sent event. `start` comes first and carries the ids: from then on the reply
can be stopped. `delta` appends text at an offset, `thought` tells that the text from its
`text_length` on was a thought, which comes again as reasoning: cut it there. `tool` tells of a
tool call. One of `completed`, `interrupted` and `failed` is the last one and carries the message
without its text; its `text_length` tells where the text ends: cut what you have there. Lines that
begin with a colon only keep the connection alive. Closing the stream stops nothing.""",
    "oneOf": [
        {
            "type": "object",
            "required": ["event", "data"],
            "properties": {
                "event": {"const": name},
                "data": {
                    "type": "string",
                    "contentMediaType": JSON,
                    "contentSchema": {"anyOf": [ref(each) for each in carried]},
                },
            },
        }
        for name, carried in EVENTS.items()
    ],
}


class GenerateHandler(StopChatHandler):
    """The handler of `POST generate`: a reply as server-sent events."""

    def initialize(self, app: ChatApp) -> None:
        """Take the extension's app."""
        super().initialize(app)
        self._gone = asyncio.Event()

    @Operation(
        *("generate", "execute", {"text/event-stream": STREAM}),
        carried=tuple(each for carried in EVENTS.values() for each in carried),
        body=GenerateRequest,
        failures=(404, 409, 413, 503),
    )
    async def post(self) -> None:
        """Send a prompt and stream its reply.

        Closing the stream stops nothing.
        """
        asked = self.body(GenerateRequest)
        services = await self.services()
        if asked.model is None:
            await services.models.look()
        send = Send(
            type="send",
            request_id=asked.request_id or str(uuid.uuid4()),
            **asked.model_dump(exclude={"request_id", "attachments"}),
            attachments=asked.attachments,
        )
        accepted = await services.engine.send(self.owner, send)
        self.set_header("Content-Type", "text/event-stream; charset=utf-8")
        # No cache and no proxy may hold a delta back.
        self.set_header("Cache-Control", "no-cache, no-store, no-transform")
        self.set_header("X-Accel-Buffering", "no")
        stream = getattr(self.request.connection, "stream", None)
        if stream is not None:
            stream.set_nodelay(True)
        reply = ReplyStream(services.engine, accepted)
        try:
            while not self._gone.is_set():
                event = await self._next(reply)
                if not await self._send(event):
                    return
                if event is not None and event.last:
                    return
        finally:
            reply.close()

    async def _next(self, reply: ReplyStream) -> StreamEvent | None:
        """Return the next event, or None when there is no news for long or no reader left."""
        while (event := reply.next()) is None:
            gone = asyncio.ensure_future(self._gone.wait())
            news = asyncio.ensure_future(reply.news())
            done, waiting = await asyncio.wait(
                {gone, news}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED
            )
            for each in waiting:
                each.cancel()
            if not done or gone in done:
                return None
        return event

    async def _send(self, event: StreamEvent | None) -> bool:
        """Write an event once the reader has taken the ones before; tell whether it is there."""
        if self._gone.is_set():
            return False
        self.write(": \n\n" if event is None else event.encode())
        try:
            async with asyncio.timeout(STALLED_AFTER):
                await self.flush()
        except TimeoutError:
            log.debug("a stream's reader does not read: it is let go")
            stream = getattr(self.request.connection, "stream", None)
            if stream is not None:
                stream.close()
            return False
        except StreamClosedError:
            return False
        return True

    def on_connection_close(self) -> None:
        """Note that nobody reads any more; what is generated goes on."""
        super().on_connection_close()
        self._gone.set()


class GenerationsHandler(StopChatHandler):
    """The handler of `GET generations`."""

    @Operation("list_generations", "read", RunningGenerations)
    async def get(self) -> None:
        """List what is being made or waits: yours."""
        engine = (await self.services()).engine
        self.answer(
            RunningGenerations(
                generations=tuple(
                    RunningGeneration(
                        message_id=generation.id,
                        chat_id=generation.chat_id,
                        request_id=generation.request_id,
                        state=generation.state,
                        model=generation.model,
                        created_at=generation.message.created_at,
                        text_length=generation.text.length,
                    )
                    for generation in engine.running(self.owner)
                    if generation.is_accepted
                )
            )
        )


class GenerationHandler(StopChatHandler):
    """The handler of `GET generations/{message_id}`."""

    @Operation("get_generation", "read", Message)
    async def get(self, message_id: str) -> None:
        """Return a reply as it is now: while it is made, and after."""
        self.answer(await _reply(self.owner, (await self.services()).engine, message_id))


class InterruptHandler(StopChatHandler):
    """The handler of `POST generations/{message_id}/interrupt`."""

    unlimited = True

    @Operation("interrupt", "execute", StopResult, body=InterruptRequest)
    async def post(self, message_id: str) -> None:
        """Stop one reply at its model; answered once that is true."""
        asked = self.body(InterruptRequest)
        engine = (await self.services()).engine
        target = Stop(type="stop", message_id=message_id, shown=asked.shown, discard=asked.discard)
        (result,) = await engine.stop(self.owner, target)
        if result.outcome is Outcome.NOT_FOUND:
            raise StopChatError(ErrorCode.UNKNOWN_MESSAGE)
        self.answer(result)


class InterruptAllHandler(StopChatHandler):
    """The handler of `POST interrupt`."""

    unlimited = True

    @Operation("interrupt_all", "execute", InterruptResults, body=InterruptAllRequest)
    async def post(self) -> None:
        """Stop all that is yours, one chat's reply, one request's, or, by the authorizer's
        leave, everyone's.
        """
        asked = self.body(InterruptAllRequest)
        engine = (await self.services()).engine
        if asked.request_id or asked.chat_id or not asked.everyone:
            results = await engine.stop(self.owner, _target(asked))
            self.answer(InterruptResults(results=results))
            return
        if not await may_stop_everyone(self):
            raise StopChatError(ErrorCode.NOT_ALLOWED, EVERYONE_RESOURCE)
        if asked.discard:
            raise StopChatError(ErrorCode.INVALID_FIELD, "discard")
        stopped = await engine.stop_everyone()
        self._audit(stopped)
        self.answer(InterruptResults(results=stopped.results, unreached=stopped.unreached))

    def _audit(self, stopped: StoppedEveryone) -> None:
        """Note who stopped everyone's replies, and which."""
        messages = [
            each.message_id
            for each in stopped.results
            if each.message_id and each.outcome is Outcome.INTERRUPTED
        ]
        log.warning(
            "%s (%s) stopped everyone's replies: %d, of %d owners; processes not reached: %d",
            *(self.owner, json.dumps(display_name(self.current_user))),
            *(len(messages), len(stopped.owners), stopped.unreached),
        )
        emit(
            self.event_logger,
            STOPPED_EVERYONE,
            {
                "by": self.owner,
                "owners": list(stopped.owners),
                "messages": messages,
                "unreached": stopped.unreached,
            },
        )


async def _reply(owner: str, engine: Engine, message_id: str) -> Message:
    """Return an owner's reply.

    :raises StopChatError: `unknown_message`, also for one of another owner.
    """
    generation = engine.generation(message_id)
    if generation is not None and generation.owner == owner and generation.is_accepted:
        return generation.snapshot()
    return await engine.message(owner, message_id, "assistant")


def _target(asked: InterruptAllRequest) -> Stop:
    if asked.request_id is not None:
        return Stop(type="stop", request_id=asked.request_id, discard=asked.discard)
    if asked.chat_id is not None:
        return Stop(type="stop", chat_id=asked.chat_id, discard=asked.discard)
    return Stop(type="stop", all=True, discard=asked.discard)
