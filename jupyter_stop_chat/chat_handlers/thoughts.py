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
_LONGEST_TAG = max(map(len, (*_TAGS, *_CLOSING)))
#: So many thoughts, or ends of some, are looked for before an answer.
_MOST_TAGS = 100


class Thoughts:
    """Sort the text of one reply.

    A thought is only looked for where a reply begins: what stands in the middle of an answer, or
    in its code, is the answer.

    Some templates open the thought themselves, and leave only its end to the model. Where such an
    end comes, what was passed on before it stays what it was taken for; only the tag is taken out.
    `unopened` tells that the next reply will be of this kind.

    :param unopened: the model's replies begin with a thought.
    """

    def __init__(self, *, unopened: bool = False) -> None:
        self.unopened = unopened
        self._held = ""
        self._close: str | None = "</think>" if unopened else None
        self._begun = False
        self._after_thought = False
        self._assumed = unopened
        self._thought = ""
        self._may_close = True
        self._tags = 0
        self._ticks = 0
        self._last = "\n"

    def feed(self, text: str) -> Iterator[Event]:
        """Yield what a piece of the text turns out to be."""
        if self._begun:
            yield from self._watched(text) if self._may_close else [Text(text)]
            return
        self._held += text
        if self._assumed and _opens(self._held):
            self._assumed, self._close = False, None
        while self._held and not self._begun:
            if self._close is not None:
                yield from self._in_thought(self._close)
                if self._close is not None:
                    return
                continue
            start = self._held.lstrip()
            low = _low(start[:_LONGEST_TAG])
            opening = next((tag for tag in _TAGS if low.startswith(tag)), None)
            closing = next((tag for tag in _CLOSING if low.startswith(tag)), None)
            self._tags += 1
            if self._tags > _MOST_TAGS:
                yield from self._begin()
            elif opening is not None:
                self._held, self._close = start[len(opening) :], _TAGS[opening]
            elif closing is not None:
                self._held, self._after_thought = start[len(closing) :], True
            elif not start or any(tag.startswith(low) for tag in (*_TAGS, *_CLOSING)):
                return
            else:
                yield from self._begin()

    def _in_thought(self, close: str) -> Iterator[Event]:
        at = _low(self._held).find(close)
        if at < 0:
            kept = _partial(_low(self._held), (close,))
            thought = self._held[: len(self._held) - kept]
            self._held = self._held[len(thought) :]
            if thought:
                yield self._thinks(thought)
            return
        self._assumed = False
        if at:
            yield Reasoning(self._held[:at])
        self._held = self._held[at + len(close) :]
        self._close, self._after_thought = None, True

    def end(self, *, complete: bool = False) -> Iterator[Event]:
        """Yield what is still held back.

        :param complete: the model ended its reply by itself.
        """
        if self._held and self._close is not None:
            yield self._thinks(self._held)
        elif self._held and not (self._after_thought and not self._held.strip()):
            yield Text(self._held)
        self._held = ""
        if self._assumed and complete and self._thought:
            # It has not thought this time: what was taken for it is the answer.
            self.unopened = False
            yield Text(self._thought)
        self._assumed = False

    def _thinks(self, thought: str) -> Event:
        if self._assumed:
            self._thought += thought
        return Reasoning(thought)

    def _begin(self) -> Iterator[Event]:
        """Pass the answer on from here."""
        self._begun = True
        text, self._held = self._held, ""
        if self._after_thought:
            self._may_close = False
            if text := text.lstrip():
                yield Text(text)
        elif (found := _UNOPENED.search(text)) and self._ends_thought(
            found, text.count("`", 0, found.start())
        ):
            self.unopened, self._may_close = True, False
            yield Reasoning(text[: found.start()])
            if rest := text[found.end() :].lstrip():
                yield Text(rest)
        else:
            yield from self._watched(text)

    def _ends_thought(self, tag: re.Match[str], ticks: int) -> bool:
        text = tag.string
        before = text[tag.start() - 1] if tag.start() else self._last
        behind = text[tag.end() : tag.end() + 1]
        in_code = (self._ticks + ticks) % 2
        return "\n" in {before, behind} and not in_code

    def _watched(self, text: str) -> Iterator[Event]:
        """Pass text on, without the end of a thought that nothing opened.

        An answer, or its code, may speak of that tag: it ends a thought only outside of code, and
        at the begin or the end of a line.
        """
        text, self._held = self._held + text, ""
        ticks = counted = 0
        for found in _UNOPENED.finditer(text):
            ticks += text.count("`", counted, found.start())
            counted = found.end()
            if found.end() == len(text):
                # What comes behind it tells.
                text, self._held = text[: found.start()], text[found.start() :]
                break
            if self._ends_thought(found, ticks):
                self.unopened, self._may_close = True, False
                text = text[: found.start()] + text[found.end() :]
                break
        else:
            if "<" in text[-_LONGEST_TAG:] and (kept := _partial(_low(text), _UNOPENED_TAGS)):
                text, self._held = text[:-kept], text[-kept:]
        if text:
            self._ticks += text.count("`")
            self._last = text[-1]
            yield Text(text)


_UNOPENED_TAGS = ("</think>", "</thinking>")
_UNOPENED = re.compile("|".join(_UNOPENED_TAGS), re.IGNORECASE)


def _opens(text: str) -> bool:
    """Tell whether a text begins as a thought that the model opens itself."""
    return _low(text.lstrip()).startswith(tuple(_TAGS))


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


def without_thought(text: str) -> str:
    """Return the answer of a reply that was kept with its thought in it."""
    thoughts = Thoughts()
    found = [*thoughts.feed(text), *thoughts.end()]
    return "".join(each.text for each in found if isinstance(each, Text))
