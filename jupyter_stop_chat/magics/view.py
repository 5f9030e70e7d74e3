"""What a person sees of a reply: one display that is made anew, or lines in a terminal."""

from __future__ import annotations

import sys
import uuid
from typing import Any, Literal, Protocol

from jupyter_stop_chat.wire.utf16 import utf16_length

from .backends.base import LAST
from .received import Received

As = Literal["markdown", "code", "raw"]


class View(Protocol):
    """What shows a reply."""

    #: How much of the text has been shown, in UTF-16 code units.
    shown: int
    #: Whether anything is shown at all.
    visible: bool

    def paint(self, received: Received, status: str = "", mark: str = "") -> None:
        """Show the text, with what is being done, or the mark of how it ended, below it."""
        ...


class NoView:
    """What shows nothing, for `--quiet`."""

    visible = False
    shown = 0

    def paint(self, received: Received, status: str = "", mark: str = "") -> None:
        """Take the text for seen: all that came is kept."""
        self.shown = received.length


class RichView:
    """One display in a notebook, which is made anew as the text grows."""

    visible = True

    def __init__(self, form: As, note: str) -> None:
        self.shown = 0
        self._note = note
        self._raw = form == "raw"
        self._id = f"stop-chat-{uuid.uuid4()}"
        self._there = False

    def paint(self, received: Received, status: str = "", mark: str = "") -> None:
        """Show."""
        from IPython.display import display

        from jupyter_stop_chat.markdown.html import page
        from jupyter_stop_chat.markdown.plain import plain

        text = received.text
        mark = f"{status}…" if status else mark
        above, below = (note and f"[{note}]" for note in (self._note, mark))
        data = {"text/plain": plain("\n\n".join(part for part in (above, text, below) if part))}
        if not self._raw:
            data["text/html"] = page(text, above=self._note, below=mark)
        ids = {"chat_id": received.chat_id, "message_id": received.message_id}
        metadata: dict[str, Any] = {"jupyter_stop_chat": ids | {"state": received.state}}
        if received.message_id is None:
            metadata = {}
        display(data, raw=True, metadata=metadata, display_id=self._id, update=self._there)
        self._there = True
        self.shown = received.length


class PlainView:
    """What writes to a terminal, as the text grows."""

    visible = True

    def __init__(self, note: str) -> None:
        self._note = note
        self.shown = 0
        self._written = 0

    def paint(self, received: Received, status: str = "", mark: str = "") -> None:
        """Write what is new."""
        from jupyter_stop_chat.markdown.plain import plain

        text = received.text
        new = text[self._written :]
        if self._note:
            sys.stdout.write(f"[{self._note}]\n")
            self._note = ""
        if new:
            sys.stdout.write(plain(new))
            self._written = len(text)
        if mark:
            sys.stdout.write(f"\n[{plain(mark)}]")
        if received.state in LAST:
            sys.stdout.write("\n")
        sys.stdout.flush()
        self.shown = utf16_length(text)


def view(*, rich: bool, form: As, quiet: bool, note: str = "") -> View:
    """Choose how a reply is shown.

    :param note: a line that is shown above it.
    """
    if quiet:
        return NoView()
    return RichView(form, note) if rich else PlainView(note)
