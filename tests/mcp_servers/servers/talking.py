"""An MCP server of the SDK's: `stdio`, or `streamable-http` at a port.

What it does it writes into the file that `SEEN` names, a line each.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import time
from pathlib import Path
from typing import Any

from mcp.server.fastmcp import Context, FastMCP, Image
from mcp.types import (
    CallToolResult,
    EmbeddedResource,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

SEEN = Path(os.environ["SEEN"])
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
)
server = FastMCP("talking", host="127.0.0.1", port=int((sys.argv[2:] or ["0"])[0]))


def seen(what: str) -> None:
    """Write down what was done."""
    with SEEN.open("a") as file:
        file.write(f"{what} {os.getpid()}\n")


@server.tool()
async def slow(seconds: float) -> str:
    """Take some time."""
    seen("slow began")
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        seen("slow cancelled")
        raise
    seen("slow done")
    return "done"


@server.tool()
async def block(seconds: float) -> str:
    """Hold the server's own loop: no cancel is read meanwhile."""
    seen("block began")
    time.sleep(seconds)  # noqa: ASYNC251 - as many servers do
    seen("block done")
    return "done"


@server.tool()
async def die() -> str:
    """End the whole server."""
    seen("die began")
    os._exit(3)


@server.tool()
async def flood(characters: int) -> str:
    """Answer with very much."""
    return "x" * characters


@server.tool()
async def steps(ctx: Context[Any, Any, Any]) -> str:
    """Tell how far it is."""
    await ctx.report_progress(1, 3, "first\u202e step")
    await ctx.info("the log's own words")
    print("what it wrote to stderr, with", os.environ.get("MY_TOKEN"), file=sys.stderr, flush=True)
    return "done"


@server.tool()
async def ask(ctx: Context[Any, Any, Any]) -> str:
    """Ask the client for what it does not do."""
    from mcp.types import SamplingMessage

    said = []
    try:
        message = SamplingMessage(role="user", content=TextContent(type="text", text="Hi"))
        await ctx.session.create_message(messages=[message], max_tokens=5)
    except Exception as error:
        said.append(str(error))
    try:
        await ctx.session.elicit("Your key?", {"type": "object", "properties": {}})
    except Exception as error:
        said.append(str(error))
    try:
        await ctx.session.list_roots()
    except Exception as error:
        said.append(str(error))
    return " / ".join(said)


@server.tool()
async def picture() -> Image:
    """Show a picture."""
    return Image(data=PIXEL, format="png")


@server.tool(structured_output=False)
async def everything() -> CallToolResult:
    """Answer with a link, a resource and an error."""
    link = ResourceLink(type="resource_link", name="paper", uri="https://example.org/p")  # type: ignore[arg-type]
    text = TextResourceContents(uri="file:///a.txt", text="its text")  # type: ignore[arg-type]
    resource = EmbeddedResource(type="resource", resource=text)
    return CallToolResult(content=[link, resource], isError=True)


@server.tool()
async def child(stubborn: bool = True) -> str:
    """Start a process that leaves the server's group and outlives it."""
    code = "import os, signal, time; os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    code += "time.sleep(600)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    seen(f"child {process.pid}")
    return "done"


if __name__ == "__main__":
    seen("start")
    server.run(transport=sys.argv[1])  # type: ignore[arg-type]
