"""Two processes that reach each other through their database: both can stop what one makes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from jupyter_stop_chat.ports.peers import NotReachedError, Question
from jupyter_stop_chat.store.schema import questions
from jupyter_stop_chat.wire.client_frames import Reorder, Resume, Stop, Unqueue
from jupyter_stop_chat.wire.codec import encode
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from tests.aids.turns import until
from tests.engine.bench import OWNER
from tests.engine.reached import reached, twins
from tests.engine.servers.two_processes import begin, lose, say

__all__ = ["reached", "twins"]


async def _look_no_more(twins: Any) -> None:
    """Have A look for no questions, and return when it has no look under way."""
    twins.a.engine.elsewhere.close()
    await until(lambda: not twins.a.engine.elsewhere._looking)


async def _left(twins: Any) -> list[Any]:
    """Return the questions that stand in the database."""
    return list(await twins.stores[0]._database.read(select(questions.c.id)))


@pytest.mark.parametrize("by", ["message_id", "request_id", "chat_id", "all"])
async def test_a_stop_reaches_what_another_makes(reached: Any, by: str) -> None:
    """S3: whichever way it is named, it ends where it is made, and the answer is its receipt."""
    accepted = await begin(reached)
    target = {"all": True} if by == "all" else {by: getattr(accepted, by, accepted.message.id)}
    (result,) = await reached.b.stop(**target)
    assert (result.message_id, result.outcome) == (accepted.message.id, Outcome.INTERRUPTED)
    assert result.receipt.reason == "user"
    assert reached.a.engine.registry.empty
    kept = await reached.b.store.get_message(accepted.message.id)
    assert (kept.state, kept.text, kept.made_elsewhere) == (
        MessageState.INTERRUPTED,
        "half ",
        False,
    )
    await until(lambda: not reached.stores[1].peers._tasks)
    assert await _left(reached) == []


async def test_it_ends_at_what_was_seen_and_may_be_discarded(reached: Any) -> None:
    """S1, S2: how much was shown, and whether it stays, is told along."""
    accepted = await begin(reached, "half of it")
    (result,) = await reached.b.stop(message_id=accepted.message.id, shown=4, discard=True)
    kept = await reached.a.store.get_message(accepted.message.id)
    assert (kept.text, kept.discarded, result.receipt.discarded) == ("half", True, True)


async def test_a_stranger_stops_nothing_there(reached: Any) -> None:
    """S3: an owner's words are an owner's."""
    accepted = await begin(reached)
    (result,) = await reached.b.stop(message_id=accepted.message.id, owner="eve")
    assert result.outcome is Outcome.NOT_FOUND
    assert await reached.b.stop(all=True, owner="eve") == ()
    assert reached.a.engine.generation(accepted.message.id).stop is None


async def test_what_runs_here_and_there_is_stopped_together(reached: Any) -> None:
    """S3: neither waits for the other."""
    accepted = await begin(reached)
    mine = await reached.b.send("here")
    results = await reached.b.stop(all=True)
    assert {each.message_id: each.outcome for each in results} == {
        accepted.message.id: Outcome.INTERRUPTED,
        mine.message.id: Outcome.INTERRUPTED,
    }


async def test_a_process_that_hears_nothing_is_left_a_flag(reached: Any) -> None:
    """S3, S4: nothing is told to have stopped; once it looks again, it stops, and only once."""
    accepted = await begin(reached)
    message_id = accepted.message.id
    elsewhere = reached.a.engine.elsewhere
    elsewhere.close()  # it looks no more
    reached.b.engine._others._patience = 0.2
    (result,) = await reached.b.stop(message_id=message_id)
    assert result.outcome is Outcome.MADE_ELSEWHERE
    assert reached.a.engine.generation(message_id).stop is None
    await reached.stores[0].peers.look([message_id])
    ended = await asyncio.wait_for(reached.a.engine.generation(message_id).settled, 20)
    assert ended.stop.reason == "user"
    await until(lambda: not reached.stores[0].peers._tasks)
    assert await _left(reached) == []
    # What goes on in the same message is another generation.
    elsewhere._closed = False
    await reached.a.go_on(message_id)
    await reached.stores[0].peers.look([message_id])
    await say(reached, message_id, "more")
    assert reached.a.engine.generation(message_id).stop is None


async def test_a_flag_for_what_ended_before_it_was_seen_stops_nothing_later(reached: Any) -> None:
    """S3: going on takes it away."""
    accepted = await begin(reached)
    await reached.a.stop(message_id=accepted.message.id)
    await reached.b.store.peers.flag_stop(accepted.message.id)
    await reached.a.go_on(accepted.message.id)
    await reached.stores[0].peers.look([accepted.message.id])
    assert reached.a.engine.generation(accepted.message.id).stop is None


async def test_a_stop_of_what_a_dead_process_made_settles_it(reached: Any) -> None:
    """S3: nobody makes it any more, so the answer is that it ended, and it has."""
    accepted = await begin(reached)
    await lose(reached)
    (result,) = await reached.b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.ALREADY_INTERRUPTED
    assert result.receipt.reason == "server_gone"


async def test_a_prompt_goes_into_the_queue_of_who_works_in_the_chat(reached: Any) -> None:
    """B10: a chat has one queue; it can be changed, put in order and taken from elsewhere too."""
    accepted = await begin(reached)
    chat_id = accepted.chat_id
    first = await reached.b.send("one", chat_id)
    second = await reached.b.send("two", chat_id)
    assert (first.message.state, first.message.made_elsewhere) == (MessageState.QUEUED, True)
    await reached.b.edit(first.user_message.id, "one, changed")
    await reached.b.engine.reorder(
        OWNER, Reorder(type="reorder", chat_id=chat_id, message_ids=[second.message.id])
    )
    lane = reached.a.engine.registry.lane(OWNER, chat_id)
    assert [each.id for each in lane.waiting] == [second.message.id, first.message.id]
    await reached.b.engine.unqueue(OWNER, Unqueue(type="unqueue", message_id=second.message.id))
    await reached.b.stop(message_id=accepted.message.id)
    assert lane.paused
    await reached.b.engine.resume(OWNER, Resume(type="resume", chat_id=chat_id))
    await until(lambda: lane.running is not None and lane.running.id == first.message.id)
    kept = await reached.b.store.get_messages(chat_id)
    assert [each.text for each in kept if each.role == "user"] == ["Hi", "one, changed", "two"]
    assert reached.b.engine.registry.empty


async def test_a_request_that_is_sent_twice_is_answered_as_it_was(reached: Any) -> None:
    """B2: through another process as well."""
    accepted = await begin(reached)
    request_id = "11111111-1111-4111-8111-111111111111"
    one = await reached.b.send("one", accepted.chat_id, request_id=request_id)
    again = await reached.b.send("one", accepted.chat_id, request_id=request_id)
    assert again.message.id == one.message.id


async def test_what_the_other_refuses_is_refused_here(reached: Any) -> None:
    """B10: in the words that it would have there."""
    accepted = await begin(reached)
    with pytest.raises(StopChatError) as refused:
        await reached.b.send("no", accepted.chat_id, policy="reject")
    assert refused.value.code is ErrorCode.BUSY


async def test_a_question_is_done_once_and_only_while_somebody_waits(reached: Any) -> None:
    """S3: not for one that has given up, and not twice where two look at once."""
    accepted = await begin(reached)
    await _look_no_more(reached)
    peers = reached.stores[1].peers
    stop = encode(Stop(type="stop", message_id=accepted.message.id))
    with pytest.raises(NotReachedError):
        await peers.ask("host:1:a", Question(OWNER, stop), 0.2)
    await until(lambda: not peers._tasks)
    await reached.stores[0].peers.look([accepted.message.id])
    await until(lambda: not reached.stores[0].peers._tasks)
    assert reached.a.engine.generation(accepted.message.id).stop is None
    asked = asyncio.ensure_future(peers.ask("host:1:a", Question(OWNER, stop), 20))
    while not await _left(reached):  # each look gives the loop back
        pass
    await asyncio.gather(*(reached.stores[0].peers.look([]) for _ in range(3)))
    assert '"interrupted"' in await asked


async def test_a_question_whose_caller_gives_up_while_it_is_written_is_not_left(
    reached: Any,
) -> None:
    """S3: nobody waits for its answer."""
    accepted = await begin(reached)
    await _look_no_more(reached)
    peers = reached.stores[1].peers
    stop = encode(Stop(type="stop", message_id=accepted.message.id))
    asked = asyncio.ensure_future(peers.ask("host:1:a", Question(OWNER, stop), 20))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    # What is written is written in order: this stands behind all of the above.
    await peers.flag_stop("none")
    await until(lambda: not peers._tasks)
    assert [each["id"] for each in await _left(reached)] == ["none"]


@pytest.mark.parametrize("frame", ["", "no", '{"type":"open","chat_id":"x"}', '{"type":"ping"}'])
async def test_a_question_that_is_none_gets_an_error(reached: Any, frame: str) -> None:
    """S3: of another version of the package, say."""
    answer = await reached.a.engine.elsewhere.answer(Question(OWNER, frame))
    assert '"error"' in answer


async def test_a_question_that_fails_gets_an_error(
    reached: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """S3: at once, in words that tell nothing of what went wrong; the log has that."""
    accepted = await begin(reached)
    reached.a.engine._asking.ask = fails
    with pytest.raises(StopChatError) as refused:
        await reached.b.send("one", accepted.chat_id)
    assert refused.value.code is ErrorCode.INTERNAL
    assert "a secret" in caplog.text
    caplog.clear()


async def fails(*args: Any) -> None:
    raise RuntimeError("a secret")


async def test_what_is_made_there_is_never_told_to_be_unknown(
    reached: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3: also where it cannot be read which process that is."""
    accepted = await begin(reached)

    async def unreadable(*args: Any) -> None:
        raise StopChatError(ErrorCode.INTERNAL)

    monkeypatch.setattr(reached.b.store, "makers", unreadable)
    (result,) = await reached.b.stop(message_id=accepted.message.id)
    assert (result.message_id, result.outcome) == (accepted.message.id, Outcome.MADE_ELSEWHERE)


async def test_nothing_is_looked_for_while_nothing_runs(reached: Any) -> None:
    """S3: an idle process asks its database nothing."""
    accepted = await begin(reached)
    await reached.a.stop(message_id=accepted.message.id)
    reached.b.bus.unfollow(accepted.chat_id, reached.b.heard)
    for bench in (reached.a, reached.b):
        elsewhere = bench.engine.elsewhere
        await until(lambda each=elsewhere: each._timer is None and not each._looking)


@pytest.mark.parametrize("by", ["chat_id", "all", "everyone"])
async def test_what_waits_there_is_no_concern_of_a_stop(reached: Any, by: str) -> None:
    """B10, S3: as here: it stays in its queue, which is paused, and nothing is told of it."""
    accepted = await begin(reached)
    waits = await reached.b.send("one", accepted.chat_id)
    if by == "everyone":
        results = (await reached.b.engine.stop_everyone()).results
    else:
        results = await reached.b.stop(**{by: True if by == "all" else accepted.chat_id})
    told = [(each.message_id, each.outcome) for each in results]
    assert told == [(accepted.message.id, Outcome.INTERRUPTED)]
    lane = reached.a.engine.registry.lane(OWNER, accepted.chat_id)
    assert (lane.paused, [each.id for each in lane.waiting]) == (True, [waits.message.id])


async def test_a_flag_pauses_the_queue_and_stops_nothing_in_it(reached: Any) -> None:
    """B10, S3: what is left for a process that hears nothing does there what a stop does."""
    accepted = await begin(reached)
    waits = await reached.b.send("one", accepted.chat_id)
    reached.a.engine.elsewhere.close()
    reached.b.engine._others._patience = 0.2
    (result,) = await reached.b.stop(chat_id=accepted.chat_id)
    assert (result.message_id, result.outcome) == (accepted.message.id, Outcome.MADE_ELSEWHERE)
    lane = reached.a.engine.registry.lane(OWNER, accepted.chat_id)
    await reached.stores[0].peers.look([accepted.message.id, waits.message.id])
    await reached.a.end(accepted)
    assert (lane.paused, [each.id for each in lane.waiting]) == (True, [waits.message.id])
    kept = await reached.b.store.get_message(waits.message.id)
    assert kept.state is MessageState.QUEUED
