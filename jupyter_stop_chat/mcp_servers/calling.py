"""One call of a server's tool, and a Stop that reaches it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any

from anyio import BrokenResourceError, ClosedResourceError
from mcp import ClientSession, McpError, types

from jupyter_stop_chat.ports.tools import Call, ToolError

from .session import Session, first_of
from .streams import SENT
from .text import plain

#: Seconds in which a server may say that it has heard a cancel.
CANCEL_S = 0.5
#: Seconds for which a call is told as still running, where its server says nothing at all: the
#: protocol lets it keep silent, and nobody can tell that from one that works on.
SILENT_S = 60.0
LONGEST_PROGRESS = 200
#: Seconds for which a word of how far a call has come is to be seen.
PROGRESS_S = 0.2
LONGEST_REFUSAL = 2000
#: What a server answers that has forgotten the session, as the SDK words it.
FORGOTTEN = "Session terminated"

ENDED = (
    "The server of this tool ended while it worked; it may have had effects. It is started again "
    "with the next call."
)

NOT_ASKED = (
    "The server of this tool takes nothing any more: it was not asked. It is started again with "
    "the next call."
)
UNANSWERED = (
    "The server of this tool ended its answer without one: nobody knows whether this was done."
)


async def call_tool(
    session: Session,
    client: ClientSession,
    call: Call,
    name: str,
    args: Mapping[str, Any],
) -> types.CallToolResult:
    """Have a server's tool called, and return what it answered.

    :param name: the server's own name for it.
    :raises ToolError: the server refused, or ended meanwhile.
    :raises asyncio.CancelledError: the reply was stopped; the server was told.
    """
    sent: list[types.RequestId] = []
    unanswered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def about_to_send(request: types.RequestId) -> None:
        call.begin()
        sent.append(request)
        session.unanswered[request] = unanswered
        work.add_done_callback(lambda _: session.unanswered.pop(request, None))

    pace = _Pace(call.progress)

    async def show(progress: float, total: float | None, message: str | None) -> None:
        pace.say(_how_far(progress, total, message))

    params = types.CallToolRequestParams(name=name, arguments=dict(args))
    asked = types.ClientRequest(types.CallToolRequest(params=params))
    context = copy_context()
    context.run(SENT.set, about_to_send)
    # A task of its own: its answer is waited for behind a stop as well.
    work = asyncio.create_task(
        client.send_request(asked, types.CallToolResult, progress_callback=show),
        name="a tool of a server",
        context=context,
    )
    try:
        await first_of(work, session.ended, unanswered)
    except asyncio.CancelledError:
        await _stop(session, client, call, work, sent, unanswered)
        raise
    finally:
        pace.end()
    if not work.done():
        work.cancel()
        raise ToolError(UNANSWERED if unanswered.done() else _ended(session))
    return _answer(session, work)


def _answer(session: Session, work: asyncio.Task[types.CallToolResult]) -> types.CallToolResult:
    """Return what a call was answered, once it was."""
    try:
        return work.result()
    except McpError as error:
        if error.error.message == FORGOTTEN:
            session.ask_to_close()
            raise ToolError(_ended(session)) from error
        if error.error.code == types.CONNECTION_CLOSED:
            raise ToolError(_ended(session)) from error
        words = plain(error.error.message, LONGEST_REFUSAL) or "nothing more"
        raise ToolError(f"The server of this tool answered with an error: {words}") from error
    except asyncio.CancelledError:
        raise
    except (BrokenResourceError, ClosedResourceError) as error:
        session.ask_to_close()
        raise ToolError(NOT_ASKED) from error
    except Exception as error:
        # What it answered is not what the protocol has; its words are the server's.
        raise ToolError("The server of this tool answered what nobody understands.") from error


def _ended(session: Session) -> str:
    return f"{ENDED} {session.failure}" if session.failure else ENDED


async def _stop(
    session: Session,
    client: ClientSession,
    call: Call,
    work: asyncio.Task[Any],
    sent: list[types.RequestId],
    unanswered: asyncio.Future[None],
) -> None:
    """Tell a server that a call is stopped, and have the receipt tell what it said to that."""
    began = time.perf_counter()
    if not sent:
        work.cancel()
        return
    cancelled = types.CancelledNotification(
        params=types.CancelledNotificationParams(requestId=sent[0], reason="Stopped by a person.")
    )
    telling = asyncio.create_task(
        client.send_notification(types.ClientNotification(cancelled)), name="stop a server's tool"
    )
    try:
        await first_of(work, session.ended, timeout=CANCEL_S)
    finally:
        ms = (time.perf_counter() - began) * 1000
        if session.ended.done():
            call.server_said("gone", ms)
            work.cancel()
            telling.cancel()
        elif work.done():
            call.server_said("acknowledged", ms)
        else:
            call.server_said("unacknowledged", ms)
            call.leave(asyncio.create_task(_until_done(session, work, telling, unanswered)))
        _forget(work)
        _forget(telling)


async def _until_done(
    session: Session,
    work: asyncio.Task[Any],
    telling: asyncio.Task[None],
    unanswered: asyncio.Future[None],
) -> None:
    """Return when a call that was stopped has ended, as far as anybody can tell."""
    await first_of(work, session.ended, unanswered, timeout=SILENT_S)
    work.cancel()
    telling.cancel()


class _Pace:
    """What shows how far a call has come: the newest word, and not each of very many.

    :param show: shows it.
    """

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._words: str | None = None
        self._timer: asyncio.TimerHandle | None = None

    def say(self, words: str) -> None:
        """Show it now, or as soon as the last one was to be seen."""
        self._words = words
        if self._timer is None:
            self._go_on()

    def end(self) -> None:
        """Show nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _go_on(self) -> None:
        words, self._words, self._timer = self._words, None, None
        if words is not None:
            self._show(words)
            self._timer = asyncio.get_running_loop().call_later(PROGRESS_S, self._go_on)


def _forget(task: asyncio.Task[Any]) -> None:
    """Let nobody be told what becomes of a task."""
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _how_far(done: float, of: float | None, message: str | None) -> str:
    """Say how far a call has come."""
    count = f"{done:g} / {of:g}" if of else f"{done:g}"
    words = plain(message or "", LONGEST_PROGRESS - len(count) - 3)
    return f"{words} ({count})" if words else count
