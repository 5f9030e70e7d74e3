"""Which pages of a person are there, in which order they are asked, and which may come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .page import Page


class Present:
    """The pages that are there, of everybody.

    :param patience: for so long a page whose connection has ended may come back, in seconds.
    """

    def __init__(self, patience: Callable[[], float]) -> None:
        self._patience = patience
        #: By owner, in the order in which they came.
        self._here: dict[str, list[Page]] = {}
        #: Those that went a moment ago, and may come back.
        self._away: dict[Page, asyncio.TimerHandle] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._focused = 0

    @property
    def held(self) -> int:
        """Count what is held of them."""
        return len(self._here) + len(self._away) + len(self._news)

    def __contains__(self, page: Page) -> bool:
        return page in self._here.get(page.owner, ())

    # --- coming and going --------------------------------------------------------------------

    def enter(self, page: Page) -> None:
        """Take a page in."""
        self._here.setdefault(page.owner, []).append(page)

    def leave(self, page: Page) -> bool:
        """Take a page out, and expect it back; tell whether it was one that works."""
        if not self._remove(page) or not page.works:
            return False
        loop = asyncio.get_running_loop()
        self._away[page] = loop.call_later(self._patience(), self._forget, page)
        return True

    def focus(self, page: Page, page_id: str | None, *, here: bool) -> list[Page]:
        """Hear that a page works, which one it is, and whether a person works in it.

        :returns: its connections before this one, which it takes over.
        """
        page.id = page_id or page.id
        page.heard()
        if here:
            self._focused += 1
            page.focused = self._focused
        # Of a connection that is dead nobody may have noticed yet that it is.
        known = [*self._here.get(page.owner, ()), *self._away]
        before = [each for each in known if each is not page and page.follows(each)]
        for each in before:
            self._remove(each)
            page.take_over(each)
            self._forget(each)
        self._wake(page.owner)
        return before

    def close(self) -> None:
        """Expect no page any more."""
        for page in list(self._away):
            self._forget(page)

    def _remove(self, page: Page) -> bool:
        """Take a page out; tell whether it was there."""
        if page not in self:
            return False
        here = self._here[page.owner]
        here.remove(page)
        if not here:
            del self._here[page.owner]
        return True

    def _forget(self, page: Page) -> None:
        """Expect a page that went no longer."""
        timer = self._away.pop(page, None)
        if timer is not None:
            timer.cancel()
        self._wake(page.owner)

    # --- asking ------------------------------------------------------------------------------

    def in_order(self, owner: str, request_id: str) -> list[Page]:
        """Return an owner's pages: where a request was sent, then as they were worked in.

        Those that said nothing when they were asked last are asked where there is no other.
        """
        here = [each for each in self._here.get(owner, ()) if each.works]
        return sorted(
            [each for each in here if not each.silent] or here,
            key=lambda page: (request_id in page.requests, page.focused),
            reverse=True,
        )

    def has_any(self, owner: str) -> bool:
        """Tell whether an owner has a page that works."""
        return any(each.works for each in self._here.get(owner, ()))

    def is_awaited(self, owner: str) -> bool:
        """Tell whether an owner has no page, and one may come back."""
        return not self.has_any(owner) and any(each.owner == owner for each in self._away)

    def may_return(self, page: Page | None) -> bool:
        """Tell whether a page has gone that may come back."""
        return page in self._away

    async def news(self, owner: str) -> None:
        """Wait until a page of an owner comes, or is not expected any more."""
        await self._news.setdefault(owner, asyncio.Event()).wait()

    def _wake(self, owner: str) -> None:
        if (news := self._news.pop(owner, None)) is not None:
            news.set()
