"""News that wait to be told to other processes: bounded, joined, and spared where nobody hears."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError

from jupyter_stop_chat.ports.peers import Announced, MoreText, News
from jupyter_stop_chat.wire.utf16 import utf16_length

from .messages import MOST_BYTES, Gap, Item, Telling, item_of

log = logging.getLogger(__name__)

#: So much waits at most: news, and characters in them.
MOST_NEWS = 10_000
MOST_CHARACTERS = 8 * 1024 * 1024
#: So many characters go out together, but at least one of the news; and so many of these.
CHARACTERS_TOGETHER = 256 * 1024
NEWS_TOGETHER = 1000
#: For so long an owner is told of no text after nobody heard, in seconds.
QUIET_SECONDS = 1.0
#: So many owners are told of gaps together.
MOST_GAPS = 500
#: So many owners are remembered to be told that something was left out.
MOST_OWNERS = 10_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that is to be published.

    :ivar then: told the number of its receivers, or the error.
    """

    channel: bytes
    data: bytes
    then: Callable[[Any], None]


class Outbound:
    """News that wait to be told.

    :param process: who tells them.
    :param channel_of: names an owner's channel.
    :param heard_here: tells whether this process is among the receivers of what goes there.
    :param clock: in seconds.
    """

    def __init__(
        self,
        process: str,
        channel_of: Callable[[str], bytes],
        heard_here: Callable[[bytes], bool],
        clock: Callable[[], float],
    ) -> None:
        #: A `PUBLISH` returns how many hear it.
        self.counts = True
        self._process = process
        self._channel_of = channel_of
        self._heard_here = heard_here
        self._clock = clock
        self._waiting: deque[tuple[str, News]] = deque()
        self._characters = 0
        #: Owners that are told of no text, until when.
        self._quiet: dict[str, float] = {}
        #: Owners of whose news some were left out, in the order in which that happened.
        self._gaps: dict[str, None] = {}

    @property
    def is_waiting(self) -> bool:
        """Tell whether there is anything to be told."""
        return bool(self._waiting or self._gaps)

    def add(self, owner: str, news: News) -> bool:
        """Have news told soon.

        :returns: whether there is anything to be told.
        """
        if isinstance(news, MoreText) and self._quiet.get(owner, 0.0) > self._clock():
            return False
        size = _size(news)
        too_much = self._characters + size > MOST_CHARACTERS and self._waiting
        if too_much or len(self._waiting) >= MOST_NEWS:
            self.leave_out(owner)
        else:
            self._waiting.append((owner, news))
            self._characters += size
        return True

    def leave_out(self, owner: str) -> None:
        """Note that something is not told: that is."""
        if len(self._gaps) < MOST_OWNERS:
            self._gaps[owner] = None

    def lose(self) -> None:
        """Forget what waits: it cannot be told now."""
        for owner, _ in self._waiting:
            self.leave_out(owner)
        self._waiting.clear()
        self._characters = 0
        self._quiet.clear()

    def take(self) -> list[Sent]:
        """Return what is to be told now: one message for each owner."""
        by_owner: dict[str, list[News]] = {}
        taken = 0
        for _ in range(min(len(self._waiting), NEWS_TOGETHER)):
            if taken >= CHARACTERS_TOGETHER:
                break
            owner, news = self._waiting.popleft()
            by_owner.setdefault(owner, []).append(news)
            taken += _size(news) + 1
            self._characters -= _size(news)
        gaps: list[str] = []
        if not self._waiting:
            # Behind what was told before: whoever hears of it looks at all.
            gaps = list(self._gaps)[:MOST_GAPS]
            for owner in gaps:
                del self._gaps[owner]
        told = set(gaps)
        return [
            self._sent(owner, by_owner.get(owner, ()), gap=owner in told)
            for owner in dict.fromkeys([*by_owner, *gaps])
        ]

    def _sent(self, owner: str, news: Iterable[News], gap: bool) -> Sent:
        items: list[Item] = [item_of(each) for each in _joined(news)]
        if gap:
            items.append(Gap())
        data = self._encoded(items)
        channel = self._channel_of(owner)
        ours = int(self._heard_here(channel))

        def then(heard: Any) -> None:
            if isinstance(heard, Exception):
                self.leave_out(owner)
            elif self.counts and heard <= ours:
                if len(self._quiet) >= MOST_OWNERS:
                    self._quiet.clear()
                self._quiet[owner] = self._clock() + QUIET_SECONDS
            else:
                self._quiet.pop(owner, None)

        return Sent(channel, data, then)

    def _encoded(self, items: list[Item]) -> bytes:
        try:
            data = Telling(sender=self._process, news=tuple(items)).model_dump_json().encode()
        except (PydanticSerializationError, UnicodeError):
            log.warning("news with characters that cannot be sent are left out")
        else:
            if len(data) <= MOST_BYTES:
                return data
        return Telling(sender=self._process, news=(Gap(),)).model_dump_json().encode()


def _joined(news: Iterable[News]) -> Iterator[News]:
    """Make one text of those that follow each other."""
    first: MoreText | None = None
    texts: list[str] = []
    end = 0
    for each in news:
        goes_on = (
            isinstance(each, MoreText)
            and first is not None
            and each.message_id == first.message_id
            and each.offset == end
        )
        if not goes_on and first is not None:
            yield MoreText(first.chat_id, first.message_id, first.offset, "".join(texts))
            first = None
        if not isinstance(each, MoreText):
            yield each
            continue
        if not goes_on:
            first, texts, end = each, [], each.offset
        texts.append(each.text)
        end += utf16_length(each.text)
    if first is not None:
        yield MoreText(first.chat_id, first.message_id, first.offset, "".join(texts))


def _size(news: News) -> int:
    match news:
        case MoreText():
            return len(news.text)
        case Announced():
            return len(news.frame)
        case _:
            return 0
