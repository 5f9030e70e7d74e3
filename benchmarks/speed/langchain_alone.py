"""LangChain's own cost: its stream consumed by an empty loop, without a socket and a store.

Run as a script it takes commands, a line of JSON each: `{"begin": streams}`, `{"count": true}`,
`{"end": true}`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage

#: The loop is given back at least this often, in seconds, as ours is.
TURN = 0.005


class Streams:
    """Streams that nobody reads.

    :ivar words: how many pieces came, over all.
    """

    def __init__(self, model: BaseChatModel) -> None:
        self._model = model
        self._tasks: list[asyncio.Task[None]] = []
        self.words = 0

    def begin(self, count: int) -> None:
        """Begin so many."""
        self._tasks += [asyncio.create_task(self._consume()) for _ in range(count)]

    async def end(self) -> None:
        """Let go of all."""
        left = set(self._tasks)
        while left:
            # Once is not enough: what closes a stream may read on to its end, which never comes.
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=0.1)
        self._tasks.clear()

    async def _consume(self) -> None:
        yielded = time.monotonic()
        async for chunk in self._model.astream([HumanMessage("Go")]):
            self.words += bool(chunk.content)
            # At full speed it never waits, and no command would be read.
            if time.monotonic() - yielded > TURN:
                await asyncio.sleep(0)
                yielded = time.monotonic()


async def main(base_url: str) -> None:
    """Do as told."""
    model = init_chat_model(
        "openai:loopback", base_url=base_url, api_key="sk-x", timeout=None, stream_usage=False
    )
    streams = Streams(model)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("{}", flush=True)
    while line := await reader.readline():
        command = json.loads(line)
        if "begin" in command:
            streams.begin(command["begin"])
        elif "end" in command:
            await streams.end()
        print(json.dumps({"words": streams.words}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
