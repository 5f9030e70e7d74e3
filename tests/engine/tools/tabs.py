"""Pages of a person, as far as tools are concerned: what each has open, and what it was told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from jupyter_stop_chat.engine.tools.page import Page
from jupyter_stop_chat.engine.tools.pages import PageCalls
from jupyter_stop_chat.wire.client_frames import ToolAnswer
from jupyter_stop_chat.wire.server_frames import ToolCancel, ToolRequest

OWNER = "ada"


class Reply:
    """What stands for a generation."""

    def __init__(self, request_id: str = "") -> None:
        self.id = str(uuid.uuid4())
        self.owner = OWNER
        self.request_id = request_id
        self.fenced = False


class Tab:
    """A page that keeps what it answers until that is taken, as the real one does.

    :ivar documents: what it has open, and what is in it.
    :ivar done: the edits that it made, by the ids of the requests.
    :ivar asked: what it was asked, in order; again where it was asked again.
    :ivar silent: it answers nothing now; `slow`: it takes a request, and answers when it is told.
    :ivar cut_after: its connection ends behind so many frames, whichever way they go.
    """

    def __init__(
        self, pages: PageCalls, *paths: str, owner: str = OWNER, here: bool = False
    ) -> None:
        self.pages = pages
        self.owner = owner
        self.id = str(uuid.uuid4())
        self.documents = dict.fromkeys(paths, "")
        self.done: dict[str, Any] = {}
        self.asked: list[ToolRequest] = []
        self.cancelled: set[str] = set()
        self.silent = self.slow = False
        self.answer: Callable[[ToolRequest], tuple[Any, str | None]] = self._answer
        self.cut_after: int | None = None
        self.page: Page | None = None
        self._kept: dict[str, ToolAnswer] = {}
        self.connect(here=here)

    # --- its connection ----------------------------------------------------------------------

    def connect(self, *, here: bool = False) -> None:
        """Connect, and say again what nobody has taken."""
        page: Page | None = None

        def hear(frame: BaseModel) -> None:
            if self.page is page and self._passes():
                self._hear(frame)

        self.page = page = Page(self.owner, hear)
        self.pages.enter(page)
        self.pages.focus(page, self.id, here=here)
        for answer in list(self._kept.values()):
            self._send(answer)

    def leave(self) -> None:
        """End the connection."""
        page, self.page = self.page, None
        if page is not None:
            self.pages.leave(page)

    def _passes(self) -> bool:
        """Let a frame pass, unless the connection ends now."""
        if self.page is None:
            return False
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                self.cut_after = None
                self.leave()
                return False
        return True

    # --- what it does ------------------------------------------------------------------------

    def _hear(self, frame: BaseModel) -> None:
        if isinstance(frame, ToolCancel):
            self.cancelled.add(frame.call)
            self._kept.pop(frame.call, None)
        elif isinstance(frame, ToolRequest) and not self.silent:
            self.asked.append(frame)
            if frame.call in self._kept:
                self._send(self._kept[frame.call])
                return
            if self._passes() and self.page is not None:
                self.pages.taken(self.page, frame.call)
            if not self.slow:
                self.finish(frame)

    def finish(self, frame: ToolRequest) -> None:
        """Do what it was asked, and answer."""
        if frame.call in self.cancelled:
            return
        result, error = self.answer(frame)
        written = None if result is None else json.dumps(result)
        answer = ToolAnswer(type="tool_answer", call=frame.call, result=written, error=error)
        self._kept[frame.call] = answer
        self._send(answer)

    def _send(self, answer: ToolAnswer) -> None:
        if self._passes() and self.page is not None:
            self.pages.answered(self.page, answer)

    def _answer(self, frame: ToolRequest) -> tuple[Any, str | None]:
        if frame.operation == "documents":
            return {"documents": [{"path": each, "by": self.id} for each in self.documents]}, None
        path = frame.args["path"]
        if path not in self.documents:
            return None, "not_open"
        if frame.operation == "edit":
            assert frame.call not in self.done, "done twice"
            self.done[frame.call] = self.documents[path] = frame.args["edit"]
            return {"done": True}, None
        return {"text": self.documents[path], "by": self.id}, None
