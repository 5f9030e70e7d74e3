"""The instructions of each turn, from all who may say them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jupyter_stop_chat.ports.instructions import Occasion, RulesFile, Surroundings

from .assembling import Sources, assembled
from .own import OwnInstructions


class Instructions:
    """What puts the instructions of turns together.

    :param administrator: returns the administrator's; asked each time, since settings may change.
    :param surroundings: what the server knows of where a person is, where there is a server.
    :ivar own: the instructions that each person has given for all their chats.
    """

    def __init__(
        self,
        data_folder: Path,
        administrator: Callable[[], str],
        surroundings: Surroundings | None = None,
    ) -> None:
        self.own = OwnInstructions(data_folder / "stop-chat" / "instructions.json")
        self._administrator = administrator
        self._surroundings = surroundings

    async def __call__(self, occasion: Occasion) -> str | None:
        """Return the instructions of a turn; None where there are none."""
        general = occasion.takes == "all"
        language: str | None = None
        rules: tuple[RulesFile, ...] = ()
        if self._surroundings is not None and occasion.path is not None:
            rules = tuple(await self._surroundings.rules(occasion.path))
            language = await self._surroundings.language(occasion.path) if general else None
        sources = Sources(
            general=general,
            language=language,
            administrator=self._administrator(),
            person=await self.own.of(occasion.owner),
            rules=rules,
            chat=occasion.chat,
        )
        return assembled(sources, occasion.most)
