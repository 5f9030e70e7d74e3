"""Part what a model thinks from what it answers, where both come as one text."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from .base import Event, Reasoning, Text

#: What opens a thought, and what closes it.
_TAGS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<reason>": "</reason>",
    "<seed:think>": "</seed:think>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
}
#: A template that opens the thought itself leaves only this to the model.
_CLOSING = tuple(_TAGS.values())


class Thoughts:
    """Sort the text of one reply.

    A thought is only looked for where a reply begins: what stands in the middle of an answer, or
    in its code, is the answer. A closing tag without its opening one parts what is before it only
    where that has not been passed on yet.
    """

    def __init__(self) -> None:
        self._held = ""
        self._close: str | None = None
        self._begun = False
        self._after_thought = False

    def feed(self, text: str) -> Iterator[Event]:
        """Yield what a piece of the text turns out to be."""
        if self._begun:
            yield Text(text)
            return
        self._held += text
        while self._held and not self._begun:
            if self._close is not None:
                at = _low(self._held).find(self._close)
                if at < 0:
                    kept = _partial(_low(self._held), (self._close,))
                    thought = self._held[: len(self._held) - kept]
                    self._held = self._held[len(thought) :]
                    if thought:
                        yield Reasoning(thought)
                    return
                if at:
                    yield Reasoning(self._held[:at])
                self._held = self._held[at + len(self._close) :]
                self._close, self._after_thought = None, True
                continue
            start = self._held.lstrip()
            low = _low(start)
            opening = next((tag for tag in _TAGS if low.startswith(tag)), None)
            closing = next((tag for tag in _CLOSING if low.startswith(tag)), None)
            if opening is not None:
                self._held, self._close = start[len(opening) :], _TAGS[opening]
            elif closing is not None:
                self._held, self._after_thought = start[len(closing) :], True
            elif not start or any(tag.startswith(low) for tag in (*_TAGS, *_CLOSING)):
                return
            else:
                yield from self._begin()

    def end(self) -> Iterator[Event]:
        """Yield what is still held back."""
        if self._held and self._close is not None:
            yield Reasoning(self._held)
        elif self._held and not (self._after_thought and not self._held.strip()):
            yield Text(self._held)
        self._held = ""

    def _begin(self) -> Iterator[Event]:
        """Pass the answer on from here."""
        self._begun = True
        text, self._held = self._held, ""
        if self._after_thought:
            text = text.lstrip()
        elif found := _UNOPENED.match(text):
            yield Reasoning(found[1])
            text = text[found.end() :]
        if text:
            yield Text(text)


_UNOPENED = re.compile(r"((?:(?!`|<think)[\s\S])*?)</think(?:ing)?>\s*", re.IGNORECASE)


def _low(text: str) -> str:
    """Write ASCII letters small; others would change the length of some texts."""
    return text.translate(_SMALL)


_SMALL = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def _partial(text: str, tags: tuple[str, ...]) -> int:
    """Return how many characters at the end of a text may be the beginning of a tag."""
    return max(
        (n for tag in tags for n in range(1, len(tag)) if text.endswith(tag[:n])),
        default=0,
    )
