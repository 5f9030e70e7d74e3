"""What a person's pages do for tools: which of them is asked, and what it answers.

A page has the notebook as the person sees it, with what is not saved. It says soon that it has
taken a request; else the next page is asked. What changes a document is done in the page from
which that was read, or not at all: each page may have a copy of its own.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from jupyter_stop_chat.engine.generation import Generation
from jupyter_stop_chat.ports.tools import PageError
from jupyter_stop_chat.threads import in_thread
from jupyter_stop_chat.wire.client_frames import ToolAnswer
from jupyter_stop_chat.wire.codec import loads
from jupyter_stop_chat.wire.server_frames import ToolCancel, ToolRequest
from jupyter_stop_chat.wire.utf16 import whole_json

from .asked import Asked, Patience
from .page import Page
from .present import Present
from .stopped import refuse_stopped

#: A longer answer is read in a thread, in characters.
LONG_ANSWER = 64 * 1024
#: Why a page has not done something that another one may do; the last of several is told.
NOT_FOUND = ("no_page", "no_answer", "not_open", "failed")
#: What lists the documents that a page has open.
DOCUMENTS = "documents"


class PageCalls:
    """What has pages do a part of tools' work.

    :param patience: how long pages are waited for.
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._present = Present(lambda: self._patience.back)
        #: What pages are doing, by the ids of the requests.
        self._asked: dict[str, Asked] = {}
        #: From which page each document was read for a reply, by its path.
        self._read_from: WeakKeyDictionary[Generation, dict[str, Page]] = WeakKeyDictionary()

    @property
    def held(self) -> int:
        """Count what is held of pages, and of what they are asked."""
        return len(self._asked) + self._present.held

    # --- pages that come and go --------------------------------------------------------------

    def enter(self, page: Page) -> None:
        """Have a page asked as well, once it says that it can do something."""
        self._present.enter(page)

    def leave(self, page: Page) -> None:
        """Have a page asked no more: its connection has ended."""
        if self._present.leave(page):
            for asked in self._asked_of(page):
                asked.left()

    def focus(self, page: Page, page_id: str | None, *, here: bool) -> None:
        """Hear that a page can do something, which page it is, and whether it is worked in.

        :param page_id: the same on each of its connections.
        """
        for before in self._present.focus(page, page_id, here=here):
            for read in self._read_from.values():
                for path, holder in read.items():
                    if holder is before:
                        read[path] = page
            for asked in self._asked_of(before):
                asked.ask(page)

    def close(self) -> None:
        """Expect no page any more."""
        self._present.close()

    def _asked_of(self, page: Page) -> list[Asked]:
        """Return what a page is doing."""
        return [
            each for each in self._asked.values() if each.page is page and not each.answer.done()
        ]

    def are_there(self, owner: str) -> bool:
        """Tell whether an owner has a page that works."""
        return self._present.has_any(owner)

    # --- what pages answer -------------------------------------------------------------------

    def taken(self, page: Page, call: str) -> None:
        """Hear that a page does what it was asked."""
        asked = self._of(page.owner, call)
        if asked is None:
            page.tell(ToolCancel(call=call))
        else:
            asked.taken(page)

    def answered(self, page: Page, answer: ToolAnswer) -> None:
        """Take a page's answer, and tell it that it came; a late one changes nothing."""
        asked = self._of(page.owner, answer.call)
        if asked is None or asked.page is not page:
            page.tell(ToolCancel(call=answer.call))
        if asked is not None:
            page.heard()
            asked.answered(answer.result, answer.error)

    def answered_apart(self, owner: str, answer: ToolAnswer) -> None:
        """Take an answer that is too long for a frame."""
        asked = self._of(owner, answer.call)
        if asked is not None:
            asked.answered(answer.result, answer.error)

    def _of(self, owner: str, call: str) -> Asked | None:
        asked = self._asked.get(call)
        return asked if asked is not None and asked.owner == owner else None

    # --- asking ------------------------------------------------------------------------------

    async def ask(
        self,
        generation: Generation,
        operation: str,
        args: Mapping[str, Any],
        *,
        effect: bool = False,
    ) -> Any:
        """Have a page do something, and return what it answers.

        :param args: `path` names the document; without one, all pages are asked what they have.
        :param effect: it changes the document.
        :raises PageError: when no page can do it.
        :raises asyncio.CancelledError: when the reply was stopped: nothing may begin any more.
        """
        args = _sendable(args)
        await self._await_back(generation)
        path = args.get("path")
        if not isinstance(path, str):
            return await self._ask_all(generation, operation, args)
        if effect:
            page = await self._holder(generation, path)
            try:
                answer = await self._ask_one(page, generation, operation, args, effect=True)
            except PageError as error:
                if error.code == "not_open":
                    self._reads_of(generation).pop(path, None)
                    await self._refuse_elsewhere(generation, path, [page])
                raise
            return answer
        return await self._ask_in_turn(generation, operation, args, path)

    async def _ask_in_turn(
        self, generation: Generation, operation: str, args: Mapping[str, Any], path: str
    ) -> Any:
        """Ask one page after another, until one has the document."""
        tried: list[Page] = []
        found = ["no_page"]
        while (page := self._next(generation, path, tried)) is not None:
            tried.append(page)
            try:
                answer = await self._ask_one(page, generation, operation, args)
            except PageError as error:
                if error.code not in NOT_FOUND:
                    self._reads_of(generation)[path] = page
                    raise
                found.append(error.code)
                await self._await_back(generation)
                continue
            self._reads_of(generation)[path] = page
            return answer
        raise PageError(max(found, key=NOT_FOUND.index))

    async def _ask_all(
        self, generation: Generation, operation: str, args: Mapping[str, Any]
    ) -> Any:
        """Ask all pages at once; of a document that several have, the first one's word counts."""
        pages = self._in_order(generation)
        if not pages:
            raise PageError("no_page")
        answers = await asyncio.gather(
            *(self._ask_one(page, generation, operation, args) for page in pages),
            return_exceptions=True,
        )
        refuse_stopped(generation)
        listed: dict[str, Any] = {}
        for each in answers:
            for document in _documents(each):
                listed.setdefault(document["path"], document)
        if all(isinstance(each, BaseException) for each in answers):
            raise next(
                (each for each in answers if isinstance(each, PageError)), PageError("failed")
            )
        return {DOCUMENTS: list(listed.values())}

    async def _holder(self, generation: Generation, path: str) -> Page:
        """Find the page from which a document was read, or that has it open.

        :raises PageError: `open_elsewhere`: another one has it by now; `not_open`, `no_answer`,
            `no_page`.
        """
        while self._present.may_return(known := self._reads_of(generation).get(path)):
            await self._present.news(generation.owner)
        if known is not None and known in self._present:
            return known
        page = await self._find(generation, path)
        if known is not None:
            del self._reads_of(generation)[path]
            raise PageError("open_elsewhere")
        self._reads_of(generation)[path] = page
        return page

    async def _refuse_elsewhere(
        self, generation: Generation, path: str, besides: Sequence[Page]
    ) -> None:
        """Refuse to change a document that another page than some has open.

        :raises PageError: `open_elsewhere`.
        """
        try:
            await self._find(generation, path, besides)
        except PageError:
            return
        raise PageError("open_elsewhere")

    async def _find(self, generation: Generation, path: str, besides: Sequence[Page] = ()) -> Page:
        """Find the first page that has a document open.

        :raises PageError: `not_open`; `no_answer`: none of them says anything; `no_page`.
        """
        found = ["no_page"]
        for page in self._in_order(generation):
            if page in besides:
                continue
            try:
                answer = await self._ask_one(page, generation, DOCUMENTS, {})
            except PageError as error:
                found.append(error.code if error.code in NOT_FOUND else "not_open")
                continue
            if any(each["path"] == path for each in _documents(answer)):
                return page
            found.append("not_open")
        raise PageError(max(found, key=NOT_FOUND.index))

    async def _ask_one(
        self,
        page: Page,
        generation: Generation,
        operation: str,
        args: Mapping[str, Any],
        *,
        effect: bool = False,
    ) -> Any:
        """Ask one page, and wait for its answer.

        :raises PageError: what it answers instead of a result; `no_answer`: it is silent;
            `no_page`: it is gone; `failed`, of an effect: one of these, and whether it was done is
            not known.
        """
        patience = self._patience
        if operation == DOCUMENTS:  # others wait for it
            patience = replace(patience, answered=patience.taken)
        request = ToolRequest(
            call=str(uuid.uuid4()), message_id=generation.id, operation=operation, args=dict(args)
        )
        asked = Asked(page.owner, request, patience, effect=effect)
        refuse_stopped(generation)
        self._asked[asked.id] = asked
        try:
            asked.ask(page)
            result, error = await asked.answer
        finally:
            del self._asked[asked.id]
            asked.end()
        refuse_stopped(generation)
        read = await _read(result)
        if error is not None:
            raise PageError(error, read)
        return read

    # --- in which order ----------------------------------------------------------------------

    def _in_order(self, generation: Generation) -> list[Page]:
        return self._present.in_order(generation.owner, generation.request_id)

    def _next(self, generation: Generation, path: str, tried: Sequence[Page]) -> Page | None:
        """Return the page to ask next: first that from which the document was read."""
        left = [each for each in self._in_order(generation) if each not in tried]
        known = self._reads_of(generation).get(path)
        return known if known in left else next(iter(left), None)

    def _reads_of(self, generation: Generation) -> dict[str, Page]:
        return self._read_from.setdefault(generation, {})

    async def _await_back(self, generation: Generation) -> None:
        """Wait a moment for a page that has just gone, where no other is there."""
        while self._present.is_awaited(generation.owner):
            await self._present.news(generation.owner)
        refuse_stopped(generation)


def _sendable(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as a frame can carry them: any package's tool may have made them.

    :raises PageError: `bad_request`, where that cannot be.
    """
    try:
        sent: dict[str, Any] = whole_json(args)
        json.dumps(sent, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise PageError("bad_request") from None
    return sent


async def _read(result: str | None) -> Any:
    """Read what a page answers.

    :raises PageError: `failed`, where it is no JSON.
    """
    if result is None:
        return None
    try:
        return loads(result) if len(result) < LONG_ANSWER else await in_thread(loads, result)
    except (ValueError, RecursionError):
        raise PageError("failed") from None


def _documents(answer: object) -> list[dict[str, Any]]:
    """Return the documents that a page lists, as far as it lists any."""
    listed = answer.get(DOCUMENTS) if isinstance(answer, dict) else None
    return [
        each
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and isinstance(each.get("path"), str)
    ]
