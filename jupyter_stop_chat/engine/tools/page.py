"""One connection of a person's page, as far as tools are concerned."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from pydantic import BaseModel

#: So many requests of a page are remembered.
MOST_REQUESTS = 200


class Page:
    """One connection of a page.

    :param tell: puts a frame out to it.
    :ivar id: the page's own, the same on each of its connections; None: it told none.
    :ivar works: it said that it can do what tools ask.
    :ivar silent: it said nothing when it was asked last.
    :ivar focused: when the person worked in it last: a number that grows.
    :ivar requests: what was asked for there.
    """

    def __init__(self, owner: str, tell: Callable[[BaseModel], None]) -> None:
        self.owner = owner
        self.tell = tell
        self.id: str | None = None
        self.works = self.silent = False
        self.focused = 0
        self.requests: OrderedDict[str, None] = OrderedDict()

    def heard(self) -> None:
        """Note that it does what tools ask, and is not silent."""
        self.works, self.silent = True, False

    def sends(self, request_id: str) -> None:
        """Note that a reply is asked for there."""
        self.requests[request_id] = None
        if len(self.requests) > MOST_REQUESTS:
            self.requests.popitem(last=False)

    def follows(self, earlier: Page) -> bool:
        """Tell whether this is another connection of the same page."""
        return (self.id, self.owner) == (earlier.id, earlier.owner) and self.id is not None

    def take_over(self, earlier: Page) -> None:
        """Go on for an earlier connection of the same page."""
        self.focused = max(self.focused, earlier.focused)
        for each in earlier.requests:
            self.sends(each)
