"""The HTTP routes of tools: what they were asked, who lets them act, and what pages answer."""

from __future__ import annotations

import asyncio
from itertools import chain

from pydantic import ValidationError
from tornado.web import stream_request_body

from jupyter_stop_chat.engine.tools.asked import MAX_ANSWER
from jupyter_stop_chat.ports.tools import Change, tool_of
from jupyter_stop_chat.server.base import StopChatHandler
from jupyter_stop_chat.server.openapi import ID, Operation
from jupyter_stop_chat.server.uploads import UploadHandler
from jupyter_stop_chat.store.slices import in_slices
from jupyter_stop_chat.wire.client_frames import Approve, ToolAnswer
from jupyter_stop_chat.wire.codec import first_wrong, loads
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.tool_routes import (
    AllowedTool,
    AllowedTools,
    AnswerRequest,
    ApprovalRequest,
    ProposedChange,
    WholeCall,
    WholeCalls,
)

from .changes import finish_in_parts, listed, written, written_noted

#: The largest answer that is read, in bytes: what JSON makes of its letters can be longer.
MAX_ANSWER_BYTES = 4 * MAX_ANSWER
#: A longer one is read in a thread.
LONG = 64 * 1024


class CallsHandler(StopChatHandler):
    """The handler of `messages/{message_id}/calls`."""

    @Operation("get_calls", "read", WholeCalls)
    async def get(self, message_id: str) -> None:
        """Return the tool calls of a reply, whole: arguments, results, and what they change."""
        services = await self.services()
        engine, store = services.engine, services.store
        message = await engine.message(self.owner, message_id, "assistant")
        message = engine.as_shown([message])[0]
        kept = (await store.calls.of([message_id])).get(message_id, ())
        known = {each.call_id: each for each in kept}
        noted = await store.journal.changes(message_id)
        proposed = engine.approvals.proposed(message_id)
        # One by one: what they say and change may be long.
        written: list[list[str]] = []
        for shown in message.tools:
            whole = known.get(shown.call_id)
            call = WholeCall(
                call_id=shown.call_id,
                name=shown.name,
                state=shown.state,
                args=shown.args if whole is None else whole.args,
                result=shown.result if whole is None else whole.result,
            )
            asked = proposed.get(shown.call_id)
            mine = (each for each in noted if each.call_id == shown.call_id)
            changes = await in_slices(written_noted, mine)
            wanted = await in_slices(_written_proposed, asked.changes if asked else ())
            head = call.model_dump_json(exclude_none=True, exclude={"proposed", "changes"})
            parts = [f'{head[:-1]},"proposed":[', *listed(wanted), '],"changes":[']
            written.append([*parts, *listed(changes), "]}"])
        lines = chain.from_iterable([",", *each] if n else each for n, each in enumerate(written))
        await finish_in_parts(self, chain(['{"calls":['], lines, ["]}"]))


class ApprovalHandler(StopChatHandler):
    """The handler of `messages/{message_id}/calls/{call_id}/approval`."""

    @Operation("approve", "execute", status=204, body=ApprovalRequest, failures=(409,))
    async def post(self, message_id: str, call_id: str) -> None:
        """Allow what a tool call asks for, or refuse it; the same answer twice counts once."""
        asked = self.body(ApprovalRequest)
        approve = Approve(
            type="approve", message_id=message_id, call_id=call_id, **asked.model_dump()
        )
        await (await self.services()).engine.approve(self.owner, approve)
        self.set_status(204)
        self.finish()


class AllowedToolsHandler(StopChatHandler):
    """The handler of `allowed-tools`."""

    @Operation("list_allowed_tools", "read", AllowedTools)
    async def get(self) -> None:
        """List the tools that you let act unasked."""
        services = await self.services()
        rules = await services.store.allowed_tools.rules(self.owner)
        # Once, whichever editions of it are allowed.
        named = dict.fromkeys((chat, tool_of(rule)) for chat, rule in rules)
        tools = tuple(AllowedTool(tool=tool, chat_id=chat or None) for chat, tool in named)
        self.answer(AllowedTools(tools=tools, locked=services.engine.approvals.locked))

    @Operation(
        "ask_again",
        "write",
        status=204,
        query={"tool": {"type": "string", "minLength": 1}, "chat_id": ID},
    )
    async def delete(self) -> None:
        """Have a tool ask again: in one chat, or else in general; without `tool`, all tools."""
        tool = self.get_query_argument("tool", None)
        chat_id = self.get_query_argument("chat_id", "")
        store = (await self.services()).store.allowed_tools
        for chat, each in await store.rules(self.owner):
            if tool is None or (tool_of(each), chat) == (tool, chat_id):
                await store.ask_again(self.owner, chat, each)
        self.set_status(204)
        self.finish()


@stream_request_body
class ToolAnswersHandler(UploadHandler):
    """The handler of `tool-answers/{call}`: what is too long for a frame."""

    too_large = ErrorCode.ANSWER_TOO_LARGE
    most = MAX_ANSWER_BYTES

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse what is too large; the tool is told of that.

        :raises StopChatError: `answer_too_large`, `server_busy`, `too_fast`.
        """
        try:
            await super().prepare()
        except StopChatError as error:
            if error.code is self.too_large:
                await self._tell_too_large()
            raise

    @Operation("answer_tool", "execute", status=204, body=AnswerRequest, failures=(413, 503))
    async def post(self, call: str) -> None:
        """Answer what a tool asked of a page; a late answer changes nothing."""
        try:
            raw = self.file()
        except StopChatError:
            await self._tell_too_large()
            raise
        # In a thread where it is long: all others would wait for it.
        answer = await asyncio.to_thread(_read, call, raw) if len(raw) > LONG else _read(call, raw)
        (await self.services()).engine.pages.answered_apart(self.owner, answer)
        self.set_status(204)
        self.finish()

    async def _tell_too_large(self) -> None:
        answer = ToolAnswer(type="tool_answer", call=self.path_kwargs["call"], error="too_large")
        (await self.services()).engine.pages.answered_apart(self.owner, answer)


def _read(call: str, raw: bytes) -> ToolAnswer:
    """Read a page's answer.

    :raises StopChatError: `bad_frame` or `invalid_field`.
    """
    try:
        fields = loads(raw) if raw else {}  # no body is an empty one, as for other routes
    except (ValueError, RecursionError):
        raise StopChatError(ErrorCode.BAD_FRAME) from None
    if not isinstance(fields, dict):
        raise StopChatError(ErrorCode.BAD_FRAME)
    try:
        asked = AnswerRequest.model_validate(fields)
    except ValidationError as error:
        raise StopChatError(ErrorCode.INVALID_FIELD, first_wrong(error)) from None
    return ToolAnswer(type="tool_answer", call=call, **asked.model_dump())


def _written_proposed(change: Change) -> str:
    told = {name: getattr(change, name) for name in ProposedChange.model_fields}
    beside = None if change.beside is None else dict(change.beside)
    return written(ProposedChange(**told | {"beside": beside}))
