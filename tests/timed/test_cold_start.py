"""The local model's first answer, from pressing Enter: how long, and what others feel of it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.chat_handlers.local import LocalHandler
from tests.aids.weights import local_model_data_dir

__all__ = ["local_model_data_dir"]

pytestmark = pytest.mark.local_model

#: From the prompt's frame to the first text, with the model installed and nothing started.
FIRST_TEXT_S = 5.0
TIMES = 3
#: So late at most is another's turn of the server's loop meanwhile.
LAG_S = 0.1


class Pulse:
    """What feels how late the event loop's turns come."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._task = asyncio.create_task(self._beat())

    async def _beat(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.002)
            self.worst = max(self.worst, time.perf_counter() - before - 0.002)

    def end(self) -> None:
        self._task.cancel()


async def test_the_first_answer_comes_soon_and_holds_nobody_up(
    app: Any, connect: Any, local_model_data_dir: Path
) -> None:
    """B11: cold: no child runs, and the chat has not been used since the server began."""
    app.titles = "prompt"
    page = await connect()
    services = await app.services()
    measured = []
    for _ in range(TIMES):
        handler = LocalHandler(local_model_data_dir)
        services.models.register("cold", lambda name, handler=handler: handler)
        pulse = Pulse()
        began = time.perf_counter()
        accepted = await page.ask("Say hello.", model="cold:smollm2")
        message_id = accepted["message"]["id"]
        await page.until("delta", lambda frame, of=message_id: frame["message_id"] == of)
        measured.append((time.perf_counter() - began, pulse.worst))
        await page.end_of(message_id)
        pulse.end()
        await handler.close()
    for first, lag in measured:
        print(f"first text after {first:.2f} s, worst lag {lag * 1000:.0f} ms")
    # The machine may be busy with something else: once is enough to show that it can.
    assert any(first <= FIRST_TEXT_S and lag <= LAG_S for first, lag in measured), measured
