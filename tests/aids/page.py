"""A page that believes nothing: it keeps what it is sent, and fails at what cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ENDED = frozenset({"completed", "interrupted", "failed"})


class Shown:
    """One message as a page shows it; text is kept as UTF-16, so that offsets are exact."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.text = bytearray()
        self.reasoning = bytearray()
        self.state = ""
        self.length = 0
        self.chat_id = ""
        self.tools: dict[str, str] = {}

    @property
    def ended(self) -> bool:
        """Tell whether it is in its last state."""
        return self.state in ENDED

    def __str__(self) -> str:
        return self.text.decode("utf-16-le")


class Page:
    """What shows what the frames say.

    :ivar incomplete: chats with an ended message whose text is not all here: open them again.
    """

    def __init__(self) -> None:
        self.messages: dict[str, Shown] = {}
        self.chats: dict[str, dict[str, Any]] = {}
        self.frames: list[dict[str, Any]] = []
        self.incomplete: set[str] = set()
        self.epoch = ""
        #: Whether frames are kept.
        self.keeps = True
        self.count = 0
        #: How many characters came, to see that what is here is not sent again.
        self.received = 0

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        """Return the frames of a type."""
        return [frame for frame in self.frames if frame["type"] == type_]

    def text(self, message_id: str) -> str:
        """Return what is shown of a message."""
        return str(self.messages[message_id])

    def offsets(self) -> dict[str, int]:
        """Return how much of each message is here."""
        return {key: len(each.text) // 2 for key, each in self.messages.items()}

    def show(self, frame: dict[str, Any]) -> None:
        """Take a frame in."""
        self.count += 1
        if self.keeps:
            self.frames.append(frame)
        match frame["type"]:
            case "welcome":
                self.epoch = frame["epoch"]
            case "accepted":
                self._message(frame["user_message"])
                self._message(frame["message"])
            case "message":
                self._message(frame["message"])
            case "chat":
                self.chats[frame["chat"]["id"]] = frame["chat"]
                if "messages" in frame:
                    self.incomplete.discard(frame["chat"]["id"])
                for message in frame.get("messages", ()):
                    self._message(message)
            case "delta":
                self._delta(frame)
            case "thought":
                shown = self.messages[frame["message_id"]]
                assert not shown.ended, "a thought after the end"
                del shown.text[frame["text_length"] * 2 :]
            case "tool":
                shown = self.messages[frame["message_id"]]
                assert not shown.ended, "a tool call after the end"
                shown.tools[frame["call_id"]] = frame["state"]

    def _message(self, message: Mapping[str, Any]) -> None:
        shown = self.messages.setdefault(message["id"], Shown(message["role"]))
        shown.chat_id = message["chat_id"]
        shown.state, shown.length = message["state"], message["text_length"]
        start = message["text_offset"]
        assert start * 2 <= len(shown.text), "a gap"
        self.received += len(message["text"])
        shown.text[start * 2 :] = message["text"].encode("utf-16-le")
        if "reasoning" in message:
            shown.reasoning[:] = message["reasoning"].encode("utf-16-le")
        for call in message["tools"]:
            shown.tools[call["call_id"]] = call["state"]
        if shown.ended:
            del shown.text[shown.length * 2 :]
            if len(shown.text) < shown.length * 2:
                self.incomplete.add(message["chat_id"])

    def _delta(self, frame: Mapping[str, Any]) -> None:
        shown = self.messages[frame["message_id"]]
        assert not shown.ended, "text after the end"
        part = shown.text if frame["part"] == "text" else shown.reasoning
        assert frame["text"], "an empty delta"
        assert frame["offset"] * 2 == len(part), "a gap or a doubled character"
        self.received += len(frame["text"])
        part += frame["text"].encode("utf-16-le")
