"""How long Jupyter Server takes to start, with the chat and without."""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator

from tornado.httpclient import AsyncHTTPClient

from .asked import Asked
from .children import Child, tell
from .rows import Row

MOST = 1.03


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    took: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory(prefix="stop-chat-bench-") as compiled:
        for number in range(max(7, asked.rounds) + 1):
            for enabled in (False, True):
                found = await _start(enabled, compiled)
                if number:  # the first fills the caches
                    took[enabled].append(found)
    ours, without = statistics.median(took[True]), statistics.median(took[False])
    what = "start of Jupyter Server → first answer"
    yield Row(what, "ms", ours * 1e3, "without the chat", without * 1e3, MOST)


async def _start(enabled: bool, compiled: str) -> float:
    """Start a server; return the seconds to its first answer.

    :param compiled: where compiled modules are kept, as pip compiles what it installs: those of a
        checkout are compiled anew at each start where the environment has Python write none.
    """
    with tempfile.TemporaryDirectory(prefix="stop-chat-bench-") as folder:
        places = {
            "HOME": folder,
            "JUPYTER_CONFIG_DIR": f"{folder}/config",
            "JUPYTER_DATA_DIR": f"{folder}/data",
            "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
            "JUPYTER_TOKEN": "none",
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": compiled,
        }
        began = time.monotonic()
        async with Child("speed.start", *(["with"] if enabled else []), places=places) as server:
            http = AsyncHTTPClient(force_instance=True)
            await http.fetch(f"http://127.0.0.1:{server.hello['port']}/api/status?token=none")
            took = time.monotonic() - began
            http.close()
            os.kill(server.pid, signal.SIGTERM)
            assert server.hello["chat"] == enabled, "the extension is not as it was asked for"
            return took


def _serve(enabled: bool) -> None:
    """Run a server until it is told to end.

    :param enabled: with the chat.
    """
    from jupyter_server.serverapp import ServerApp

    app = ServerApp()
    app.initialize(
        argv=[
            f"--ServerApp.jpserver_extensions={{'jupyter_stop_chat': {enabled}}}",
            "--port=0",
            "--allow-root",
            "--no-browser",
            "--log-level=ERROR",
        ]
    )

    async def ready() -> None:
        # The server listens only once its loop runs.
        sockets = app.http_server._sockets
        port = next(iter(sockets.values())).getsockname()[1]
        apps = app.extension_manager.extension_apps.get("jupyter_stop_chat")
        tell(port=port, chat=bool(apps))

    app.io_loop.add_callback(ready)
    app.start()


if __name__ == "__main__":
    _serve(sys.argv[1:] == ["with"])
