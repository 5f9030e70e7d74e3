"""A server of the SDK's that is reached by HTTP."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.aids.ports import free_port
from tests.mcp_servers.rig import SERVERS


@asynccontextmanager
async def over_http() -> AsyncIterator[dict[str, Any]]:
    """Start a server of the SDK's that is reached by HTTP; yield its entry."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(SERVERS / "talking.py"), "streamable-http", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while True:
            assert process.returncode is None, "it ended"
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.05)
        yield {"url": f"http://127.0.0.1:{port}/mcp"}
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
