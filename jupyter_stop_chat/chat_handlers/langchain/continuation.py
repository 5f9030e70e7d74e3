"""Cut off what a model repeats of the partial reply that it was asked to go on from."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable
from typing import Protocol

from jupyter_stop_chat.ports.handler import Event, Reasoning, Text, WasThought

#: A repeated end that is shorter than this may well be meant.
_SHORTEST = 16
#: Nor is a whole partial reply of so few characters surely a repetition: "I" and then "It is".
_SHORTEST_WHOLE = 8
#: How much of the partial reply's end a model may repeat.
_LONGEST = 2000


class Join(Protocol):
    """What joins a partial reply and what a model writes behind it."""

    def feed(self, text: str) -> str:
        """Return what of the model's text is new."""
        ...

    def end(self) -> str:
        """Return what is still held back."""
        ...


async def joined(
    events: AsyncIterable[Event], join: Callable[[], Join]
) -> AsyncGenerator[Event, None]:
    """Pass on what goes behind a partial reply; what was a thought, was none of it."""
    joint = join()
    async for event in events:
        if isinstance(event, WasThought):
            yield WasThought()
            if rest := joint.end():
                yield Reasoning(rest)
            joint = join()
        elif not isinstance(event, Text):
            yield event
        elif new := joint.feed(event.text):
            yield Text(new)
    if rest := joint.end():
        yield Text(rest)


class Overlap:
    """The first words back until it is clear whether they repeat the partial reply.

    :param prefix: the partial reply.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._held = ""
        first = max(0, len(prefix) - _LONGEST)
        #: Where in the partial reply the repeated part may begin: its end, or all of it.
        self._starts = list(range(first, len(prefix) - _SHORTEST + 1))
        if len(prefix) >= _SHORTEST_WHOLE and 0 not in self._starts:
            self._starts.insert(0, 0)

    def feed(self, text: str) -> str:
        """Return what of the model's text is new, as far as that is known."""
        if not self._starts:
            return text
        self._held += text
        open_starts: list[int] = []
        waits = False
        for start in self._starts:
            if self._is_complete(start):
                if not waits:
                    return self._decide(start)
                # A longer repetition, which comes first, may still become complete.
                open_starts.append(start)
            elif self._prefix.startswith(self._held, start):
                open_starts.append(start)
                waits = True
        self._starts = open_starts
        return "" if waits else self._decide(None)

    def end(self) -> str:
        """Return what is still held back, at the end of the stream."""
        if not self._starts:
            return ""
        return self._decide(next(filter(self._is_complete, self._starts), None))

    def _is_complete(self, start: int) -> bool:
        return self._held.startswith(self._prefix[start:])

    def _decide(self, start: int | None) -> str:
        length = 0 if start is None else len(self._prefix) - start
        text = self._held[length:]
        self._starts = []
        self._held = ""
        return text
