"""The answers to presses of Stop, kept for a while."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.engine.presses import MOST, Presses


async def test_who_presses_without_end_fills_no_memory_and_takes_no_others():
    """L4: an owner's newest are kept, whatever the others do, and none once it is closed."""
    presses = Presses()
    answer = asyncio.create_task(asyncio.sleep(0, ()))
    await answer
    presses.keep("ada", "first", answer)
    for number in range(2 * MOST):
        presses.keep("eve", str(number), answer)
    known = [str(n) for n in range(2 * MOST) if presses.answer("eve", str(n)) is answer]
    assert known == [str(n) for n in range(MOST, 2 * MOST)]
    assert presses.answer("ada", "first") is answer
    assert presses.answer("ada", known[0]) is None
    presses.close()
    assert presses.answer("ada", "first") is None
