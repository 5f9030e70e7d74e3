"""LangChain alone in a process of its own: its stream, read by an empty loop."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from typing import Any

from langchain.chat_models import init_chat_model

from speed.children import commands, tell


class Loop:
    """Streams that are read, and their words counted.

    :param base_url: the provider's.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._models: dict[str, Any] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stops = 0
        self.words = 0

    async def begin(self, model: str, marks: list[str], *, waits: bool) -> None:
        """Begin a stream for each mark.

        :param model: `openai:` and the provider's plan.
        :param waits: until each has said something.
        """
        if model not in self._models:
            self._models[model] = init_chat_model(model, base_url=self._base_url)
        begun = [asyncio.Event() for _ in marks]
        self._tasks += [
            asyncio.create_task(self._read(self._models[model], mark, each))
            for mark, each in zip(marks, begun, strict=True)
        ]
        if waits:
            await asyncio.gather(*(each.wait() for each in begun))

    async def stop(self) -> float:
        """Cancel all; return the seconds until all have ended."""
        tasks, self._tasks = self._tasks, []
        began = time.monotonic()
        # A cancel is lost where `asyncio.wait_for` of Python 3.11 has its result already: then
        # there is a chunk, and behind it the loop sees that it is to end.
        self._stops += 1
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return time.monotonic() - began

    async def _read(self, model: Any, mark: str, begun: asyncio.Event) -> None:
        stops = self._stops
        async with contextlib.aclosing(model.astream(mark)) as stream:
            async for _ in stream:
                self.words += 1
                begun.set()
                if self._stops != stops:
                    break


async def main(base_url: str) -> None:
    """Do what is asked until the input ends.

    :param base_url: the provider's.
    """
    loop = Loop(base_url)
    tell(ready=True)
    async for asked in commands():
        match asked.pop("do"):
            case "begin":
                await loop.begin(**asked)
                tell(begun=True)
            case "words":
                tell(words=loop.words)
            case "stop":
                tell(seconds=await loop.stop())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
