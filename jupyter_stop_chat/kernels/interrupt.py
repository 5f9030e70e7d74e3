"""How a run is interrupted: by its mark, or plainly, after a look at what runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, cast, get_args

from jupyter_stop_chat.ports.kernels import KernelError
from jupyter_stop_chat.wire.tools import KernelAnswer

from .in_kernel import REQUEST

if TYPE_CHECKING:
    from .connection import Connection
    from .run import LiveRun

log = logging.getLogger(__name__)

#: So long is waited for a kernel's answer, and for the server to interrupt it, in seconds.
ANSWER_S, PLAIN_S = 0.3, 0.4


async def interrupt(connection: Connection, run: LiveRun) -> tuple[KernelAnswer, bool]:
    """Interrupt a run; tell what the kernel says, and whether nothing else can have been hit."""
    if run.over:
        return "ended", True
    if connection.exact:
        answer = await by_mark(connection, run.mark)
        if answer in get_args(KernelAnswer):
            return cast("KernelAnswer", answer), True
        connection.unfit()
    return await interrupt_plainly(connection, run)


async def by_mark(connection: Connection, mark: str) -> str:
    """Have the kernel end the run with a mark, and return what it says."""
    try:
        async with asyncio.timeout(ANSWER_S):
            reply = await connection.ask("control", REQUEST, {"mark": mark})
            answer = (await reply.content()).get("answer")
    except (TimeoutError, KernelError):
        return "no_answer"
    return str(answer)


async def interrupt_plainly(connection: Connection, run: LiveRun) -> tuple[KernelAnswer, bool]:
    """Interrupt whatever the kernel does, if that is the run, as far as can be seen."""
    request = run.request
    if run.over or (request is not None and request.ended.is_set()):
        return "ended", True
    if request is None or not request.begun or connection.iopub.others(request.msg_id):
        return "not_sent", True
    try:
        async with asyncio.timeout(PLAIN_S):
            await connection.interrupt_plainly()
    except KernelError as error:
        log.warning("a kernel could not be interrupted: %s", error.code)
        return "no_answer", False
    except TimeoutError:
        log.warning("a kernel is interrupted, which takes long")
    return "plain", False
