"""How a cell ends: with a reply, as interrupted, or as failed; never with a traceback."""

from __future__ import annotations


class Interrupted(KeyboardInterrupt):
    """What ends the cell as an interrupt does, without a traceback: Run All goes no further."""

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}"]


# Front ends know an interrupted cell by this name.
Interrupted.__name__ = Interrupted.__qualname__ = "KeyboardInterrupt"


class ChatFailed(Exception):
    """What ends the cell as failed, with one sentence."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Reply(str):
    """A reply's text, for `--to`.

    :ivar state: `completed` or `interrupted`.
    :ivar finish_reason: why it did not come to its own end (`length`, say), or nothing.
    :ivar chat_id: the chat that it is in.
    :ivar message_id: its own id.
    :ivar model: what made it.
    """

    __slots__ = ("chat_id", "finish_reason", "message_id", "model", "state")

    state: str
    finish_reason: str
    chat_id: str
    message_id: str
    model: str
