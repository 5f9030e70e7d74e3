"""The engine asks for the instructions of a reply as it begins, and keeps what it is given."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_stop_chat.engine import Engine
from jupyter_stop_chat.ports.instructions import Occasion
from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState
from tests.engine.bench import OWNER, Bench


def instructed(bench: Bench, instruct: Any, takes: str | None = "all", **more: Any) -> Bench:
    """Have a bench's engine tell its model something before each chat."""
    bench.engine = Engine(
        bench.store, bench.bus, bench.resolve, *bench._arguments, instruct=instruct
    )
    for name, value in {"takes_instructions": takes, **more}.items():
        setattr(bench.handler, name, value)
    return bench


class Told:
    """What puts instructions together, and notes for what."""

    def __init__(self, text: str | None = "Be brief.") -> None:
        self.text = text
        self.occasions: list[Occasion] = []

    async def __call__(self, occasion: Occasion) -> str | None:
        self.occasions.append(occasion)
        return self.text


async def test_the_turn_has_them_and_they_are_kept(bench: Callable[..., Bench]) -> None:
    told = Told()
    b = instructed(bench(), told, max_input_tokens=1000)
    first = await b.send(path="a/x.ipynb")
    message = await b.end(first)
    assert b.handler.replies[-1].turn.system == told.text
    digest = hashlib.sha256(b"Be brief.").hexdigest()
    assert message.instructions == (digest,)
    sent = await b.store.instructions.sent(first.chat_id, [digest])
    assert sent == {digest: "Be brief."}
    await b.engine.set_instructions(OWNER, first.chat_id, "In German.")
    await b.end(await b.send(chat_id=first.chat_id))
    assert told.occasions == [
        Occasion(OWNER, "all", "", "a/x.ipynb", 2000),
        Occasion(OWNER, "all", "In German.", "a/x.ipynb", 2000),
    ]


@pytest.mark.parametrize("takes", [None, "given"])
async def test_a_handler_that_takes_none_is_given_none(
    bench: Callable[..., Bench], takes: str | None
) -> None:
    told = Told(None if takes else "Be brief.")
    b = instructed(bench(), told, takes)
    message = await b.end(await b.send())
    assert b.handler.replies[-1].turn.system is None
    assert message.instructions is None
    assert len(told.occasions) == (0 if takes is None else 1)


@pytest.mark.parametrize("limit", ["8192", float("nan"), float("inf"), -5, 0])
async def test_a_limit_that_is_none_limits_nothing(
    bench: Callable[..., Bench], limit: object
) -> None:
    told = Told()
    b = instructed(bench(), told, max_input_tokens=limit)
    assert (await b.end(await b.send())).state is MessageState.COMPLETED
    assert told.occasions == [Occasion(OWNER, "all")]


async def test_they_are_there_before_the_first_word(bench: Callable[..., Bench]) -> None:
    gate = Gate()
    b = instructed(bench(["One", gate]), Told())
    accepted = await b.send()
    generation = await b.shown(accepted, "One")
    stored = await b.store.get_message(accepted.message.id)
    assert stored.text == "One"
    assert stored.instructions == generation.snapshot().instructions
    assert await b.store.instructions.sent(accepted.chat_id, stored.instructions)
    await b.stop(message_id=accepted.message.id)
    assert (await b.end(accepted)).instructions == stored.instructions


async def test_a_fault_in_them_fails_the_reply_and_nothing_else(
    bench: Callable[..., Bench],
) -> None:
    async def fail(occasion: Occasion) -> str | None:
        raise StopChatError(ErrorCode.INTERNAL, "/secret/path")

    b = instructed(bench(), fail)
    message = await b.end(await b.send())
    assert message.state is MessageState.FAILED
    assert message.error is not None
    assert "secret" not in message.error.model_dump_json()


async def test_a_stop_while_they_are_put_together(bench: Callable[..., Bench]) -> None:
    async def slow(occasion: Occasion) -> str | None:
        await asyncio.Event().wait()
        return None

    b = instructed(bench(), slow)
    accepted = await b.send()
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome == "interrupted"
    assert b.handler.replies == []
    assert (await b.end(accepted)).instructions is None


@pytest.mark.parametrize("ended_by", ["stop", "deadline"])
async def test_a_stop_that_is_lost_on_the_way_asks_no_model(
    bench: Callable[..., Bench], ended_by: str
) -> None:
    """Whoever reads a folder may swallow the cancel: the reply is at its end all the same."""
    begun = asyncio.Event()

    async def swallow(occasion: Occasion) -> str | None:
        begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return "Be brief."

    b = instructed(bench(), swallow)
    accepted = await b.send()
    await begun.wait()
    generation = b.engine.generation(accepted.message.id)
    assert generation is not None
    if ended_by == "stop":
        (result,) = await b.stop(message_id=accepted.message.id)
        assert result.outcome == "interrupted"
        assert result.receipt.provider == "not_started"
    else:
        b.engine._stopping.expire(generation)
    message = await b.end(accepted)
    assert message.state is (
        MessageState.INTERRUPTED if ended_by == "stop" else MessageState.FAILED
    )
    assert b.handler.replies == []
    assert message.instructions is None


async def test_another_owner_sets_none(bench: Callable[..., Bench]) -> None:
    b = instructed(bench(), Told())
    accepted = await b.send()
    await b.end(accepted)
    with pytest.raises(StopChatError) as told:
        await b.engine.set_instructions("ben", accepted.chat_id, "Mine.")
    assert told.value.code is ErrorCode.UNKNOWN_CHAT
    assert await b.store.instructions.of_chat(accepted.chat_id) == ""
