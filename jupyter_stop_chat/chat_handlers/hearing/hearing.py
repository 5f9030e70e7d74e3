"""What was heard of a reply on the wire: of each answer of a provider, and of all together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import fields

from jupyter_stop_chat.ports.handler import Event, Reasoning, Text, TokensUsed

from .endings import Ending, ending_of


class Answer:
    """What one answer of a provider said, up to now.

    :ivar events: how many events of a known kind came.
    :ivar ending: how the reply ended, in our words, if that was said.
    :ivar ended: the provider's own end of the stream came.
    :ivar over: the stream is over, however it ended.
    :ivar broke: its connection broke.
    :ivar beside_text: the provider's word for the end stood beside text.
    """

    def __init__(self) -> None:
        self.events = 0
        self.ending: Ending | None = None
        self.ended = False
        self.over = False
        self.broke = False
        self.beside_text = False
        self.used = TokensUsed()
        self._said: list[Event] = []
        self._went_on = False

    def think(self, text: object) -> None:
        """Note what the model thinks."""
        if isinstance(text, str) and text:
            self.go_on()
            self._said.append(Reasoning(text))

    def refuse(self, text: object) -> None:
        """Note the words with which the model refuses: they are its reply."""
        if isinstance(text, str) and text:
            self._said.append(Text(text))
            self.ending = "refusal"

    def count(
        self,
        input_tokens: object,
        output_tokens: object,
        *,
        cache_read: object = None,
        cache_write: object = None,
        reasoning: object = None,
    ) -> None:
        """Note what was used up to now: each number is a running total."""
        used = self.used
        self.used = TokensUsed(
            _most(used.input_tokens, input_tokens),
            _most(used.output_tokens, output_tokens),
            _most(used.cache_read_tokens, cache_read),
            _most(used.cache_write_tokens, cache_write),
            _most(used.reasoning_tokens, reasoning),
        )

    def finish(self, word: object) -> None:
        """Note the provider's word for the end."""
        ending = ending_of(word)
        if ending is None or (ending in {"stop", "tool"} and self.ending == "refusal"):
            return
        self.ending = ending

    def go_on(self) -> None:
        """Note that more text came: what was said to be the end was none."""
        if self.ending in {"stop", "length"}:
            self.ending = None
            self._went_on = True

    @property
    def finished(self) -> bool:
        """Tell whether the provider said that the reply is at its end."""
        return self.ended or self.ending is not None

    @property
    def sure(self) -> bool:
        """Tell whether nothing more of the reply will come: its end was said, and held before."""
        return self.ended or (self.ending is not None and not self._went_on)

    @property
    def broke_off(self) -> bool:
        """Tell whether the stream is over and the provider never said that it would be."""
        return self.over and self.events > 0 and not self.finished

    @property
    def has_news(self) -> bool:
        """Tell whether something was said and not taken yet."""
        return bool(self._said)

    def take(self) -> list[Event]:
        """Return what was said and not taken yet."""
        said, self._said = self._said, []
        return said


class Hearing:
    """All the answers that one reply is made from.

    :ivar thought: what the model thinks was heard here, so that chunks need not tell it.
    """

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.thought = False

    def begin(self) -> Answer:
        """Hear one more answer."""
        answer = Answer()
        self.answers.append(answer)
        return answer

    @property
    def last(self) -> Answer | None:
        """Return the last answer of which anything was heard."""
        return next((each for each in reversed(self.answers) if each.events), None)

    @property
    def has_news(self) -> bool:
        """Tell whether something was said and not taken yet."""
        return any(each.has_news for each in self.answers)

    def take(self) -> Iterator[Event]:
        """Yield what was said and not taken yet."""
        for answer in self.answers:
            for event in answer.take():
                self.thought = self.thought or isinstance(event, Reasoning)
                yield event

    def usage(self) -> TokensUsed | None:
        """Add up what the answers used; None: nothing was heard of it."""
        used = added(each.used for each in self.answers)
        counted = used.input_tokens is not None or used.output_tokens is not None
        return used if counted else None


def added(used: Iterable[TokensUsed]) -> TokensUsed:
    """Add up what several requests used; what none of them tells stays unknown."""
    numbers: dict[str, int] = {}
    for each in used:
        for at in fields(each):
            if (number := getattr(each, at.name)) is not None:
                numbers[at.name] = numbers.get(at.name, 0) + number
    return TokensUsed(**numbers)


def _most(before: int | None, now: object) -> int | None:
    # Nothing is read or made of no tokens: who says so has not counted.
    number = number_of(now)
    return before if number <= 0 else max(before or 0, number)


def number_of(said: object) -> int:
    """Return a number that a provider or a package tells; 0 where it is none."""
    if isinstance(said, float):
        return int(said) if math.isfinite(said) else 0
    return said if isinstance(said, int) and not isinstance(said, bool) else 0
