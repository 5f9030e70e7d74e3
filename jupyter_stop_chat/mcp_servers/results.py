"""What a server's tool answered, as a model is told it: texts, pictures, and what was left out."""

from __future__ import annotations

import json
from typing import Any

from mcp import types

from jupyter_stop_chat.ports.tools import ToolPicture, ToolResult

#: So much of an answer is told, in characters: what is longer is cut once more, and says so.
MOST_TEXT = 100_000
MOST_PICTURES = 8
#: Of one picture, in characters of base64.
LARGEST_PICTURE = 4_000_000
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def result_of(answer: types.CallToolResult, *, sees: bool | None) -> ToolResult:
    """Return what a model is told. Blocks, where the answer is long.

    :param sees: whether the model takes pictures, where that is known.
    """
    told = _Told(sees)
    for item in answer.content:
        told.add(item)
    if not answer.content and answer.structuredContent is not None:
        told.say(json.dumps(answer.structuredContent, ensure_ascii=False))
    text = "\n".join(told.texts) or "The tool answered with nothing."
    return ToolResult(text, failed=answer.isError, pictures=tuple(told.pictures))


class _Told:
    """What is told of an answer, part by part."""

    def __init__(self, sees: bool | None) -> None:
        self.texts: list[str] = []
        self.pictures: list[ToolPicture] = []
        self._sees = sees
        self._room = MOST_TEXT

    def say(self, text: str) -> None:
        """Tell a text, as far as there is room."""
        cut = text[: self._room]
        self._room -= len(cut)
        if len(cut) < len(text):
            cut += f"\n[Cut here: {len(text) - len(cut):,} more characters were left out.]"
        if cut:
            self.texts.append(cut)

    def add(self, item: Any) -> None:
        """Tell a part of the answer."""
        match item:
            case types.TextContent():
                self.say(item.text)
            case types.ImageContent():
                self._show(item.mimeType, item.data)
            case types.ResourceLink():
                words = [item.title or item.name, str(item.uri), item.description or ""]
                self.say("[Link] " + " – ".join(filter(None, words)))
            case types.EmbeddedResource(resource=types.TextResourceContents() as resource):
                self.say(f"[{resource.uri}]\n{resource.text}")
            case types.EmbeddedResource(resource=resource):
                if (resource.mimeType or "") in PICTURES:
                    self._show(str(resource.mimeType), getattr(resource, "blob", ""))
                else:
                    self.say(f"[{resource.uri}: no text, left out.]")
            case _:
                self.say(f"[Left out, as no model is told it: {getattr(item, 'type', '')}.]")

    def _show(self, mime_type: str, data: str) -> None:
        """Show a picture, or say that it is not shown."""
        fits = len(self.pictures) < MOST_PICTURES and len(data) <= LARGEST_PICTURE
        if self._sees is False or mime_type not in PICTURES or not fits:
            self.say("[A picture, which you cannot be shown.]")
            return
        self.pictures.append(ToolPicture(mime_type, data))
        self.say(f"[Picture {len(self.pictures)}.]")
