"""How a session ends that has hardly begun."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from jupyter_stop_chat.mcp_servers import servers
from jupyter_stop_chat.mcp_servers.config import Entry
from jupyter_stop_chat.mcp_servers.text import Log


@pytest.fixture(scope="module", autouse=True)
def sdk() -> None:
    """Import what the SDK imports later, which takes long."""
    servers._session()


@pytest.mark.parametrize("which", ["hears", "is told"])
async def test_a_server_that_ends_before_it_is_told_anything(
    monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """N7: whichever is noticed first, that nobody hears or that nobody speaks."""
    from jupyter_stop_chat.mcp_servers import session

    @asynccontextmanager
    async def reach(*_: Any) -> AsyncIterator[Any]:
        writer, said = anyio.create_memory_object_stream[Any](0)
        told, heard = anyio.create_memory_object_stream[Any](0)
        with writer, said, told, heard:
            (heard if which == "hears" else told).close()
            yield said, told

    monkeypatch.setattr(session, "streams_of", reach)
    made = session.Session(Entry("io", "own", command=("true",)), Log(), lambda: None)
    with pytest.raises(session.GoneError, match=r"^It ended as it was started\.$"):
        await made.ready()
    await made.close()
    assert made.failure == "It ended as it was started."
