"""Put a listener between an HTTP client and the body of each response that makes a reply."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

from .dialects import hear_event
from .faults import ProviderFault, fault_in
from .hearing import Answer, Hearing
from .plain import Plain

#: So long the rest of a stream is waited for once the provider said that the reply ended, in
#: seconds: how much was used, and the end of the body, after which a connection is used again.
GRACE = 0.5
#: And so long where that was said beside text: some servers say it beside every piece.
GRACE_BESIDE_TEXT = 5.0

_hearing: ContextVar[Hearing | None] = ContextVar("stop_chat_hearing", default=None)
_EVENT_END = re.compile(rb"\n\r?\n|\r\r")
_LINE_END = re.compile(rb"\n")
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
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding not in {"identity", "gzip", "deflate"}:
        return
    if encoding != "identity":
        del response.headers["content-encoding"]
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
        packed=encoding != "identity",
    )


class _Heard:
    """The body of a response, one event at a time.

    So a client library has worked one event up before the next one is looked at, and what an
    event says comes at its place. Those of which it is known that they say nothing but text are
    passed on together.

    :param lines: each line is an event.
    :param perhaps_whole: it may be one whole answer, of which nothing comes before the rest.
    :param packed: it is compressed.
    """

    def __init__(
        self, stream: Any, answer: Answer, *, lines: bool, perhaps_whole: bool, packed: bool
    ) -> None:
        self._stream = stream
        self._answer = answer
        self._lines = lines
        self._perhaps_whole = perhaps_whole
        self._separator = _LINE_END if lines else _EVENT_END
        self._read = _line if lines else _event
        self._unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packed else None
        self._deadline: float | None = None
        self._fault: ProviderFault | None = None
        self._plain = Plain()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        source = self._stream.__aiter__()
        held = bytearray()
        looked = 0
        begun = not self._perhaps_whole
        while (data := await self._next(source)) is not None:
            held += data
            if not begun:
                if not (start := held.lstrip()):
                    continue
                begun = True
                if start[:1] in b"{[":
                    yield bytes(held)
                    async for more in self._rest(source):
                        yield more
                    return
            at = 0
            plain = 0
            while found := self._separator.search(held, max(at, looked)):
                piece = bytes(held[at : found.end()])
                at = found.end()
                if self._plain.is_like(piece):
                    self._answer.go_on()
                    continue
                if plain < at - len(piece):
                    yield bytes(held[plain : at - len(piece)])
                plain = at
                for heard in self._hear(piece):
                    yield heard
                self._look()
            if plain < at:
                yield bytes(held[plain:at])
            del held[:at]
            looked = max(0, len(held) - 3)
        if held:
            for heard in self._hear(bytes(held)):
                yield heard
        self._answer.over = True
        self._look()

    async def _rest(self, source: Any) -> AsyncIterator[bytes]:
        while (data := await self._next(source)) is not None:
            yield data

    async def aclose(self) -> None:
        """Close the response, and with it the connection unless it was read to its end."""
        await self._stream.aclose()

    async def _next(self, source: Any) -> bytes | None:
        """Read on; None: this is the end."""
        if not self._answer.sure:
            self._deadline = None
        elif self._deadline is None:
            grace = GRACE_BESIDE_TEXT if self._answer.beside_text else GRACE
            self._deadline = asyncio.get_running_loop().time() + grace
        try:
            if self._deadline is None:
                data: bytes = await source.__anext__()
            else:
                async with asyncio.timeout_at(self._deadline):
                    data = await source.__anext__()
        except StopAsyncIteration:
            return None
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
        return self._unpack.decompress(data) if self._unpack else data

    def _look(self) -> None:
        if self._fault is not None:
            raise self._fault
        if self._answer.ending == "error":
            raise ProviderFault("the reply ended with an error")

    def _hear(self, piece: bytes) -> Iterator[bytes]:
        """Note what an event says, and yield what is passed on of it."""
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
            changed = hear_event(data, self._answer)
            if fault is not None:
                if not _says(data):
                    continue
                for key in ("error", "errors"):
                    data.pop(key, None)
                changed = True
            one = text.lstrip().startswith("{") and not text.count("\n")
            if one and not changed:
                self._plain.learn(piece, data)
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
    except ValueError:
        pass
    for line in filter(str.strip, text.splitlines()):
        try:
            yield json.loads(line)
        except ValueError:
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
