"""What reaches other servers by Redis: questions, answers, news, and flags that ask for a stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from jupyter_stop_chat.ports.peers import Asked, News, NotReachedError, Peers, Question
from jupyter_stop_chat.settings.bus_url import read_bus_url

from .channels import Channels
from .line import Line
from .messages import (
    MOST_BYTES,
    Answering,
    Asking,
    Gap,
    Telling,
    news_of,
    owner_channel,
    process_channel,
    to_owner,
    to_process,
)
from .news import Outbound
from .outgoing import Outgoing
from .questions import Expected, Expecting, Once

log = logging.getLogger(__name__)

#: How often flags are looked for while Redis is there, in seconds.
LOOK_SECONDS = 0.25
#: At each so many of these looks the slower way is looked at as well.
LOOKS_BESIDE = 4
#: How often is looked while Redis is away and there is no slower way, in seconds.
AWAY_SECONDS = 1.0
#: Redis counts as too slow when it has not taken a question after so long, in seconds.
SLOW_SECONDS = 0.5
#: So often a question is put, where the connection breaks.
PUTS = 3
#: When there is no answer after so long, the slower way is asked as well; in seconds.
HEDGE_SECONDS = 1.0
#: A flag is gone after so long, in seconds.
FLAG_SECONDS = 60
#: When it is closed, so long is waited for what is being answered, and for what is to be sent.
ANSWERED_SECONDS = 1.5
SENT_SECONDS = 1.0
#: So many questions are answered at once.
MOST_ANSWERING = 1000


class RedisPeers:
    """What reaches the other processes by a Redis that they share.

    :param url: of Redis, as `bus_url` has it.
    :param process: the id of this process.
    :param beside: the slower way, for when Redis is away or reaches nobody; opened and closed
        along with this.
    :param scope: what those have in common who share the chats, and nobody else who uses this
        Redis: news go to no others.
    :param sleep: how to wait until Redis is tried again, in seconds.
    """

    def __init__(
        self,
        url: str,
        process: str,
        beside: Peers | None = None,
        scope: str = "",
        sleep: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self.on_reach: Callable[[bool], None] = lambda reached: None
        parsed = read_bus_url(url)
        self._kind = parsed.kind
        self._process = process
        self._beside = beside
        self._scope = scope
        self._asked: Once | None = None
        self._own = process_channel(process)
        self._owners: dict[bytes, str] = {}
        #: With what the news begin that this process tells, and hears back.
        self._from_us = Telling(sender=process, news=()).model_dump_json().encode()
        self._from_us = self._from_us[: self._from_us.index(b',"kind"')]
        self._expecting = Expecting()
        self._answering: set[asyncio.Task[None]] = set()
        self._channels = Channels(self._own)
        self._news = Outbound(process, self._channel_of, self._channels.are_heard, time.monotonic)
        self._outgoing = Outgoing(self._news)
        self._line = Line(parsed, self._channels, self._outgoing, self, sleep)
        self._news.counts = self._line.counts_receivers
        self._looks = 0
        self._unflagged: list[str] = []
        self._told_malformed = False

    # --- beginning and end -------------------------------------------------------------------

    async def open(self, asked: Asked) -> None:
        """Begin to hear others; where Redis cannot be reached now, it is tried again and again."""
        self._asked = Once(asked, time.monotonic)
        if self._beside is not None:
            await self._beside.open(self._asked)
        self._line.open()

    async def close(self) -> None:
        """Hear no more; what is being answered is answered, and what is to be told is told."""
        asked, self._asked = self._asked, None
        try:
            if asked is not None:
                await asked.settle(ANSWERED_SECONDS)
            if self._answering:
                await asyncio.wait(self._answering, timeout=SENT_SECONDS)
            if self._line.is_up:
                await self._outgoing.sent(SENT_SECONDS)
        finally:
            await self._line.close()
            if self._beside is not None:
                await self._beside.close()

    @property
    def interval(self) -> float:
        """Return how often to `look` while something is made here, in seconds."""
        if self._line.is_up:
            return LOOK_SECONDS
        return self._beside.interval if self._beside is not None else AWAY_SECONDS

    @property
    def tells(self) -> bool:
        """Tell whether news reaches anybody."""
        return not self._line.is_away

    def health(self) -> dict[str, Any] | None:
        """Return how others are reached; nothing in it is a path, a name or a password."""
        return {
            "kind": self._kind,
            "reachable": self._line.is_up,
            "away_since": self._line.down_since,
        }

    # --- asking ------------------------------------------------------------------------------

    async def ask(self, process: str, question: Question, patience: float) -> str:
        """Ask another process, and return its answer.

        :param process: its id, as the store knows it.
        :param patience: for how many seconds to wait.
        :raises NotReachedError: there was none.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + patience
        try:
            async with asyncio.timeout_at(ends):
                with self._expecting.of(question) as expected:
                    return await self._ask(process, question, expected, ends)
        except TimeoutError:
            raise NotReachedError from None

    async def _ask(self, process: str, question: Question, expected: Expected, ends: float) -> str:
        heard = await self._put(process, question)
        if heard:
            await asyncio.wait(
                {expected.answer, expected.lost},
                timeout=HEDGE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        if expected.answer.done():
            return expected.answer.result()
        if self._beside is None:
            if heard is False:
                raise NotReachedError
            return await expected.answer
        patience = ends - asyncio.get_running_loop().time()
        late = asyncio.create_task(
            self._beside.ask(process, question, patience), name="stop-chat-asks-beside"
        )
        try:
            await asyncio.wait({expected.answer, late}, return_when=asyncio.FIRST_COMPLETED)
            if expected.answer.done():
                return expected.answer.result()
            try:
                return late.result()
            except NotReachedError:
                if heard is False:
                    raise
            return await expected.answer
        finally:
            late.cancel()
            await asyncio.gather(late, return_exceptions=True)

    async def _put(self, process: str, question: Question) -> bool | None:
        """Publish a question.

        :returns: whether anybody heard it; None: that is not known.
        """
        asking = Asking(
            sender=self._process, id=question.id, owner=question.owner, frame=question.frame
        )
        data = _encoded(asking)
        if data is None:
            return False
        receivers: Any = None
        for _ in range(PUTS):
            # That a connection broke may be known only when it is used: there is a new one soon.
            if not await self._line.is_up_soon(SLOW_SECONDS):
                return False
            with contextlib.suppress(NotReachedError):
                published = self._publish(process, data)
                done, _ = await asyncio.wait({published}, timeout=SLOW_SECONDS)
                if not done:
                    return None
                receivers = published.result()
                break
        else:
            return False
        if not self._line.counts_receivers:
            return True
        return bool(receivers > 0)

    def _publish(self, process: str, data: bytes) -> asyncio.Future[Any]:
        return self._outgoing.ask("PUBLISH", process_channel(process), data)

    # --- flags -------------------------------------------------------------------------------

    async def look(self, making: Sequence[str]) -> None:
        """Look once for flags, and less often at the slower way."""
        self._looks += 1
        looked = bool(making) and self._line.is_up and await self._look_for_flags(making)
        if self._beside is not None and (not looked or self._looks % LOOKS_BESIDE == 0):
            await self._beside.look(making)

    async def _look_for_flags(self, making: Sequence[str]) -> bool:
        asked = self._outgoing.ask("MGET", *map(_flag, making))
        done, _ = await asyncio.wait({asked}, timeout=SLOW_SECONDS)
        if not done or asked.exception() is not None:
            return False
        for message_id, flag in zip(making, asked.result(), strict=True):
            if flag == b"1" and self._asked is not None:
                self._asked.stop_flagged(message_id)
        return True

    async def flag_stop(self, message_id: str) -> None:
        """Leave a flag that asks for a message's stop, in each way."""
        flagged = self._outgoing.ask("SET", _flag(message_id), "1", "EX", FLAG_SECONDS)
        await asyncio.wait({flagged}, timeout=SLOW_SECONDS)
        if self._beside is not None:
            await self._beside.flag_stop(message_id)

    def unflag_stop(self, message_id: str) -> None:
        """Take such a flag away, soon: the message has ended."""
        if self._line.is_up:
            if not self._unflagged:
                asyncio.get_running_loop().call_soon(self._unflag)
            self._unflagged.append(message_id)
        if self._beside is not None:
            self._beside.unflag_stop(message_id)

    def _unflag(self) -> None:
        unflagged, self._unflagged = self._unflagged, []
        self._outgoing.put("DEL", *map(_flag, unflagged), then=lambda answer: None)

    # --- news --------------------------------------------------------------------------------

    def tell(self, owner: str, news: News) -> None:
        """Tell the others of what was done in an owner's chat, soon and without waiting for it."""
        if not self._line.is_up:
            self._news.leave_out(owner)
        elif self._news.add(owner, news):
            self._outgoing.wake()

    def attend(self, owner: str, attended: bool) -> None:
        """Hear what is told of an owner's chats from now on, or no more."""
        channel = self._channel_of(owner)
        if attended:
            self._owners[channel] = owner
        else:
            self._owners.pop(channel, None)
        self._channels.want(channel, attended)
        self._outgoing.wake()

    def _channel_of(self, owner: str) -> bytes:
        return owner_channel(self._scope, owner)

    # --- what the line tells -----------------------------------------------------------------

    def missed(self) -> None:
        """Note that something may not have been heard until now."""
        if self._asked is not None:
            self._asked.may_have_missed()

    def broke(self) -> None:
        """Note that nothing is heard and sent for a while."""
        self._expecting.lose()

    def reached(self, reached: bool) -> None:
        """Tell that Redis is away, or back."""
        self.on_reach(reached)

    def hear(self, channel: bytes, data: bytes) -> None:
        """Hear what another process sent; what is malformed is left out."""
        try:
            if channel == self._own:
                self._hear_process(to_process.validate_json(data))
            elif channel in self._owners and not data.startswith(self._from_us):
                self._hear_owner(self._owners[channel], to_owner.validate_json(data))
        except ValidationError:
            if not self._told_malformed:
                self._told_malformed = True
                log.warning("something by Redis is no message of another server: it is left out")

    def _hear_process(self, message: Asking | Answering) -> None:
        if isinstance(message, Answering):
            self._expecting.arrived(message.id, message.answer)
        elif self._asked is not None and len(self._answering) < MOST_ANSWERING:
            task = asyncio.create_task(self._answer(message), name="stop-chat-answers")
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, asking: Asking) -> None:
        if self._asked is None:
            return
        question = Question(asking.owner, asking.frame, asking.id)
        # What goes wrong is logged there: whoever asked waits no longer than it said.
        with contextlib.suppress(Exception):
            answer = await self._asked.answer(question)
            data = _encoded(Answering(sender=self._process, id=asking.id, answer=answer))
            if data is not None:
                await self._publish(asking.sender, data)

    def _hear_owner(self, owner: str, telling: Telling) -> None:
        if telling.sender == self._process or self._asked is None:
            return
        for item in telling.news:
            if isinstance(item, Gap):
                self._asked.may_have_missed()
            else:
                self._asked.hear(owner, news_of(item))


def _encoded(message: BaseModel) -> bytes | None:
    """Return a question or an answer as it is sent; None where it cannot be: by this way."""
    try:
        data = message.model_dump_json().encode()
    except (PydanticSerializationError, UnicodeError):
        log.warning("a question with characters that cannot be sent is left out")
        return None
    if len(data) > MOST_BYTES:
        log.warning("a question or an answer of %d bytes is too long to be sent", len(data))
        return None
    return data


def _flag(message_id: str) -> bytes:
    return f"chat_stop:{message_id}".encode("utf-8", "surrogatepass")
