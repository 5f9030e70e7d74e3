"""Between a client library and the network: no proxy for this machine, and no page for a reply.

Nor does a redirect take a prompt to where it was not sent.

The transport is put in front of the client's own, whichever of httpx's families it is of.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

from jupyter_stop_chat.chat_handlers.hearing.bodies import (
    UNPACKS,
    cut,
    packed_as,
    packing_of,
    pieces,
    whole,
)
from jupyter_stop_chat.chat_handlers.hearing.whole_answers import WAYS, stream_of
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError

#: What OpenAI's clients ask for below an address; it may name a version itself.
_OPENAI = (b"/chat/completions", b"/responses")
_VERSION = re.compile(rb"/v\d")
#: How a field of server-sent events begins: data, event, id, retry, or a comment.
_FIELDS = frozenset({b"d", b"e", b"i", b"r", b":"})
#: What is asked for: we unpack it bit by bit.
_PACKINGS = "gzip, deflate"
_PAGES = frozenset({"text/html", "application/xhtml+xml"})


def prepare(client: Any) -> None:
    """Prepare the HTTP client of a model, once.

    :param client: of a provider's library.
    """
    http = getattr(client, "_client", client)
    if not hasattr(http, "_transport") or isinstance(http._transport, Transport):
        return
    mounts = getattr(http, "_mounts", {})
    if is_this_machine(_host_of(client) or _host_of(http)) and getattr(http, "trust_env", False):
        # They came from the environment: what is told there of a proxy is for other machines.
        mounts.clear()
    http._transport = Transport(http._transport)
    for pattern, transport in list(mounts.items()):
        if transport is not None:
            mounts[pattern] = Transport(transport)


def is_this_machine(host: str) -> bool:
    """Tell whether an address is this machine's own."""
    host = host.strip("[]").rstrip(".").lower()
    own = socket.gethostname().lower()
    if host in {"localhost", own, f"{own}.local"} or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or address.is_unspecified


def _host_of(client: Any) -> str:
    return getattr(getattr(client, "base_url", None), "host", "") or ""


class Transport:
    """A transport that looks at what begins as an answer.

    A web page is no reply: the address is wrong, or lacks the `/v1` that most servers want. One
    whole answer, where a stream was asked for, is handed on as a stream.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        #: What is asked for is below `/v1`, which the address lacks.
        self._is_below_v1 = False

    @property
    def _pool(self) -> Any:
        return getattr(self._inner, "_pool", None)

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request; return the answer."""
        if "accept-encoding" in request.headers:
            request.headers["accept-encoding"] = _PACKINGS
        response = await self._sent(request)
        if _leads_away(request, response):
            await response.aclose()
            raise StopChatError(ErrorCode.WRONG_ADDRESS, "it leads to another address")
        packed = packed_as(response)
        unread = packed != "" and packed not in UNPACKS
        if response.status_code >= 300:
            if unread:
                del response.headers["content-encoding"]
            body = pieces(response.stream, packing_of(response))
            response.stream = _rest(response.stream, b"", cut(body))
            return response
        if unread:
            await response.aclose()
            raise StopChatError(ErrorCode.PROVIDER_FAILED, f"packed as {packed[:100]!r}, unasked")
        if response.status_code != 200:
            return response
        kind = _kind(response)
        if kind in _PAGES:
            await response.aclose()
            raise StopChatError(ErrorCode.WRONG_ADDRESS, "a web page answered")
        if kind == "application/json" and request.url.path.endswith(WAYS):
            return await _as_stream(request, response)
        return response

    async def _sent(self, request: Any) -> Any:
        """Send a request, also below `/v1` where nothing is at an address that lacks it."""
        below = _below_v1(request)
        if below is not None and self._is_below_v1:
            return await self._inner.handle_async_request(below)
        response = await self._inner.handle_async_request(request)
        if below is None or not _is_nothing(response):
            return response
        try:
            other = await self._inner.handle_async_request(below)
        except BaseException:
            await response.aclose()
            raise
        self._is_below_v1 = not _is_nothing(other)
        await (response if self._is_below_v1 else other).aclose()
        return other if self._is_below_v1 else response

    async def __aenter__(self) -> Transport:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._inner.__aexit__(*error)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def _kind(response: Any) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _leads_away(request: Any, response: Any) -> bool:
    """Tell whether a redirect takes a prompt to where it was not sent, or leaves it behind.

    Clients follow it: another server would be told the whole chat, with the key if that is in a
    header that they do not know for one. And most redirects make a POST a GET, without a body.
    """
    if request.method != "POST" or "location" not in response.headers:
        return False
    if response.status_code in {301, 302, 303}:
        return True
    if response.status_code not in {307, 308}:
        return False
    try:
        there = request.url.join(response.headers["location"])
    except Exception:  # noqa: BLE001 - each of httpx's families has its own for what is no address
        return True
    return _origin(there) != _origin(request.url)


def _origin(url: Any) -> tuple[str, str, int | None]:
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, port


def _is_nothing(response: Any) -> bool:
    """Tell whether no API answered: nothing is there, or a web page."""
    if response.status_code in {404, 405}:
        return True
    return response.status_code < 400 and _kind(response) in _PAGES


def _below_v1(request: Any) -> Any:
    """Return the same request below `/v1`; None where it names a version, or is another."""
    path, query, rest = request.url.raw_path.partition(b"?")
    end = next((each for each in _OPENAI if path.endswith(each)), None)
    if end is None or request.method != "POST" or _VERSION.search(path):
        return None
    url = request.url.copy_with(raw_path=path[: -len(end)] + b"/v1" + end + query + rest)
    more = {"headers": request.headers, "extensions": request.extensions}
    return type(request)(request.method, url, content=request.content, **more)


async def _as_stream(request: Any, response: Any) -> Any:
    asked = json.loads(request.content or b"{}") if hasattr(request, "_content") else {}
    if not (isinstance(asked, Mapping) and asked.get("stream")):
        return response
    begun = pieces(response.stream, packing_of(response))
    first = b""
    async for part in begun:
        first = part.lstrip()  # of blanks nothing is kept
        if first:
            break
    response.stream = _rest(response.stream, first, begun)
    if first[:1] in _FIELDS:
        return response  # a stream by another name
    try:
        body = await whole(aiter(response.stream))
    finally:
        await response.aclose()
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    headers = {"content-type": "text/event-stream"}
    # As a stream, not as content, so that who listens to streams hears it.
    stream = _rest(response.stream, stream_of(request.url.path, told), _nothing())
    return type(response)(200, headers=headers, stream=stream, request=request)


async def _nothing() -> AsyncIterator[bytes]:
    for part in tuple[bytes, ...]():
        yield part


def _rest(stream: Any, first: bytes, begun: AsyncIterator[bytes]) -> Any:
    """Return a stream that begins with what was already taken of it."""

    held = [first]

    async def parts(self: Any) -> AsyncIterator[bytes]:
        # Once only: OpenAI's client reads on behind the end to leave nothing on the connection.
        if held:
            yield held.pop()
        async for part in begun:
            yield part

    async def close(self: Any) -> None:
        await stream.aclose()

    base = next(each for each in type(stream).__mro__ if each.__name__ == "AsyncByteStream")
    return type("Rest", (base,), {"__aiter__": parts, "aclose": close})()
