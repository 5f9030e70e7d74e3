"""What the tests of tools have at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio._backends._asyncio  # noqa: F401 - else imported while the first file is read
import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from jupyter_stop_chat.server.jupyter.contents import ServerContents
from jupyter_stop_chat.tools import BuiltInTools
from tests.tools.notebooks import StandIn

#: Calls a tool by its name and returns its words.
Say = Callable[..., Awaitable[str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the server's root."""
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def contents(root: Path) -> Iterator[ServerContents]:
    """Return the server's files, as Jupyter Server has them by default."""
    manager = AsyncLargeFileManager(root_dir=str(root))
    yield ServerContents(cast("Any", SimpleNamespace(contents_manager=manager)))
    # Where it notes which notebooks are trusted: a database.
    manager.notary.store.close()


@pytest.fixture
def tools(
    contents: ServerContents, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[BuiltInTools]:
    """Return the tools; what they had begun ends with the test."""
    made = BuiltInTools(contents)
    yield made
    jp_asyncio_loop.run_until_complete(made.close())


@pytest.fixture
def say(tools: BuiltInTools) -> Callable[[StandIn], Say]:
    """Call tools by their names, for one call's stand-in."""
    by_name = {each.name: each for each in tools("me")}

    def of(call: StandIn) -> Say:
        async def do(name: str, **args: Any) -> str:
            result = await call.run(by_name[name], **args)
            assert not result.failed
            return result.text

        return do

    return of
