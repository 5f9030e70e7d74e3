"""The stop against an end: of the reply, of its chat, of the server."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.store.operations import Settle
from jupyter_stop_chat.testing import Gate, ScriptedHandler
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from tests.engine.bench import MODEL, OWNER, new_id, turns_until


async def test_a_provider_that_closes_while_the_end_is_written_down_is_not_forgotten(bench):
    """B2: between what the receipt says and its place in the store, everything may happen."""

    b = bench()
    b.handlers[MODEL] = ScriptedHandler(["seen", Gate()], reports=False)
    b.store.turns = 5
    accepted = await b.send()
    generation = await b.shown(accepted, "seen")
    stopping = asyncio.create_task(b.stop(message_id=accepted.message.id))
    await turns_until(lambda: generation.claimed)
    assert not generation.settled.done()
    generation.report("closed")
    await stopping
    await b.quiet()
    message = await b.store.get_message(accepted.message.id)
    assert message.stop.provider == "closed"


# --- a stop against an end -------------------------------------------------------------------


async def test_an_end_that_was_first_stays(bench):
    """Rule 6: the terminal state is being claimed when Stop arrives."""
    b = bench(["all"])
    b.store.turns = 5
    accepted = await b.send()
    generation = b.engine.generation(accepted.message.id)
    await turns_until(lambda: generation.claimed)
    (result,) = await b.stop(message_id=accepted.message.id, shown=0)
    assert result.outcome is Outcome.ALREADY_COMPLETED
    message = await b.end(accepted)
    assert (message.state, message.text) == (MessageState.COMPLETED, "all")
    # Nor is the text cut for a page that has not read all of it yet.
    assert (generation.stop, str(generation.text)) == (None, "all")


async def test_a_stop_before_the_last_text_is_committed_wins(bench):
    """B4: the model has ended, but the person has not seen all of it when they press Stop."""
    b = bench(["seen", Gate(), " unseen"])
    accepted = await b.send()
    generation = await b.shown(accepted, "seen")
    b.store.open_for_writing.clear()
    b.handler.script[1].open()
    await turns_until(lambda: generation.task is None)
    stopping = asyncio.create_task(b.stop(message_id=accepted.message.id, shown=4))
    await asyncio.sleep(0)
    b.store.open_for_writing.set()
    (result,) = await stopping
    assert result.outcome is Outcome.INTERRUPTED
    assert (await b.end(accepted)).text == "seen"


async def test_another_process_claimed_the_end(bench):
    """Rule 6: the row count names the winner, and the loser tells the winner's end."""
    from jupyter_stop_chat.ports.store import Settlement

    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    await b.store.settle(accepted.message.id, Settlement(MessageState.FAILED))
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.ALREADY_FAILED
    assert sum(isinstance(each, Settle) for each in b.store.done) == 2


async def test_a_chat_that_is_deleted_under_a_reply(bench):
    """V10: by another process; nothing is left, and the stop says so."""
    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    await b.store.delete_chat(accepted.chat_id)
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.NOT_FOUND


async def test_deleting_a_chat_stops_what_is_made_in_it(bench):
    b = bench(["x", Gate()])
    accepted = await b.send()
    await b.shown(accepted, "x")
    waiting = await b.send("waits", accepted.chat_id)
    await b.engine.delete_chat(OWNER, accepted.chat_id)
    assert b.handler.replies[0].ended.is_set()
    assert len(b.handler.replies) == 1
    assert await b.store.get_message(waiting.message.id) is None
    assert await b.store.get_chat(accepted.chat_id) is None


# --- the end of the server -------------------------------------------------------------------


async def test_shutdown_stops_and_saves_all(bench):
    """L12, rule 12."""
    b = bench(["x", Gate()])
    running = [await b.send() for _ in range(5)]
    for accepted in running:
        await b.shown(accepted, "x")
    waiting = await b.send("waits", running[0].chat_id)
    await b.stop(request_id=new_id())
    await b.engine.shutdown()
    for accepted in (*running, waiting):
        message = await b.store.get_message(accepted.message.id)
        assert message.state is MessageState.INTERRUPTED
        assert message.stop.reason == "server_shutdown"
    assert len(b.handler.replies) == 5
    assert b.engine.registry.empty
    with pytest.raises(Exception, match="shutting_down"):
        await b.send()


async def test_a_prompt_that_is_being_accepted_at_shutdown(bench):
    b = bench(["x", Gate()])
    b.store.open_for_writing.clear()
    sending = asyncio.create_task(b.send())
    await asyncio.sleep(0)
    ending = asyncio.create_task(b.engine.shutdown())
    await asyncio.sleep(0)
    b.store.open_for_writing.set()
    await ending
    accepted = await sending
    assert (await b.end(accepted)).state is MessageState.INTERRUPTED
    assert b.handler.replies == []
