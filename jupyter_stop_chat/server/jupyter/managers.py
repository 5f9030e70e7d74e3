"""Ask one of Jupyter Server's managers, of whichever kind: they may answer at once or later."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_core.utils import ensure_async


async def answer_of(asked: Any) -> Any:
    """Return what a manager answers.

    :raises asyncio.CancelledError: this task is cancelled, whatever the manager made of that.
    :raises RuntimeError: it was cancelled, though nobody asked for that: a failure like any other.
    """
    answer: Any = None
    failure: BaseException | None = None
    try:
        answer = await ensure_async(asked)
    except asyncio.CancelledError as error:
        failure = RuntimeError("CancelledError")
        failure.__cause__ = error
    except Exception as error:  # noqa: BLE001 - raised below
        failure = error
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
    if failure is not None:
        raise failure
    return answer
