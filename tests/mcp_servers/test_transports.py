"""What is left of the way to a server when its session has ended: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from jupyter_stop_chat.mcp_servers import servers, transports
from jupyter_stop_chat.mcp_servers.config import Entry


@pytest.fixture(scope="module", autouse=True)
def sdk() -> None:
    """Import what the SDK imports later, which takes long."""
    servers._session()


def _reading() -> list[str]:
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("read an MCP server")]


@pytest.mark.parametrize("kind", ["process", "HTTP"])
@pytest.mark.parametrize("closes", [True, False], ids=["closes", "closes nothing"])
async def test_what_reads_to_the_end_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, kind: str, closes: bool
) -> None:
    """N9: what the server said as it was ended is read, and no stream is open behind that."""
    monkeypatch.setattr(transports, "REST_S", 60.0 if closes else 0.01)
    writer, said = anyio.create_memory_object_stream[Any](0)
    told, heard = anyio.create_memory_object_stream[Any](0)

    @asynccontextmanager
    async def reach(*_: Any, **__: Any) -> AsyncIterator[Any]:
        async with told, heard:
            yield (said, told) if kind == "process" else (said, told, None)
            await writer.send("the last words")
        if closes:
            asyncio.get_running_loop().call_later(0.05, writer.close)

    monkeypatch.setattr(transports, "stdio_client", reach)
    monkeypatch.setattr(transports, "streamable_http_client", reach)
    web = Entry("web", "own", url="http://127.0.0.1:1/mcp")
    entry = Entry("io", "own", command=("true",)) if kind == "process" else web
    async with transports.streams_of(entry, lambda _: None, lambda _: None) as (found, _):
        assert found is said
    assert _reading() == []
    assert said._closed
    assert writer._closed is closes
    writer.close()
