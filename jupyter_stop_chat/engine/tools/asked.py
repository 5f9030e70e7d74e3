"""What one page was asked to do, and how long it is waited for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from jupyter_stop_chat.wire.server_frames import ToolCancel, ToolRequest

from .page import Page

#: The longest answer that is taken, in characters.
MAX_ANSWER = 4 * 1024 * 1024
#: What a page may say instead of a result.
CODES = frozenset(
    (
        *("not_open", "gone", "changed", "changed_kernel"),
        *("busy", "read_only", "too_large", "bad_request", "failed"),
    )
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long pages are waited for, in seconds.

    :ivar taken: until one says that it does what it was asked; then the next one is asked.
    :ivar answered: until its answer.
    :ivar back: until a page whose connection has ended comes back.
    """

    taken: float = 2.0
    answered: float = 30.0
    back: float = 5.0


class Asked:
    """What one page is asked to do.

    :param effect: it changes a document: it is for that page alone, and whether it was done may
        stay unknown.
    :ivar page: which page, on the connection that it had last.
    :ivar answer: the result, as JSON, and why there is none, if there is none.
    """

    def __init__(
        self, owner: str, request: ToolRequest, patience: Patience, *, effect: bool
    ) -> None:
        self.id = request.call
        self.owner = owner
        self.page: Page | None = None
        self.answer: asyncio.Future[tuple[str | None, str | None]] = (
            asyncio.get_running_loop().create_future()
        )
        self._request = request
        self._patience = patience
        self._effect = effect
        self._is_taken = False
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, page: Page) -> None:
        """Ask a page, also once more where it has come back: it knows the request by its id."""
        self.page = page
        # An effect is nobody else's: there is no hurry to ask the next one.
        self._wait(self._patience.answered if self._effect else self._patience.taken)
        page.tell(self._request)

    def taken(self, page: Page) -> None:
        """Hear that a page does it: the one that was asked, for nobody else knows of it."""
        self.page, self._is_taken = page, True
        page.heard()
        self._wait(self._patience.answered)

    def left(self) -> None:
        """Hear that the page's connection has ended: an effect may have been done."""
        if self._effect:
            self._wait(self._patience.back)
        else:
            self._answer(None, "no_page")

    def answered(self, result: str | None, error: str | None) -> None:
        """Take the page's answer."""
        if result is not None and len(result) > MAX_ANSWER:
            result, error = None, "too_large"
        if error is not None and error not in CODES:
            error = "failed"
        self._answer(result, error)

    def end(self) -> None:
        """Tell the page that nobody waits for it any more, and that its answer has come."""
        if self._timer is not None:
            self._timer.cancel()
        self.answer.cancel()
        if self.page is not None:
            self.page.tell(ToolCancel(call=self.id))

    def _answer(self, result: str | None, error: str | None) -> None:
        if not self.answer.done():
            self.answer.set_result((result, error))

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.answer.done():
            self._timer = asyncio.get_running_loop().call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        """Wait no longer; of a page that says nothing at all that is noted."""
        if self.page is not None and not self._is_taken:
            self.page.silent = True
        self._answer(None, "failed" if self._effect else "no_answer")
