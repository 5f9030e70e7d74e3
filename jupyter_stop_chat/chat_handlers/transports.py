"""Between a client library and the network: no proxy for this machine, and no page for a reply.

The transport is put in front of the client's own, whichever of httpx's families it is of.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any

from jupyter_stop_chat.errors import ErrorCode, StopChatError


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

    A web page is no reply: the address is wrong. One whole answer, where a stream was asked for,
    is handed on as a stream.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property
    def _pool(self) -> Any:
        return getattr(self._inner, "_pool", None)

    async def handle_async_request(self, request: Any) -> Any:
        """Send a request; return the answer."""
        response = await self._inner.handle_async_request(request)
        if response.status_code != 200:
            return response
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in {"text/html", "application/xhtml+xml"}:
            await response.aclose()
            raise StopChatError(ErrorCode.WRONG_ADDRESS, "a web page answered")
        if kind == "application/json" and request.url.path.endswith("/chat/completions"):
            return await _as_stream(request, response)
        return response

    async def __aenter__(self) -> Transport:
        await self._inner.__aenter__()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._inner.__aexit__(*error)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


async def _as_stream(request: Any, response: Any) -> Any:
    asked = json.loads(request.content or b"{}") if hasattr(request, "_content") else {}
    if not (isinstance(asked, Mapping) and asked.get("stream")):
        return response
    if not response.headers.get("content-encoding"):
        begun = response.stream.__aiter__()
        first = b""
        async for part in begun:
            first += part
            if first.strip():
                break
        response.stream = _rest(response.stream, first, begun)
        if first.lstrip()[:1] not in {b"{", b"["}:
            return response  # a stream by another name
    try:
        body = await response.aread()
    finally:
        await response.aclose()
    try:
        told: Any = json.loads(body)
    except ValueError:
        told = None
    headers = {"content-type": "text/event-stream"}
    # As a stream, not as content, so that who listens to streams hears it.
    stream = _rest(response.stream, _stream_of(told), _nothing())
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


def _stream_of(told: Any) -> bytes:
    """Write one whole answer as the events of a stream.

    :raises StopChatError: `wrong_address`, when it is no answer of a model.
    """
    if isinstance(told, list) and told:
        told = told[0]
    if isinstance(told, Mapping) and told.get("error"):
        return _event({"error": told["error"]})
    choices = told.get("choices") if isinstance(told, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(choices, list):
        raise StopChatError(ErrorCode.WRONG_ADDRESS, "another kind of JSON answered")
    head = {
        "id": told.get("id") or "",
        "object": "chat.completion.chunk",
        "created": told.get("created") or 0,
        "model": told.get("model") or "",
    }
    events = b""
    for choice in choices[:1]:
        message = dict(choice.get("message") or choice.get("delta") or {})
        message.setdefault("role", "assistant")
        calls = message.get("tool_calls") or []
        message["tool_calls"] = [{"index": at, **call} for at, call in enumerate(calls)] or None
        reason = choice.get("finish_reason") or "stop"
        events += _event({**head, "choices": [{"index": 0, "delta": message}]})
        events += _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if told.get("usage"):
        events += _event({**head, "choices": [], "usage": told["usage"]})
    return events + b"data: [DONE]\n\n"


def _event(data: Any) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"
