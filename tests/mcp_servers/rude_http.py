"""A server over HTTP without the SDK, in this process, that answers calls as it likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.aids.ports import listening

#: Answers a call: it is given the request, and writes.
Answer = Callable[[dict[str, Any], asyncio.StreamWriter], Awaitable[None]]
TOOLS = {"tools": [{"name": "act", "inputSchema": {"type": "object"}}]}


def head(status: str, kind: str = "application/json", **more: str) -> bytes:
    """Return the beginning of an answer."""
    lines = {"Content-Type": kind, **{name.replace("_", "-"): each for name, each in more.items()}}
    said = "".join(f"{name}: {each}\r\n" for name, each in lines.items())
    return f"HTTP/1.1 {status}\r\n{said}\r\n".encode()


def whole(status: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """Return an answer with its length."""
    return head(status, kind, Content_Length=str(len(body))) + body


def result(number: Any, held: Any) -> bytes:
    """Return the message that answers a request."""
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": held}).encode()


def part(some: bytes) -> bytes:
    """Return a part of an answer without a length; an empty one is its end."""
    return b"%x\r\n%s\r\n" % (len(some), some)


#: Writes to who asks for the stream that belongs to no call.
Stream = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def rude(
    answer: Answer,
    *,
    hears: bool = True,
    tools: Any = TOOLS,
    stream: Stream | None = None,
    session: str = "",
) -> AsyncIterator[dict[str, Any]]:
    """Start such a server; yield its entry.

    :param hears: it answers a cancel.
    :param tools: what it offers.
    :param stream: what belongs to no call, which is asked for with a session only.
    :param session: the session's id.
    """
    more = {"Mcp_Session_Id": session} if session else {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                told = await reader.readuntil(b"\r\n\r\n")
                lines = told.lower().split(b"\r\n")
                lengths = [each for each in lines if each.startswith(b"content-length:")]
                length = int(lengths[0].partition(b":")[2]) if lengths else 0
                asked = json.loads(await reader.readexactly(length) or b"{}")
                match asked.get("method"):
                    case None if stream is not None and told.startswith(b"GET"):
                        await stream(writer)
                        break
                    case None:
                        writer.write(whole("405 No"))
                    case "initialize":
                        version = asked["params"]["protocolVersion"]
                        about = {"serverInfo": {"name": "rude", "version": "1"}}
                        about |= {"protocolVersion": version, "capabilities": {}}
                        body = result(asked["id"], about)
                        length = str(len(body))
                        writer.write(head("200 OK", Content_Length=length, **more) + body)
                    case "tools/list":
                        writer.write(whole("200 OK", result(asked["id"], tools)))
                    case "tools/call":
                        await answer(asked, writer)
                    case "notifications/cancelled" if not hears:
                        await reader.read()
                    case _:
                        writer.write(whole("202 Accepted"))
        writer.close()

    async with listening(handle) as port:
        yield {"url": f"http://127.0.0.1:{port}/mcp"}
