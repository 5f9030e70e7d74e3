"""Processes of their own: what is measured has its processor to itself, and its figures too."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from tornado.httpclient import AsyncHTTPClient

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A process that says in a first line of JSON where it is, and ends with its input.

    :param arguments: what follows `python`.
    :ivar hello: the first line.
    """

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._arguments = arguments
        self._environment = os.environ | {"PYTHONPATH": str(ROOT)} | environment
        self._process: asyncio.subprocess.Process | None = None
        self.hello: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
            cwd=ROOT,
        )
        self.hello = json.loads(await self.line())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def line(self) -> bytes:
        """Read the next line of its output."""
        assert self._process is not None
        assert self._process.stdout is not None
        return await self._process.stdout.readline()

    async def ask(self, **command: Any) -> Any:
        """Send a command, and return the answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        return json.loads(await self.line())

    def processor(self) -> float:
        """Return the processor time that it has used, in seconds."""
        assert self._process is not None
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Return its resident memory in bytes."""
        assert self._process is not None
        return float(psutil.Process(self._process.pid).memory_info().rss)


class ProviderProcess(Process):
    """An OpenAI-shaped provider on loopback."""

    def __init__(self) -> None:
        super().__init__("-m", "tests.providers")

    @property
    def base_url(self) -> str:
        """Return the address that a client library is given."""
        return str(self.hello["base_url"])

    async def script(self, **fields: Any) -> None:
        """Say what is done with the requests that follow."""
        await self._control("script", fields)

    async def resume(self) -> None:
        """End the stalls."""
        await self._control("resume", {})

    async def requests(self) -> list[dict[str, Any]]:
        """Return what came so far, and what became of it."""
        found: list[dict[str, Any]] = (await self._control("state", None))["requests"]
        return found

    async def _control(self, what: str, body: Any) -> Any:
        answer = await AsyncHTTPClient().fetch(
            f"{self.hello['control']}{what}",
            method="GET" if body is None else "POST",
            body=None if body is None else json.dumps(body),
        )
        return json.loads(answer.body)
