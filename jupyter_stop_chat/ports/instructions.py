"""What instructions need of others, and how the engine asks for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

#: Which instructions a chat handler takes: `all`, or only those that were `given` by people, where
#: the built-in ones do not fit.
Takes = Literal["all", "given"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """What instructions are put together for.

    :ivar chat: the chat's own instructions.
    :ivar path: the notebook or file that the person has open, where it is known.
    :ivar most: how long they may be, in UTF-16 code units, where that is known.
    """

    owner: str
    takes: Takes
    chat: str = ""
    path: str | None = None
    most: int | None = None


#: Puts instructions together; None where there are none.
Instruct = Callable[[Occasion], Awaitable[str | None]]


@dataclass(frozen=True, slots=True)
class RulesFile:
    """A rules file of a folder.

    :ivar path: from the server's root.
    :ivar left: how many characters of it were cut off.
    :ivar fault: why it could not be read, in words; None where it could.
    """

    path: str
    text: str = ""
    left: int = 0
    fault: str | None = None


class Surroundings(Protocol):
    """What the server knows of where a person is."""

    async def rules(self, path: str) -> Sequence[RulesFile]:
        """Return the rules files from the server's root to the folder of a file, in that order."""
        ...

    async def language(self, path: str) -> str | None:
        """Return what the kernel of a notebook speaks, where that is known."""
        ...
