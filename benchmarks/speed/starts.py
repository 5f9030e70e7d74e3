"""How long Jupyter Server takes to start, with the extension and without."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from .rows import Row, median


async def measure(rounds: int) -> list[Row]:
    """Measure, one with and one without in turn."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        for ours in (True, False):
            took[ours].append(await _start(ours=ours))
    with_us, without = median(took[True]), median(took[False])
    name = "start of Jupyter Server, to without us"
    row = Row(name, f"{with_us:.2f} s", f"{without:.2f} s", with_us / without, 1.03)
    print(row.markdown(), flush=True)
    return [row]


async def _start(*, ours: bool) -> float:
    """Return how many seconds a server took to answer."""
    with tempfile.TemporaryDirectory(prefix="stop-chat-bench-") as folder:
        port = _free_port()
        environment = os.environ | {
            "HOME": folder,
            "JUPYTER_CONFIG_DIR": str(Path(folder) / "config"),
            "JUPYTER_DATA_DIR": str(Path(folder) / "data"),
            "JUPYTER_RUNTIME_DIR": str(Path(folder) / "runtime"),
        }
        arguments = [
            *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
            f"--port={port}",
            "--IdentityProvider.token=x",
            f"--ServerApp.jpserver_extensions={ {'jupyter_stop_chat': ours} }",
            "--log-level=ERROR",
        ]
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*arguments, env=environment)
        try:
            while True:
                try:
                    await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}/api?token=x")
                    return time.perf_counter() - began
                except OSError:
                    await asyncio.sleep(0.01)
        finally:
            process.terminate()
            await process.wait()


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])
