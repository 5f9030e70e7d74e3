"""The last error of a session, as `%chat_error` sends it: the failed cell and its traceback."""

from __future__ import annotations

import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError

from jupyter_stop_chat.ports.fences import fenced

from .outcome import ChatFailed

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

#: So much of a cell and of a traceback is sent, in characters; of the latter its end, where the
#: error was raised.
MOST_SOURCE, MOST_TRACEBACK = 20_000, 8_000
#: So many calls of a traceback are told, the innermost: more is a recursion.
MOST_CALLS = 30
#: What says that nothing is wrong with a cell: a person's interrupt, a mistyped magic, a reply
#: that failed.
_NONE = (KeyboardInterrupt, SystemExit, UsageError, ChatFailed)


@dataclass(frozen=True, slots=True)
class Failure:
    """One error; it holds nothing of the person's objects alive.

    :ivar source: what the failed cell holds; empty where that is not known.
    """

    source: str
    traceback: str

    def markdown(self) -> str:
        """Write it down for a model."""
        parts = [fenced(self.source, "python")] if self.source else []
        return "\n\n".join([*parts, fenced(self.traceback)])


class Failures:
    """What notes each cell that fails, so that what fails later hides nothing."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._last: Failure | None = None

    def note(self, result: ExecutionResult) -> None:
        """Take in how a cell ended; IPython calls this after each."""
        error = result.error_before_exec or result.error_in_exec
        if error is not None and not isinstance(error, _NONE):
            source = result.info.raw_cell if result.info is not None else ""
            self._last = Failure(_head(source), _written(error))

    @property
    def last(self) -> Failure | None:
        """Return the newest one; also one from before this was there, and one in a script."""
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        if not isinstance(error, BaseException) or isinstance(error, _NONE):
            return self._last
        if self._last is not None and _written(error) == self._last.traceback:
            return self._last
        return Failure(_head(self._source_of(error)), _written(error))

    def _source_of(self, error: BaseException) -> str:
        """Return the cell that an error came through, from `In`."""
        numbers = getattr(self._shell.compile, "_filename_map", {})
        files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
        if isinstance(error, SyntaxError):
            files.append(error.filename or "")
        number = next((numbers[name] for name in reversed(files) if name in numbers), None)
        cells: Any = getattr(self._shell.history_manager, "input_hist_raw", [])
        return str(cells[number]) if number is not None and number < len(cells) else ""


def _written(error: BaseException) -> str:
    """Write a traceback down, from the person's own code on."""
    told = traceback.TracebackException.from_exception(error, limit=-MOST_CALLS)
    for each in _chain(told):
        own = next((n for n, frame in enumerate(each.stack) if not _is_shell(frame)), 0)
        del each.stack[:own]
    text = "".join(told.format()).rstrip()
    return text if len(text) <= MOST_TRACEBACK else f"…{text[-MOST_TRACEBACK:]}"


def _chain(told: traceback.TracebackException) -> list[traceback.TracebackException]:
    found, waiting = [], [told]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += [more for more in (each.__cause__, each.__context__) if more is not None]
    return found


def _is_shell(frame: traceback.FrameSummary) -> bool:
    """Tell whether a call is IPython's own, on its way to the cell."""
    return "/IPython/core/" in frame.filename.replace("\\", "/")


def _head(source: str) -> str:
    source = source.strip("\n")
    return source if len(source) <= MOST_SOURCE else f"{source[:MOST_SOURCE]}\n…"
