"""Close one of several parts so that the others are closed as well."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

#: How long each part is waited for when it is closed, in seconds. Jupyter Server ends by itself
#: only when all extensions have.
PATIENCE_S = 10.0


async def close_part(
    name: str, close: Callable[[], Awaitable[object]], patience: float | None = None
) -> None:
    """Close one of several parts: what it raises is logged, and it is not waited for for ever.

    :param name: what it is, for the log.
    :param patience: seconds; by default, a server's.
    """
    patience = PATIENCE_S if patience is None else patience
    task = asyncio.ensure_future(close())
    try:
        await asyncio.wait({task}, timeout=patience)
    except asyncio.CancelledError:
        task.cancel()
        raise
    if not task.done():
        task.cancel()
        # It may ignore that as well: nobody waits for it any more.
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        log.error("%s took more than %g seconds to close: not waited for", name, patience)
    elif task.cancelled():
        log.error("%s could not be closed: it was cancelled", name)
    elif (error := task.exception()) is not None:
        # Its words can hold a key.
        log.error("%s could not be closed: %s", name, type(error).__name__)
