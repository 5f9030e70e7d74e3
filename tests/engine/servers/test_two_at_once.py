"""Two processes that are asked in the same moment: a chat has one reply at a time, everywhere."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.aids.turns import until
from tests.engine.reached import reached, twins

__all__ = ["reached", "twins"]

#: A race is lost in about every second round.
ROUNDS = 10


async def _at_once(reached: Any, *asked: Any) -> list[Any]:
    """Ask both, check that one of them makes all of it, and return what they accepted."""
    accepted = await asyncio.gather(*asked)
    made = [bool(bench.engine.running()) for bench in (reached.a, reached.b)]
    assert made.count(True) == 1
    assert [each.message.made_elsewhere for each in accepted].count(True) == 1
    return accepted


async def test_two_prompts_in_an_idle_chat(reached: Any) -> None:
    """B10, S3: one of them begins, and the other waits behind it, whichever was first."""
    first = await reached.a.send("one")
    reached.model.feed(first.message.id, "done", None)
    await until(lambda: not reached.a.engine.running())
    for _ in range(ROUNDS):
        for each in await _at_once(
            reached,
            reached.a.send("through A", first.chat_id),
            reached.b.send("through B", first.chat_id),
        ):
            reached.model.feed(each.message.id, "done", None)
        await until(lambda: not (reached.a.engine.running() or reached.b.engine.running()))
    kept = await reached.a.store.get_messages(first.chat_id)
    assert [each.text for each in kept if each.role == "assistant"] == ["done"] * (1 + 2 * ROUNDS)
    prompts = [each.reply_to for each in kept if each.role == "user"]
    assert len(set(prompts)) == len(prompts)  # none stands beside another


async def test_two_replies_that_go_on_in_an_idle_chat(reached: Any) -> None:
    """B10, S3: the same of what was stopped."""
    stopped = []
    chat_id = None
    for _ in range(2):
        accepted = await reached.a.send("one", chat_id)
        chat_id = accepted.chat_id
        reached.model.feed(accepted.message.id, "half ")
        await reached.a.shown(accepted, "half ")
        await reached.a.stop(message_id=accepted.message.id)
        stopped.append(accepted.message.id)
    for _ in range(ROUNDS):
        await _at_once(reached, reached.a.go_on(stopped[0]), reached.b.go_on(stopped[1]))
        for bench in (reached.a, reached.b):
            for each in bench.engine.running():
                await bench.stop(message_id=each.id)
