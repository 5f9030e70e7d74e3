"""The model that each person has chosen, and those before it: kept over a restart.

One small file for all servers and kernels on the same data, so that what is chosen in the page
holds in a notebook's cells as well.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jupyter_stop_chat.settings.private_file import alone, stamp_of, write_anew
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

log = logging.getLogger(__name__)

_VERSION = 1
#: So many models that somebody chose are remembered.
MOST_RECENT = 5
#: A longer file is none of ours, in bytes.
_LONGEST = 4 * 1024 * 1024
#: What can be a model's id; neither half a sign nor a line's end is in one.
_MODEL = re.compile(r"[^\s:\ud800-\udfff]{1,500}:[^\r\n\ud800-\udfff]{1,500}")
#: The stamp of a file that was just written: another process may have, as well.
_UNSEEN = object()


@dataclass(frozen=True, slots=True)
class Choice:
    """What one person has chosen.

    :ivar model: None leaves it to the server.
    :ivar recent: the models that were chosen, newest first.
    """

    model: str | None = None
    recent: tuple[str, ...] = ()


class Choices:
    """What keeps the choices of all.

    :param path: of the file; what is damaged in it counts for nothing, as a choice is soon made.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        #: The file's stamp, and what was in it: put in place together, as several threads look.
        self._held: tuple[object, dict[str, Choice]] = (None, {})
        self._writing = threading.Lock()

    def of(self, owner: str) -> Choice:
        """Return what an owner has chosen, as it was last read."""
        return self._held[1].get(owner, Choice())

    def look(self) -> None:
        """Read what another process may have changed. Blocks, but waits for nobody who writes."""
        stamp = stamp_of(self._path)
        if stamp == self._held[0]:
            return
        try:
            self._held = (stamp, self._read())
        except OSError as error:  # what was read before is better than nothing
            log.warning("the file of chosen models cannot be read: %s", type(error).__name__)

    async def settle(self, owner: str, model: str | None, before: str | None) -> None:
        """Keep a choice that follows from something else, which holds where it cannot be.

        :param before: what was chosen then; who has chosen another since has meant that.
        """
        try:
            await self._keep(owner, lambda chosen: model if chosen == before else chosen)
        except StopChatError as error:
            log.warning("which model is in use was not kept: %s", error.detail)

    async def choose(self, owner: str, model: str | None) -> None:
        """Keep a choice, or that there is none.

        :raises StopChatError: `internal`, when it cannot be kept.
        """
        await self._keep(owner, lambda chosen: model)

    async def _keep(self, owner: str, change: Callable[[str | None], str | None]) -> None:
        try:
            await asyncio.to_thread(self._change, owner, change)
        except OSError as error:
            detail = f"the choice cannot be kept: {type(error).__name__}"
            raise StopChatError(ErrorCode.INTERNAL, detail) from error

    def _change(self, owner: str, change: Callable[[str | None], str | None]) -> None:
        with self._writing, alone(self._path):
            known = self._read()
            recent = known.get(owner, Choice()).recent
            model = change(known.get(owner, Choice()).model)
            if model is not None:
                recent = tuple(dict.fromkeys([model, *recent]))[:MOST_RECENT]
            known[owner] = Choice(model, recent)
            lines = [
                {"owner": each, "model": choice.model, "recent": choice.recent}
                for each, choice in sorted(known.items())
            ]
            write_anew(self._path, {"version": _VERSION, "choices": lines})
            self._held = (_UNSEEN, known)

    def _read(self) -> dict[str, Choice]:
        """Read all choices.

        :raises OSError: it cannot be read, though it may be whole.
        """
        try:
            with self._path.open("rb") as file:
                held = json.loads(file.read(_LONGEST))
            lines = held["choices"] if held["version"] == _VERSION else []
            read = [_choice(each) for each in lines]
        except FileNotFoundError:
            return {}
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            log.warning("the file of chosen models cannot be read: %s", type(error).__name__)
            return {}
        if None in read:
            log.warning("the file of chosen models holds what is no choice")
        return dict(filter(None, read))


def _choice(line: object) -> tuple[str, Choice] | None:
    """Return whose choice a line holds, and which; None where it is none."""
    if not isinstance(line, Mapping):
        return None
    owner, model, recent = line.get("owner"), line.get("model"), line.get("recent")
    if not isinstance(owner, str) or not isinstance(recent, list):
        return None
    if not all(map(_is_model, recent if model is None else [model, *recent])):
        return None
    return owner, Choice(model, tuple(recent[:MOST_RECENT]))


def _is_model(said: object) -> bool:
    return isinstance(said, str) and _MODEL.fullmatch(said) is not None
