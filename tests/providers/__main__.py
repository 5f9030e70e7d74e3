"""Run a provider as a process: `python -m tests.providers --kind openai --rate 50`.

The first line of output is a JSON object with `port`, `base_url` and `control`.
`GET {control}state` tells what was asked and sent; `POST {control}script` takes the fields of a
`Script` as JSON; `POST {control}resume` ends a stall. It ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from . import KINDS
from .script import Script


async def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=sorted(KINDS), default="openai")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=float, help="tokens a second")
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--stall-after", type=int)
    asked = parser.parse_args()
    script = Script(tokens=asked.tokens, rate=asked.rate, stall_after=asked.stall_after)
    async with KINDS[asked.kind](script, port=asked.port) as provider:
        origin = f"http://127.0.0.1:{provider.port}"
        hello = {
            "kind": provider.kind,
            "port": provider.port,
            "base_url": provider.base_url,
            "control": f"{origin}/_control/",
        }
        print(json.dumps(hello), flush=True)
        # Not the default executor: leaving the loop would wait for the read that never ends.
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        loop.add_reader(sys.stdin, lambda: None if sys.stdin.buffer.raw.read(4096) else _end())

        def _end() -> None:
            loop.remove_reader(sys.stdin)
            ended.set()

        await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
