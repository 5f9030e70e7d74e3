"""Processes of this folder, started and asked by lines of JSON; and their side of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HERE = Path(__file__).resolve().parents[1]


class Child:
    """A process that says one line of JSON when it is ready, and ends with its input.

    :param module: what it runs.
    :param arguments: what the module is given.
    :param places: more of its environment.
    :ivar hello: what it said first.
    """

    def __init__(
        self, module: str, *arguments: str, places: Mapping[str, str] | None = None
    ) -> None:
        self._places = dict(places or {})
        self._command = [sys.executable, "-m", module, *arguments]
        self._process: asyncio.subprocess.Process | None = None
        self.hello: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        """Return the process's id."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        paths = os.pathsep.join([str(HERE), str(HERE.parent)])
        # An empty key is refused by the client libraries; this one is nobody's.
        environment = os.environ | {"PYTHONPATH": paths, "OPENAI_API_KEY": "none"}
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            env=environment | self._places,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        self.hello = await self._line()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Have something done; return the answer.

        :param do: what.
        :param fields: what the process must know for it.
        """
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}).encode() + b"\n")
        return await self._line()

    async def _line(self) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"{self._command} has ended"
        found: dict[str, Any] = json.loads(line)
        return found


# --- the child's side -------------------------------------------------------------------------


def tell(**fields: Any) -> None:
    """Say a line to whoever started this process."""
    print(json.dumps(fields), flush=True)


async def commands() -> AsyncIterator[dict[str, Any]]:
    """Yield what this process is asked, until its input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)
