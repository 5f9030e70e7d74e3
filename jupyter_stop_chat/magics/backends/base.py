"""What the magics ask of where chats are: a Jupyter Server, or the kernel itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from jupyter_stop_chat.magics.line import Line

#: One event of a reply: its name and its content, as `POST generate` tells them.
ReplyEvent = tuple[str, dict[str, Any]]

#: The names of the events that end a reply.
LAST = frozenset({"completed", "interrupted", "failed"})


class Backend(Protocol):
    """What keeps chats and makes replies; objects are those of the HTTP API, as dictionaries.

    Each method raises `StopChatError` for what is refused and `OSError` when nothing answers.
    """

    #: What a person is told of it.
    label: str

    def stream(self, prompt: dict[str, Any], line: Line) -> Iterator[ReplyEvent]:
        """Send a prompt and yield its reply's events; ends with one of `LAST`."""
        ...

    def stop(self, target: dict[str, Any]) -> list[dict[str, Any]]:
        """Stop what `message_id` (with `shown`), `request_id` or `chat_id` names, or all."""
        ...

    def path(self, line: Line) -> str | None:
        """Return the notebook that this kernel is of, as its server calls it; None elsewhere."""
        ...

    def chats(self, line: Line, query: str = "", limit: int = 20) -> list[dict[str, Any]]:
        """List chats, newest change first."""
        ...

    def chat(self, chat_id: str) -> dict[str, Any]:
        """Return a chat and its messages."""
        ...

    def rename(self, chat_id: str, title: str) -> None:
        """Give a chat a title."""
        ...

    def models(self) -> dict[str, Any]:
        """Return the models that can be chosen, and the default one."""
        ...

    def running(self) -> list[dict[str, Any]]:
        """List what is being made or waits."""
        ...
