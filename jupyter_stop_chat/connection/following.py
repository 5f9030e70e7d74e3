"""Following: a chat whose changes one client is told of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jupyter_stop_chat.engine.changes import Change, TextGrew


@dataclass(slots=True, eq=False)
class Following:
    """A chat that is followed.

    :ivar held: changes that are kept back until the chat's answer is out.
    :ivar opened: the client has all that the chat held then.
    """

    chat_id: str
    hear: Callable[[Following, Change], None]
    held: list[Change] | None = None
    opened: bool = False

    def tell(self, change: Change) -> None:
        """Pass a change on, or keep it back."""
        if self.held is None:
            self.hear(self, change)
        # What is kept back is folded into what is read: of growing text nothing is needed.
        elif not (self.held and isinstance(change, TextGrew) and self.held[-1] == change):
            self.held.append(change)
