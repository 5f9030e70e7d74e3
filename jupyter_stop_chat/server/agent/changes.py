"""The HTTP route of what a reply changed in documents, and of what was taken back of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict

from pydantic import BaseModel
from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler

from jupyter_stop_chat.ports.tools import Noted
from jupyter_stop_chat.server.base import StopChatHandler
from jupyter_stop_chat.server.openapi import Operation
from jupyter_stop_chat.store.slices import in_slices
from jupyter_stop_chat.wire.http import DocumentChange, DocumentChanges, UndoRequest
from jupyter_stop_chat.wire.objects import Message

#: An answer is written in parts of about this length, in characters.
LONG = 256 * 1024


class ChangesHandler(StopChatHandler):
    """The handler of `messages/{message_id}/changes`."""

    @Operation("get_changes", "read", DocumentChanges)
    async def get(self, message_id: str) -> None:
        """Return what a reply changed in documents, or was about to change."""
        noted = await (await self.services()).engine.undo.changes(self.owner, message_id)
        # One by one: a deleted cell may have large outputs.
        written = await in_slices(written_noted, noted)
        await finish_in_parts(self, ['{"changes":[', *listed(written), "]}"])

    @Operation("note_changes", "write", Message, body=UndoRequest, failures=(409, 413))
    async def post(self, message_id: str) -> None:
        """Note what a page took back of that, or did again; the documents are the page's work."""
        asked = self.body(UndoRequest)
        undo = (await self.services()).engine.undo
        outcomes = {each.n: each.outcome for each in asked.outcomes}
        self.answer(await undo.note(self.owner, message_id, outcomes, undone=asked.undone))


async def finish_in_parts(handler: RequestHandler, parts: Iterable[str]) -> None:
    """Answer with JSON that may be very long: to write all of it at once would hold the loop."""
    handler.set_header("Content-Type", "application/json")
    with suppress(StreamClosedError):  # who asked has gone
        waiting = 0
        for part in parts:
            handler.write(part)
            waiting += len(part)
            if waiting > LONG:
                await handler.flush()
                waiting = 0
        handler.finish()


def listed(written: Iterable[str]) -> Iterator[str]:
    """Return what stands in a list of JSON, part by part."""
    for n, each in enumerate(written):
        if n:
            yield ","
        yield each


def written_noted(noted: Noted) -> str:
    """Return a change that was noted as JSON."""
    return written(
        DocumentChange(n=noted.n, call_id=noted.call_id, state=noted.state, **asdict(noted.change))
    )


def written(told: BaseModel) -> str:
    """Return a change as JSON, without what is not set; null is a word in `beside` alone."""
    unset = {name for name in type(told).model_fields if getattr(told, name) is None}
    return told.model_dump_json(exclude=unset)
