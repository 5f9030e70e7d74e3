"""The stop of everyone's: at once, whosever it is and wherever it stands."""

from __future__ import annotations

import asyncio

from jupyter_stop_chat.engine.stop import StoppedEveryone
from jupyter_stop_chat.testing import Gate, SlowClean
from jupyter_stop_chat.wire.objects import MessageState, Outcome
from tests.engine.bench import OWNER, turns_until

OTHER = "eve"


async def test_all_of_it_is_fenced_before_anything_is_waited_for(bench):
    """J4, V2: one that does not unwind holds up no other's stop."""
    stuck = Gate()
    scripts = {"slow": ["mine ", SlowClean(stuck), Gate()], "quick": ["hers ", Gate()]}
    b = bench(lambda turn: scripts[turn.messages[-1].text])
    mine = await b.send("slow")
    hers = await b.send("quick", owner=OTHER)
    for accepted, text in ((mine, "mine "), (hers, "hers ")):
        await b.shown(accepted, text)
    generations = [b.engine.generation(each.message.id) for each in (mine, hers)]
    stopping = asyncio.create_task(b.engine.stop_everyone())
    await asyncio.sleep(0)
    assert [each.state for each in generations] == [MessageState.STOPPING] * 2
    assert all(each.task.cancelling() for each in generations)
    assert (await b.end(hers)).text == "hers "
    assert not stopping.done()
    stuck.open()
    stopped = await stopping
    assert stopped.owners == (OWNER, OTHER)
    assert [each.outcome for each in stopped.results] == [Outcome.INTERRUPTED] * 2
    assert stopped.unreached == 0
    assert (await b.end(mine)).text == "mine "


async def test_what_waits_is_kept_and_does_not_go_on(bench):
    """B10: of each owner; each lets it go on by themselves."""
    b = bench([Gate()])
    owners = (OWNER, OTHER)
    running = [await b.send(owner=each) for each in owners]
    for owner, accepted in zip(owners, running, strict=True):
        await b.send("next", accepted.chat_id, owner=owner)
    await turns_until(lambda: len(b.handler.replies) == 2)
    stopped = await b.engine.stop_everyone()
    assert {each.message_id for each in stopped.results} == {each.message.id for each in running}
    await b.engine.background.settle()
    for owner, accepted in zip(owners, running, strict=True):
        assert (await b.engine.chat(owner, accepted.chat_id)).state == "paused"
        await b.stop(owner=owner, chat_id=accepted.chat_id)
        for waiting in b.engine.running(owner):
            await b.stop(owner=owner, message_id=waiting.id, discard=True)


async def test_titles_are_asked_for_no_longer(bench):
    """L10: of each owner; the prompt's first words do."""
    b = bench(titles="model")
    b.handler.script = lambda turn: [Gate()] if turn.parameters else ["Done."]
    sent = [await b.send(f"Of {owner}", owner=owner) for owner in (OWNER, OTHER)]
    for accepted in sent:
        await b.end(accepted)
    await turns_until(lambda: len(b.handler.replies) == 4)
    assert await b.engine.stop_everyone() == StoppedEveryone((), ())
    await b.quiet()
    assert [(await b.store.get_chat(each.chat_id)).title for each in sent] == [
        f"Of {OWNER}",
        f"Of {OTHER}",
    ]


async def test_two_at_once_and_one_of_an_owner_join_in(bench):
    """V7: each is stopped once, and all are told the same."""
    b = bench([Gate()])
    mine, hers = await b.send(), await b.send(owner=OTHER)
    await turns_until(lambda: len(b.handler.replies) == 2)
    first, second, own = await asyncio.gather(
        b.engine.stop_everyone(), b.engine.stop_everyone(), b.stop(all=True)
    )
    assert first == second
    assert {each.message_id for each in first.results} == {mine.message.id, hers.message.id}
    assert own == first.results[:1]
    assert [each.cancels for each in b.handler.replies] == [1, 1]


async def test_where_nothing_runs_nothing_is_stopped(bench):
    b = bench()
    await b.end(await b.send())
    assert await b.engine.stop_everyone() == StoppedEveryone((), ())
