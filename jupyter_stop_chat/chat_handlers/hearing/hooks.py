"""Put a listener between an HTTP client and the body of each response that makes a reply."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextvars import ContextVar
from math import ceil
from typing import Any

from jupyter_stop_chat.ports.lateness import Lateness

from .ahead import Ahead
from .bodies import UNPACKS, packed_as, packing_of
from .bounds import EVENTS_AT_ONCE, check_length, check_parts, parts_of
from .dialects import hear_event
from .faults import ProviderFault, fault_in
from .hearing import Answer, Hearing
from .packing import Packing
from .plain import Plain

#: So long the rest of a stream is waited for once the provider said that the reply ended, in
#: seconds: how much was used, and the end of the body, after which a connection is used again.
GRACE = 0.5
#: And so long where that was said beside text: some servers say it beside every piece.
GRACE_BESIDE_TEXT = 5.0
#: So long after some words of a stream the next ones are read, in seconds: what came meanwhile
#: is handed on as one. And the moments at which streams are read, likewise.
STEP, TURN = 1 / 30, 1 / 120
#: Where the loop is late, all streams of the process are read further apart.
_lateness = Lateness()

_hearing: ContextVar[Hearing | None] = ContextVar("stop_chat_hearing", default=None)
_EVENT_END = re.compile(rb"\n\r?\n|\r\r")
_LINE_END = re.compile(rb"\n")
#: Some write it in front of a body; of an event's name it would make another.
_MARK = b"\xef\xbb\xbf"
_DONE = re.compile(r"\[\s*done\s*\]", re.IGNORECASE)


def hear(hearing: Hearing) -> None:
    """Note what all responses say that are asked for from here on, in this task and its own."""
    _hearing.set(hearing)


def listen(client: Any) -> None:
    """Listen to a client of httpx, or to the one inside a provider's client, if there is one."""
    for _ in range(4):
        hooks = getattr(client, "event_hooks", None)
        if isinstance(hooks, dict) and isinstance(hooks.get("response"), list):
            if _listen_in not in hooks["response"]:
                hooks["response"].append(_listen_in)
            return
        client = getattr(client, "_client", None)


async def _listen_in(response: Any) -> None:
    hearing = _hearing.get()
    if hearing is None or response.status_code >= 400:
        return
    lines = str(response.request.url.path).endswith(("/api/chat", "/api/generate"))
    packed = packed_as(response)
    if packed and packed not in UNPACKS:
        return
    base = next(
        each for each in type(response.stream).__mro__ if each.__name__ == "AsyncByteStream"
    )
    heard = type("HeardStream", (_Heard, base), {})
    perhaps_whole = "json" in response.headers.get("content-type", "").lower()
    response.stream = heard(
        response.stream,
        hearing.begin(),
        lines=lines,
        perhaps_whole=perhaps_whole and not lines,
        packing=packing_of(response),
    )


class _Heard:
    """The body of a response, one event at a time.

    So a client library has worked one event up before the next one is looked at, and what an
    event says comes at its place. Those of which it is known that they say nothing but text, and
    which come together, are passed on as one.

    :param lines: each line is an event.
    :param perhaps_whole: it may be one whole answer, of which nothing comes before the rest.
    :param packing: unpacks it; None: it is not packed.
    """

    def __init__(
        self,
        stream: Any,
        answer: Answer,
        *,
        lines: bool,
        perhaps_whole: bool,
        packing: Packing | None,
    ) -> None:
        self._stream = stream
        self._answer = answer
        self._lines = lines
        self._perhaps_whole = perhaps_whole
        self._separator = _LINE_END if lines else _EVENT_END
        self._read = _line if lines else _event
        self._packing = packing
        self._deadline: float | None = None
        self._fault: ProviderFault | None = None
        self._plain = Plain()
        self._ahead: Ahead | None = None
        #: How often it was begun to read it.
        self._begun = 0
        #: So far was looked for the end of what is held.
        self._looked = 0
        #: When text was handed on that may be followed by more, unless that was waited for.
        self._said_at: float | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        # Some libraries begin again, to read what is left behind the end that they looked for.
        self._ahead = ahead = self._ahead or Ahead(self._stream)
        self._begun += 1
        turn = self._begun
        try:
            async for heard in self._heard(ahead):
                yield heard
        finally:
            if turn == self._begun:
                await self.aclose()

    async def _heard(self, ahead: Ahead) -> AsyncIterator[bytes]:
        held = bytearray()
        self._looked = 0
        begun = False
        while (data := await self._next(ahead)) is not None:
            held += data
            if not begun:
                if held.startswith(_MARK):
                    del held[: len(_MARK)]
                if held.isspace():
                    held.clear()
                if _MARK.startswith(held):
                    continue
                begun = True
                if self._perhaps_whole and held.lstrip()[:1] in b"{[":
                    yield bytes(held)
                    async for more in self._rest(ahead, len(held)):
                        yield more
                    return
            for count, heard in enumerate(self._whole_events(held), 1):
                if heard:
                    yield heard
                if count % EVENTS_AT_ONCE == 0:
                    # They came at once, and a client library may pass over all of them.
                    await asyncio.sleep(0)
            self._bear(held)
        if held:
            for heard in self._hear(bytes(held)):
                yield heard
        self._answer.over = True
        self._look()

    def _whole_events(self, held: bytearray) -> Iterator[bytes]:
        """Take the events that are whole, and yield what is passed on of each, if anything."""
        at, looked = 0, self._looked
        texts: list[bytes] = []
        while True:
            # What has begun before was looked at for its end up to there.
            plain = self._plain.find(held, at) if looked <= at else None
            if plain is None:
                found = self._separator.search(held, max(at, looked))
                if found is None:
                    break
                piece = bytes(held[at : found.end()])
                plain = self._plain.find(piece) if looked > at else None
                at = found.end()
            else:
                at = plain[1]
            if plain is not None:
                texts.append(plain[0])
                continue
            if texts:
                yield self._together(texts)
                texts = []
            yield from self._hear(piece)
            yield b""
            self._look()
        if texts:
            yield self._together(texts)
        del held[:at]
        self._looked = max(0, len(held) - 3)

    def _together(self, texts: Sequence[bytes]) -> bytes:
        """Return one event with the text of those that came together."""
        self._answer.go_on()
        self._said_at = asyncio.get_running_loop().time()
        return self._plain.joined(texts)

    async def _wait_for_more(self, ahead: Ahead) -> None:
        """Let a few words come, where some came just now: each costs as much as several.

        They are shown in steps that are no shorter, and the last ones at once.
        """
        assert self._said_at is not None
        loop = asyncio.get_running_loop()
        due = self._said_at + _lateness.longer(STEP, self._said_at)
        self._said_at = None
        # At the same moments for all streams: so what all of them say is worked up in one turn.
        due = ceil(due / TURN) * TURN
        if due <= loop.time() or self._answer.finished:
            return
        if await ahead.wait_until(due):
            _lateness.saw(loop.time(), due)

    async def _rest(self, ahead: Ahead, length: int) -> AsyncIterator[bytes]:
        parts = 0
        while (data := await self._next(ahead)) is not None:
            length += len(data)
            parts += parts_of(data)
            check_length(length, parts)
            yield data

    def _bear(self, held: bytearray) -> None:
        """Give a reply up of which an event has no end."""
        try:
            check_length(len(held))
        except ProviderFault:
            self._answer.over = self._answer.broke = True
            raise

    async def aclose(self) -> None:
        """Close the response, and with it the connection unless it was read to its end."""
        try:
            if self._ahead is not None:
                await self._ahead.close()
        finally:  # also where a second cancel lands in the first one's clean-up
            await self._stream.aclose()

    async def _next(self, ahead: Ahead) -> bytes | None:
        """Read on; None: this is the end."""
        if self._said_at is not None:
            await self._wait_for_more(ahead)
        if not self._answer.sure:
            self._deadline = None
        elif self._deadline is None:
            grace = GRACE_BESIDE_TEXT if self._answer.beside_text else GRACE
            self._deadline = asyncio.get_running_loop().time() + grace
        try:
            async with asyncio.timeout_at(self._deadline):
                return await self._take(ahead)
        except TimeoutError:
            if self._deadline is None:
                raise
            return None
        except Exception:
            self._answer.over = True
            if self._answer.sure:
                return None  # what came is whole
            self._answer.broke = True
            raise

    async def _take(self, ahead: Ahead) -> bytes | None:
        if self._packing is None:
            return await ahead.take()
        if self._packing.has_more:
            await asyncio.sleep(0)  # of a little much may come
            return self._packing.unpack()
        data = await ahead.take()
        return data if data is None else self._packing.unpack(data)

    def _look(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._answer.ending == "error":
            raise ProviderFault("the reply ended with an error")

    def _hear(self, piece: bytes) -> Iterator[bytes]:
        """Note what an event says, and yield what is passed on of it."""
        check_parts(piece)
        name, text = self._read(piece)
        if text is None:
            yield piece
            return
        if _DONE.fullmatch(text):
            self._answer.ended = True
            yield piece if "[DONE]" in text else b"data: [DONE]\n\n"
            return
        for data in _values(text):
            fault = fault_in(data, name)
            if fault is not None:
                self._fault = self._fault or ProviderFault(fault)
            if not isinstance(data, dict):
                continue
            # What is no UTF-8 would end the client library's stream.
            changed = hear_event(data, self._answer) or "\ufffd" in text
            if fault is not None:
                if not _says(data):
                    continue
                for key in ("error", "errors"):
                    data.pop(key, None)
                changed = True
            one = text.lstrip().startswith("{") and not text.count("\n")
            if one and not changed:
                if self._plain.learn(piece, data):
                    self._said_at = asyncio.get_running_loop().time()
                yield piece
            else:
                yield self._written(name, data)

    def _written(self, name: str, data: dict[str, Any]) -> bytes:
        body = json.dumps(data).encode()
        if self._lines:
            return body + b"\n"
        # A changed event has its changed name.
        kind = data.get("type") if name else None
        label = f"event: {kind if isinstance(kind, str) else name}\n" if name else ""
        return label.encode() + b"data: " + body + b"\n\n"


def _says(data: dict[str, Any]) -> bool:
    """Tell whether an event with an error in it has text as well."""
    return any(
        isinstance(choice, dict) and (choice.get("delta") or {}).get("content")
        for choice in data.get("choices") or ()
    )


def _values(text: str) -> Iterator[object]:
    """Yield what stands in an event's data: one JSON value, or one a line, or words."""
    try:
        yield json.loads(text)
        return
    except (ValueError, RecursionError):
        pass
    for line in filter(str.strip, text.split("\n")):
        try:
            yield json.loads(line)
        except (ValueError, RecursionError):
            yield line


def _line(piece: bytes) -> tuple[str, str | None]:
    text = piece.decode("utf-8", "replace").strip()
    return "", text or None


def _event(piece: bytes) -> tuple[str, str | None]:
    name = ""
    data: list[bytes] = []
    for line in piece.splitlines():
        if line.startswith(b"data:"):
            data.append(line[5:].strip())
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
    if not any(data):
        return name, None
    return name, b"\n".join(data).decode("utf-8", "replace")
