"""The chat handlers that were built and are kept: the least recently used ones go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jupyter_stop_chat.ports.handler import ChatHandler

#: A handler: whose it is (empty: everyone's), and its model id; all local models share one.
Slot = tuple[str, str]

#: What a model takes: how many tokens, whether pictures, whether tools; None where nobody knows.
Takes = tuple[int | None, bool | None, bool | None]

#: So many are kept besides those that make a reply: a client may ask for models of any name.
MOST_KEPT = 32


class Kept:
    """The handlers that were built.

    :param release: told of each handler that is dropped since others were used after it.
    """

    def __init__(self, release: Callable[[ChatHandler], None]) -> None:
        self._release = release
        #: The least recently used first.
        self._handlers: dict[Slot, ChatHandler] = {}
        #: What each task asked for last: it makes a reply with it, until it ends.
        self._users: dict[asyncio.Task[object], Slot] = {}

    def __len__(self) -> int:
        return len(self._handlers)

    def get(self, slot: Slot) -> ChatHandler | None:
        """Return a handler, and count it as just used."""
        handler = self._handlers.pop(slot, None)
        if handler is not None:
            self._handlers[slot] = handler
        return handler

    def takes(self, slot: Slot) -> Takes | None:
        """Tell what a handler takes, if it says so; None: there is none. It counts as no use."""
        handler = self._handlers.get(slot)
        if handler is None:
            return None
        try:
            size = getattr(handler, "max_input_tokens", None)
            told = [getattr(handler, name, False) for name in ("takes_pictures", "uses_tools")]
        except Exception:  # noqa: BLE001 - it may be any package's, and spoils no list
            return None, None, None
        known = type(size) is int and 0 < size < 2**53
        sees, calls = [each if isinstance(each, bool) else None for each in told]
        return (size if known else None), sees, calls

    def put(self, slot: Slot, handler: ChatHandler) -> None:
        """Keep a handler; the least recently used one goes when there are too many."""
        self._handlers.pop(slot, None)
        self._handlers[slot] = handler
        self._drop_oldest(slot)

    def use(self, slot: Slot) -> None:
        """Note that the current task makes a reply with a handler, until that task ends."""
        task = asyncio.current_task()
        if task is None:
            return
        if task not in self._users:
            task.add_done_callback(self._ended)
        self._users[task] = slot

    def take(self, is_meant: Callable[[Slot], bool]) -> list[ChatHandler]:
        """Keep some no longer, and return them."""
        return [self._handlers.pop(slot) for slot in list(self._handlers) if is_meant(slot)]

    def take_all(self) -> list[ChatHandler]:
        """Keep none any more; return each once."""
        return list({id(each): each for each in self.take(lambda _: True)}.values())

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._users.pop(task, None)
        self._drop_oldest()

    def _drop_oldest(self, newest: Slot | None = None) -> None:
        if len(self._handlers) <= MOST_KEPT:
            return
        busy = set(self._users.values())
        for slot, handler in list(self._handlers.items()):
            if slot == newest or slot in busy:
                continue
            del self._handlers[slot]
            # A plugin may have one for all of its models.
            if not any(each is handler for each in self._handlers.values()):
                self._release(handler)
            if len(self._handlers) <= MOST_KEPT:
                return
