"""Our server's process, with one more scripted model."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from serving import FLOOD_PIECE, serve, words


class Grown:
    """What says so many kilobytes at once, and then words at a rate: `grown:1000,200`."""

    async def reply(self, turn: Any) -> AsyncGenerator[Any, None]:
        """Say them, until stopped."""
        from jupyter_stop_chat.ports.handler import Text

        kilobytes, rate = (float(each) for each in turn.model.split(","))
        turn.provider_started()
        try:
            for _ in range(int(kilobytes * 1000 / FLOOD_PIECE)):
                yield Text("x" * (FLOOD_PIECE - 1) + "\n")
            async with contextlib.aclosing(words(rate)) as said:
                async for word in said:
                    yield Text(word)
        finally:
            turn.provider_closed()

    async def close(self) -> None:
        """Have nothing to let go of."""


if __name__ == "__main__":
    serve(lambda models: models.register("grown", lambda name: Grown()))
