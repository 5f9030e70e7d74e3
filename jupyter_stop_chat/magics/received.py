"""What has come of a reply: its text by offsets, its ids and its end."""

from __future__ import annotations

from typing import Any

from jupyter_stop_chat.wire.utf16 import TextBuffer


class Received:
    """What takes a reply's events in.

    :ivar state: `queued` until text comes, `generating`, and at last what it ended as.
    """

    def __init__(self) -> None:
        self.state = "queued"
        self.chat_id = ""
        self.message_id: str | None = None
        self.model = ""
        self.error = ""
        #: What the model does besides writing, for the line below the text.
        self.doing = ""
        #: Whose stop it was, when it was stopped: `user`, or why the server did.
        self.reason = "user"
        #: Why it ended where it did, when that is not its own end: see `FinishReason`.
        self.finish_reason = ""
        #: How long the whole reply is that the chat keeps.
        self.kept = 0
        self._text = TextBuffer()

    @property
    def text(self) -> str:
        """Return the text so far."""
        return str(self._text)

    @property
    def length(self) -> int:
        """Return the text's length in UTF-16 code units."""
        return self._text.length

    def take(self, name: str, content: dict[str, Any]) -> None:
        """Take one event in."""
        match name:
            case "start":
                # A stream that was asked for again begins anew.
                message_id = content.get("message_id")
                if isinstance(message_id, str) and message_id:
                    self.message_id = message_id
                self.chat_id = str(content.get("chat_id") or "")
                self.model = str(content.get("model") or "")
            case "delta":
                self._delta(content)
            case "thought":
                self.doing = "Thinking"
                self.cut(content["text_length"])
            case "tool":
                running = content["state"] == "running"
                self.doing = f"Using {content['name']}" if running else ""
            case "completed" | "interrupted" | "failed":
                self._end(name, content)

    def cut(self, length: int) -> None:
        """Drop what lies behind a length: it was not seen."""
        self._text.cut(length)

    def _delta(self, content: dict[str, Any]) -> None:
        self.state = "generating"
        if content["part"] == "reasoning":
            self.doing = "Thinking"
            return
        self.doing = ""
        # Told anew after a break, or from where the text was cut.
        self._text.cut(content["offset"])
        if content["offset"] == self._text.length:
            self._text.append(content["text"])

    def _end(self, name: str, content: dict[str, Any]) -> None:
        self.state = name
        self.doing = ""
        message = content.get("message")
        if isinstance(message, dict):
            self.kept = message["text_length"]
            self._text.cut(self.kept)
            self.error = (message.get("error") or {}).get("message", "")
            self.finish_reason = message.get("finish_reason") or ""
            self.reason = (message.get("stop") or {}).get("reason", "")
        elif isinstance(message, str):  # the stream ends with an error, not with a message
            self.error = message
