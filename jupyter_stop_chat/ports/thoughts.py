"""Part what a model thinks from what it answers, where both come as one text."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

from jupyter_stop_chat.wire.utf16 import utf16_length

from .handler import Event, Reasoning, Text, WasThought

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

_TAG = re.compile("|".join(map(re.escape, (*_TAGS, *_CLOSING))), re.IGNORECASE)
#: So far behind a tag is looked for what tells whether it is one.
_AHEAD = 64
_TAG_BEGINS = {tag[0] for tag in _TAGS}
#: Where a sentence or a block ends.
_ENDS = frozenset(".!?…:。！？：)]}*`")
#: What stands around a tag that is spoken of.
_QUOTES = frozenset("\"'“”‘’«»„`([{<=|")
_BEHIND_WORDS = frozenset("\"'“”‘’«»`)]},.;:!?、。，！？|")
_BEHIND_LINE = frozenset(",.;:!?)]}、。，！？|")
#: What stands on both sides of a tag in a stress, or in a formula.
_PAIRED = frozenset("*_~$")
_FENCE = re.compile(r"[ \t>]*(`{3,}(?=[^`]*$)|~{3,})")
#: What a line begins with that is an item of a list, or a quotation.
_MARKER = re.compile(r"(?=\S)(?:>\s*)*(?:[-*+]|\d+[.)])?")
_INDENTED = re.compile(r" {4}| {0,3}\t")
#: Letters of the scripts that write no blanks between words.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
#: So much is kept of how a line begins, and of how it ends.
_LINE = 64


class Thoughts:
    """What sorts the text of one reply.

    A thought is only looked for where a reply begins: what stands in the middle of an answer, or
    in its code, is the answer.

    Some templates open the thought themselves, and leave only its end to the model. Where such an
    end comes, all that was passed on before it was the thought: `WasThought` tells so. `unopened`
    tells that the next reply will be of this kind.

    :param unopened: the tag that ends the thought with which the model's replies begin; empty
        where they begin with none.
    """

    def __init__(self, *, unopened: str = "") -> None:
        self.unopened = unopened
        self._held = ""
        self._close: str | None = unopened or None
        self._begun = False
        self._after_thought = False
        self._assumed = bool(unopened)
        self._thought = ""
        self._may_close = True
        self._tags = 0
        self._passed = _Passed()

    @property
    def is_over(self) -> bool:
        """Tell whether all that comes from now on is the answer."""
        return self._begun and not self._may_close

    def feed(self, text: str) -> Iterator[Event]:
        """Yield what a piece of the text turns out to be."""
        if self._begun:
            if not self._may_close:
                yield Text(text)
                return
            yield from self._watched(text)
        else:
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
        tag = _TAG.match(self._held) if self._begun and self._passed.length else None
        if tag is not None and self._passed.is_end(self._held[tag.end() :], last=True):
            # That was all: it has thought, and not answered.
            self.unopened = _low(tag[0])
            yield WasThought(self._passed.length)
            self._held = ""
        if self._held and self._close is not None:
            yield self._thinks(self._held)
        elif self._held and not (self._after_thought and not self._held.strip()):
            yield Text(self._held)
        self._held = ""
        if self._assumed and complete and self._thought:
            # It has not thought this time: what was taken for it is the answer.
            self.unopened = ""
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
        else:
            yield from self._watched(text)

    def _watched(self, text: str) -> Iterator[Event]:
        """Pass text on, up to the end of a thought that nothing opened."""
        text, self._held = self._held + text, ""
        at = 0
        while (found := _TAG.search(text, at)) is not None:
            between, tag = text[at : found.start()], _low(found[0])
            self._passed.add(between)
            if tag in _TAGS:
                self._passed.opened += 1
            else:
                ends = self._passed.is_end(text[found.end() : found.end() + _AHEAD])
                if ends is None:
                    # What comes behind it tells.
                    yield from self._pass(text[: found.start()], "")
                    self._held = text[found.start() :]
                    return
                if ends:
                    self.unopened = tag
                    if self._passed.length:
                        yield WasThought(self._passed.length)
                    if found.start():
                        yield Reasoning(text[: found.start()])
                    self._held, self._begun, self._after_thought = text[found.end() :], False, True
                    return
                self._passed.opened = max(0, self._passed.opened - 1)
            self._passed.add(found[0])
            at = found.end()
        kept = 0
        if not _TAG_BEGINS.isdisjoint(text[-_LONGEST_TAG:]):
            kept = min(len(text) - at, _partial(_low(text), (*_TAGS, *_CLOSING)))
        text, self._held = text[: len(text) - kept], text[len(text) - kept :]
        yield from self._pass(text, text[at:])

    def _pass(self, text: str, new: str) -> Iterator[Event]:
        """Pass text on.

        :param new: the end of it, which has not been looked at.
        """
        self._passed.add(new)
        self._passed.length += utf16_length(text)
        if text:
            yield Text(text)


class _Passed:
    """What is known of the text that was passed on as an answer.

    :ivar length: how long it is, in UTF-16 code units.
    :ivar opened: so many thoughts were opened in it and not closed: it speaks of them.
    """

    def __init__(self) -> None:
        self.length = 0
        self.opened = 0
        self._ticks = 0
        #: What ends the block of code that it is in.
        self._fence = ""
        #: How its last line begins, and how that ends.
        self._head = self._tail = ""
        self._last_mark = ""

    def add(self, text: str) -> None:
        """Note what was passed on."""
        *lines, rest = text.split("\n")
        for line in lines:
            self._add_to_line(line)
            self._end_line()
        self._add_to_line(rest)

    def _add_to_line(self, text: str) -> None:
        self._ticks += text.count("`")
        self._head += text[: _LINE - len(self._head)]
        self._tail = (self._tail + text)[-_LINE:]
        self._last_mark = text.rstrip()[-1:] or self._last_mark

    def _end_line(self) -> None:
        fence = _FENCE.match(self._head)
        if self._fence:
            if fence is not None and self._head.strip(" \t\r>").startswith(self._fence):
                self._fence, self._ticks = "", 0
        elif fence is not None:
            self._fence = fence[1]
        elif not self._head.strip():
            self._ticks = 0  # code within a line ends with its paragraph
        self._head = self._tail = ""

    def is_end(self, behind: str, *, last: bool = False) -> bool | None:
        """Tell whether a closing tag ends a thought; None: what follows will tell.

        An answer, or its code, may speak of that tag. It ends a thought outside of code, and
        alone in its line, or at the end of a sentence, or without a blank between it and a word.

        :param behind: what stands behind the tag.
        :param last: nothing comes behind that.
        """
        if self.opened or self._fence or self._ticks % 2:
            return False
        if not self._head.strip():
            return not _INDENTED.match(self._head) and _ends_line(behind + "\n" * last)
        if _MARKER.fullmatch(self._head.strip()):
            return False
        follows = behind.lstrip()[:1]
        if not follows and len(behind) < _AHEAD:
            return None
        goes_on = not follows or follows.islower() or follows in _BEHIND_WORDS
        blank = behind[: len(behind) - len(behind.lstrip())]
        if "\n" in blank:
            return blank.count("\n") > 1 or not (self._tail[-1].isspace() and follows.islower())
        if not self._tail[-1].isspace():
            return not self._is_around(behind)
        return self._last_mark in _ENDS and not goes_on

    def _is_around(self, behind: str) -> bool:
        """Tell whether a tag stands within quotes, a stress, a cell, or a sentence."""
        last, follows = self._tail[-1], behind[0]
        if last in _QUOTES or follows in _BEHIND_WORDS:
            return True
        if last in _PAIRED and follows == last:
            return self._tail.rstrip(last)[-1:].strip() == ""
        return bool(_UNSPACED.match(last) and _UNSPACED.match(follows))


def _ends_line(behind: str) -> bool | None:
    """Tell whether a closing tag with which a line begins ends a thought, as `is_end` does."""
    follows = behind.lstrip()[:1]
    if not follows and "\n" not in behind and len(behind) < _AHEAD:
        return None
    if behind[:1] == follows:
        return follows not in _BEHIND_LINE
    return "\n" in behind[: len(behind) - len(behind.lstrip())] or not (
        follows.islower() or follows in _BEHIND_LINE
    )


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
    answer = ""
    for event in (*thoughts.feed(text), *thoughts.end()):
        if isinstance(event, WasThought):
            answer = ""
        elif isinstance(event, Text):
            answer += event.text
    return answer
