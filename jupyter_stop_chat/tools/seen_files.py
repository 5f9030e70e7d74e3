"""What a model has seen of files, so that it replaces no text that it does not know.

It is remembered while the server runs. What is forgotten is read again before it is replaced.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from .seen import digest_of

#: So many files are remembered of all chats together.
MOST_FILES = 2_000


@dataclass(slots=True)
class _File:
    """What is known of a file.

    :ivar lines: so many of its lines were shown, from the first one on.
    :ivar whole: all of them were, to their ends.
    """

    digest: str
    lines: int = 0
    whole: bool = False


class SeenFiles:
    """What models have seen of files, by their chats."""

    def __init__(self) -> None:
        self._files: OrderedDict[tuple[str, str], _File] = OrderedDict()

    def show(self, chat_id: str, path: str, text: str, first: int, last: int, total: int) -> bool:
        """Remember which lines of a text a model is shown; tell if it knew another text.

        :param first: how many lines are above them.
        :param last: how many there are up to their end.
        :param total: how many the text has.
        """
        digest = digest_of(text)
        known = self._files.get((chat_id, path))
        changed = known is not None and known.digest != digest
        if known is None or changed:
            known = self._keep(chat_id, path, _File(digest))
        if first <= known.lines:
            known.lines = max(known.lines, last)
            known.whole = known.whole or known.lines >= total
        return changed

    def knows(self, chat_id: str, path: str, text: str) -> bool:
        """Tell whether a model was shown all of a text."""
        known = self._files.get((chat_id, path))
        return known is not None and known.whole and known.digest == digest_of(text)

    def wrote(
        self, chat_id: str, path: str, before: str | None, after: str, *, all_of: bool
    ) -> None:
        """Remember what a model wrote itself.

        :param all_of: it wrote the whole text, and not a part of it.
        """
        whole = all_of or (before is not None and self.knows(chat_id, path, before))
        self._keep(chat_id, path, _File(digest_of(after), whole=whole))

    def _keep(self, chat_id: str, path: str, file: _File) -> _File:
        self._files[chat_id, path] = file
        self._files.move_to_end((chat_id, path))
        while len(self._files) > MOST_FILES:
            self._files.popitem(last=False)
        return file
