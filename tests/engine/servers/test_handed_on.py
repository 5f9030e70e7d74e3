"""What is handed on to another process, while there or here something else happens with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_stop_chat.connection.reply_stream import ReplyStream
from jupyter_stop_chat.wire.client_frames import Resume, Send, Stop, Unqueue
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from tests.aids.turns import until
from tests.connection.streams import read_stream
from tests.connection.wire import Wire
from tests.engine.bench import OWNER, new_id
from tests.engine.reached import reached, twins
from tests.engine.servers.two_processes import begin, say

__all__ = ["reached", "twins"]


class Gate:
    """What holds a method back until it is let go on."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, whose: Any, name: str, when: Callable[..., bool]
    ) -> None:
        self.reached, self.open = asyncio.Event(), asyncio.Event()
        real = getattr(whose, name)

        async def held(*args: Any) -> Any:
            if when(*args):
                self.reached.set()
                await self.open.wait()
            return await real(*args)

        monkeypatch.setattr(whose, name, held)


async def _ended(reached: Any, message_id: str) -> Any:
    """Return a message once it has ended where it is made: here, if nothing was made there."""
    engines = (reached.a.engine, reached.b.engine)
    made = next((found for each in engines if (found := each.generation(message_id))), None)
    return await asyncio.shield(made.settled) if made else await reached.a.end(message_id)


async def test_a_stop_before_the_other_has_taken_it(
    reached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S2, S3: by its request, while it is on its way to where it is made: it ends there."""
    accepted = await begin(reached)
    others = reached.b.engine._others
    gate = Gate(monkeypatch, others, "_ask", lambda *args: isinstance(args[2], Send))
    request_id = new_id()
    sent = asyncio.ensure_future(
        reached.b.send("one", accepted.chat_id, request_id=request_id, policy="interrupt")
    )
    await gate.reached.wait()
    (result,) = await reached.b.stop(request_id=request_id)
    assert result.outcome is Outcome.REMEMBERED
    gate.open.set()
    ended = await _ended(reached, (await sent).message.id)
    assert (ended.state, ended.stop.reason) == (MessageState.INTERRUPTED, "user")


@pytest.mark.parametrize("by", ["request_id", "chat_id"])
async def test_a_stop_before_it_is_known_that_it_goes_there(
    reached: Any, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """S2, S3: while it is written down here, which is refused; what becomes of it is not known."""
    accepted = await begin(reached)
    gate = Gate(monkeypatch, reached.b.store, "begin_turn", lambda *args: True)
    # Were what is made there stopped before, it would be begun here, and interrupted.
    others = reached.b.engine._others
    there = Gate(monkeypatch, others, "_ask", lambda *args: isinstance(args[2], Stop))
    refused = Gate(monkeypatch, others, "_ask", lambda *args: isinstance(args[2], Send))
    refused.open.set()
    request_id = new_id()
    sent = asyncio.ensure_future(
        reached.b.send("one", accepted.chat_id, request_id=request_id, policy="interrupt")
    )
    await gate.reached.wait()
    made = reached.b.engine.registry.by_request(OWNER, request_id)
    target = request_id if by == "request_id" else accepted.chat_id
    stopped = asyncio.ensure_future(reached.b.stop(**{by: target}))
    await until(lambda: made.stop is not None)
    gate.open.set()
    await refused.reached.wait()
    if by == "chat_id":
        await there.reached.wait()
    there.open.set()
    results = {each.message_id: each.outcome for each in await stopped}
    assert results.pop(None) is Outcome.REMEMBERED
    assert set(results.values()) <= {Outcome.INTERRUPTED}
    ended = await _ended(reached, (await sent).message.id)
    assert (ended.state, ended.stop.reason) == (MessageState.INTERRUPTED, "user")
    assert not reached.b.engine.registry.remembers(OWNER, request_id)


@pytest.mark.parametrize("by", ["HTTP", "socket"])
async def test_a_request_that_another_process_has_is_followed(reached: Any, by: str) -> None:
    """B2, S3: sent again through a second server, it is answered as it was, and streams."""
    request_id = new_id()
    first = await reached.a.send("x", request_id=request_id)
    message_id = first.message.id
    await say(reached, message_id, "half ")
    page = Wire(reached.b)
    if by == "socket":
        again = await page.ask(first.chat_id, request_id=request_id)
        assert again["message"]["id"] == message_id
        reached.model.feed(message_id, "whole", None)
        await page.until("message", lambda frame: frame["message"]["state"] == "completed")
        assert page.page.text(message_id) == "half whole"
    else:
        accepted = await reached.b.send("x", first.chat_id, request_id=request_id)
        reading = asyncio.ensure_future(read_stream(ReplyStream(reached.b.engine, accepted)))
        reached.model.feed(message_id, "whole", None)
        text, last = await reading
        assert (text, last.name) == ("half whole", "completed")
    page.connection.end()


async def test_a_prompt_for_a_chat_whose_reply_has_just_ended(
    reached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3: nobody has to be asked any more, so that it is made here."""
    accepted = await begin(reached)
    gate = Gate(monkeypatch, reached.b.engine._others, "request", lambda *args: True)
    sent = asyncio.ensure_future(reached.b.send("one", accepted.chat_id))
    await gate.reached.wait()
    reached.model.feed(accepted.message.id, None)
    await until(lambda: not reached.a.engine.running())
    gate.open.set()
    assert not (await sent).message.made_elsewhere


async def test_a_prompt_for_who_makes_nothing_any_more(
    reached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3: who looks for no questions any more is not waited for, and it is made here, once."""
    accepted = await begin(reached)
    reached.a.engine.elsewhere.close()
    gate = Gate(monkeypatch, reached.stores[1].peers, "_answer_of", lambda *args: True)
    reached.b.engine._others._patience = 3600
    sent = asyncio.ensure_future(reached.b.send("one", accepted.chat_id))
    await gate.reached.wait()
    reached.model.feed(accepted.message.id, None)
    await until(lambda: not reached.a.engine.running())
    gate.open.set()
    assert not (await sent).message.made_elsewhere
    kept = await reached.a.store.get_messages(accepted.chat_id)
    assert [each.text for each in kept if each.role == "user"] == ["Hi", "one"]


async def test_what_changes_a_queue_that_has_just_gone(
    reached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B10, S3: it is answered as here, at once."""
    accepted = await begin(reached)
    waits = await reached.b.send("one", accepted.chat_id)
    gate = Gate(monkeypatch, reached.b.engine._others, "request", lambda *args: True)
    engine = reached.b.engine
    resumed = asyncio.ensure_future(
        engine.resume(OWNER, Resume(type="resume", chat_id=accepted.chat_id))
    )
    unqueued = asyncio.ensure_future(
        engine.unqueue(OWNER, Unqueue(type="unqueue", message_id=waits.message.id))
    )
    await gate.reached.wait()
    for each in (accepted, waits):
        reached.model.feed(each.message.id, "x", None)
    await until(lambda: not reached.a.engine.running())
    gate.open.set()
    await resumed
    with pytest.raises(StopChatError) as refused:
        await unqueued
    assert refused.value.code is ErrorCode.NOT_POSSIBLE_NOW


async def test_a_stop_of_what_a_server_ends_that_shuts_down(
    reached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3, S4: it is told as soon as it has ended, not when nobody is waited for any more."""
    accepted = await begin(reached)
    gate = Gate(monkeypatch, reached.stores[1].peers, "_answer_of", lambda *args: True)
    reached.a.engine.elsewhere.close()
    reached.b.engine._others._patience = 3600
    stopped = asyncio.ensure_future(reached.b.stop(message_id=accepted.message.id))
    await gate.reached.wait()
    await reached.a.engine.shutdown()
    gate.open.set()
    began = time.monotonic()
    (result,) = await stopped
    assert result.outcome is Outcome.ALREADY_INTERRUPTED
    assert result.receipt.reason == "server_shutdown"
    assert time.monotonic() - began < 60  # it would be an hour
