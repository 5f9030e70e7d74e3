"""A kernel that makes its replies by itself, beside a server on the same history."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.lab import Lab
from tests.magics.notebook import Alone, Home, Notebook, Server
from tests.providers import OpenAIProvider, Script


@pytest.fixture
def beside(alone: Alone, config: dict[str, Any], tmp_path: Path) -> Iterator[Server]:
    """Start a server that the kernel does not know of, with the kernel's history."""
    lab = Lab(tmp_path / "beside", config, module="jupyter_server")
    lab.data = alone.folder / "data"
    lab.start()
    made = Server(lab)
    yield made
    made.close()
    lab.stop()


# Between engines on one file, and between servers, it is tried at every run.
@pytest.mark.stress
def test_each_stops_what_the_other_makes(
    alone: Alone,
    kernel_of: Callable[[Home], Notebook],
    beside: Server,
    provider: OpenAIProvider,
) -> None:
    """S3, B6: through the file alone, a page ends a cell's reply, and a cell a page's."""
    provider.script = Script(stall_after=3)
    notebook = kernel_of(alone)
    cell = notebook.begin("%%chat\nHi")
    cell.until_text("t2 ")
    stopped = beside.call("POST", "stop-chat/interrupt", {})["results"]
    assert [each["outcome"] for each in stopped] == ["interrupted"]
    assert cell.end()["ename"] == "KeyboardInterrupt"
    assert cell.errors[0]["traceback"] == ["Interrupted: response stopped by the user"]
    asking = threading.Thread(target=_ask, args=(beside,))
    asking.start()
    while not beside.call("GET", "stop-chat/generations")["generations"]:
        pass
    assert notebook.run("%chat stop all").text == "1 reply stopped.\n"
    asking.join(20)
    assert not asking.is_alive()
    assert beside.call("GET", "stop-chat/generations")["generations"] == []


def _ask(server: Server) -> None:
    """Have a reply streamed, and read it to its end."""
    request = urllib.request.Request(
        f"{server.lab.root}api/stop-chat/generate",
        b'{"body": "Hello"}',
        {"Authorization": f"token {server.lab.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()
