"""Approvals: who is asked, what for, and what an answer lets happen."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from jupyter_stop_chat.engine.tools.approvals import Allowed, Refused, digest_of
from jupyter_stop_chat.ports.tools import AgentRules, Change, Proposal
from jupyter_stop_chat.store.operations import AllowTool
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Message, MessageState, Outcome
from tests.aids.turns import until
from tests.engine.bench import OWNER, Bench, bench_in_memory, refused, turns_until
from tests.engine.reached import reached, twins
from tests.engine.servers.two_processes import lose, told_of
from tests.engine.tools.acting import Acting, answer, approve, tool

__all__ = ["reached", "twins"]


async def test_a_person_is_asked_for_exactly_what_is_shown(bench: Any) -> None:
    """N8: it waits without a limit of its own; once is one call; twice counts once."""
    b: Bench = bench()
    acting = Acting(b)
    accepted = await b.send()
    call = await acting.asked(accepted)
    generation = b.engine.generation(accepted.message.id)
    assert generation is not None
    assert generation.deadline.timer is None, "no time passes while a person is asked"
    (listed,) = await b.engine.with_states(OWNER, [await b.engine.chat(OWNER, accepted.chat_id)])
    assert listed.state == b.heard.chats[-1].state == "asking"
    other = answer(b, accepted, call, "once", digest="0" * 64)
    assert await refused(other) is ErrorCode.ASKED_ANEW
    assert acting.begun == []
    await answer(b, accepted, call, "once")
    await answer(b, accepted, call, "once")
    assert await refused(answer(b, accepted, call, "refuse")) is ErrorCode.ANSWERED_ALREADY
    await turns_until(lambda: bool(acting.begun))
    assert generation.deadline.timer is not None or generation.state is MessageState.COMPLETED
    ended = await b.end(accepted)
    assert [each.state for each in ended.tools] == ["completed"]
    assert acting.answers == [Allowed()]
    assert await refused(answer(b, accepted, call, "once")) is ErrorCode.ANSWERED_ALREADY
    states = [each.state for each in b.heard.chats]
    told = states[states.index("asking") :]
    assert told[:3] == ["asking", "generating", "idle"]
    assert set(told[3:]) <= {"idle"}, "its title may have come as well"
    # It was for that call alone.
    again = await b.send(chat_id=accepted.chat_id)
    await acting.asked(again)
    await b.stop(message_id=again.message.id)
    assert acting.approvals.waiting == 0


async def test_a_refusal_has_a_reason_and_reading_needs_no_leave(bench: Any) -> None:
    """N8: refused, it never begins; what only looks is not asked for, unless it must be (N19)."""
    b: Bench = bench()
    acting = Acting(b)
    accepted = await b.send()
    call = await acting.asked(accepted)
    await answer(b, accepted, call, "refuse", reason="Not that cell.")
    ended = await b.end(accepted)
    assert acting.begun == []
    assert acting.answers == [Refused("Not that cell.")]
    assert [each.state for each in ended.tools] == ["refused"]
    acting.used = tool("read_file", "reads")
    await b.end(await b.send())
    assert acting.answers[-1] == Allowed(by_rule=True)
    acting.proposal = Proposal(always_asked=True)
    accepted = await b.send()
    call = await acting.asked(accepted)
    assert call.approval is not None
    assert not call.approval.by_rule
    await answer(b, accepted, call, "once")
    await b.end(accepted)


async def test_a_tool_is_allowed_in_a_chat_or_in_all(bench: Any) -> None:
    """N8: until that is taken back, for that tool alone, and for that owner."""
    b: Bench = bench()
    acting = Acting(b)
    first = await b.send()
    await answer(b, first, await acting.asked(first), "chat")
    await b.end(first)
    await b.end(await b.send(chat_id=first.chat_id))
    assert acting.answers == [Allowed(), Allowed(by_rule=True)]
    second = await b.send()
    await answer(b, second, await acting.asked(second), "always")
    await b.end(second)
    await b.end(await b.send())
    assert acting.answers[2:] == [Allowed(), Allowed(by_rule=True)]
    rules = b.store.allowed_tools
    assert await rules.rules(OWNER) == [(first.chat_id, "insert_cell"), ("", "insert_cell")]
    assert await rules.allowed("eve", first.chat_id) == frozenset()
    acting.used = tool("delete_cell")
    third = await b.send()
    await acting.asked(third)
    await b.stop(message_id=third.message.id)
    acting.used = tool()
    await rules.ask_again(OWNER, "", "insert_cell")
    fourth = await b.send()
    await acting.asked(fourth)
    await b.stop(message_id=fourth.message.id)
    await b.engine.delete_chat(OWNER, first.chat_id)
    assert await rules.rules(OWNER) == []


@pytest.mark.parametrize("why", ["the administrator", "what it would do"])
async def test_what_is_asked_for_each_time(bench: Any, why: str) -> None:
    """N8, N19: no rule allows it, neither an old one nor a new one."""
    b: Bench = bench()
    acting = Acting(b)
    await b.store.allowed_tools.allow(OWNER, "", "insert_cell")
    if why == "the administrator":
        b.engine._agent = lambda: AgentRules(unasked="each")
    else:
        acting.proposal = Proposal(always_asked=True)
    accepted = await b.send()
    call = await acting.asked(accepted)
    assert call.approval is not None
    assert not call.approval.by_rule
    for how in ("chat", "always"):
        assert await refused(answer(b, accepted, call, how)) is ErrorCode.ASKED_EACH_TIME
    await answer(b, accepted, call, "once")
    await b.end(accepted)
    assert acting.answers == [Allowed()]


async def test_a_rule_answers_what_else_is_asked_for(bench: Any) -> None:
    """N8: in the same chat, of the same tool; each call that a person answers is one."""
    b: Bench = bench()
    acting = Acting(b, calls=3)
    accepted = await b.send()
    calls = [await acting.asked(accepted, f"call-{n}") for n in range(3)]
    other = await b.send()
    await acting.asked(other)
    await answer(b, accepted, calls[1], "refuse")
    await answer(b, accepted, calls[0], "chat")
    ended = await b.end(accepted)
    states = {each.call_id: each.state for each in ended.tools}
    assert states == {"call-0": "completed", "call-1": "refused", "call-2": "completed"}
    assert (await acting.asked(other)).state == "asked"
    await b.stop(message_id=other.message.id)


async def test_a_disk_that_is_slow_or_full(bench: Any) -> None:
    """N8: the first answer counts, and what cannot be kept as a rule can be allowed once."""
    b: Bench = bench()
    acting = Acting(b)
    accepted = await b.send()
    call = await acting.asked(accepted)
    b.store.open_for_writing.clear()
    b.store.turns = 1
    always = asyncio.create_task(b.engine.approve(OWNER, approve(accepted, call, "always")))
    await asyncio.sleep(0)
    assert await refused(answer(b, accepted, call, "refuse")) is ErrorCode.ANSWERED_ALREADY
    assert acting.begun == []
    b.store.open_for_writing.set()
    await always
    await b.end(accepted)
    assert acting.answers == [Allowed()]
    await b.store.allowed_tools.ask_again(OWNER, "", "insert_cell")
    accepted = await b.send()
    call = await acting.asked(accepted)
    b.store.fails = (AllowTool,)
    assert await refused(answer(b, accepted, call, "always")) is ErrorCode.INTERNAL
    b.store.fails = ()
    await answer(b, accepted, call, "once")
    await b.end(accepted)
    assert await b.store.allowed_tools.rules(OWNER) == []


async def test_a_stop_answers_no_and_a_late_answer_changes_nothing(bench: Any) -> None:
    """N8, N9: also where the rule is said late, and to a stranger there is no such message."""
    b: Bench = bench()
    acting = Acting(b, calls=2)
    accepted = await b.send()
    call = await acting.asked(accepted)
    stranger = answer(b, accepted, call, "once", owner="eve")
    assert await refused(stranger) is ErrorCode.UNKNOWN_MESSAGE
    (result,) = await b.stop(message_id=accepted.message.id)
    assert result.outcome is Outcome.INTERRUPTED
    assert result.receipt is not None
    assert result.receipt.settled_ms is not None
    for how in ("once", "always"):
        assert await refused(answer(b, accepted, call, how)) is ErrorCode.ANSWERED_ALREADY
    kept = await b.store.get_message(accepted.message.id)
    assert [(each.state, each.approval) for each in kept.tools] == [("interrupted", None)] * 2
    assert acting.begun == []
    assert await b.store.allowed_tools.rules(OWNER) == []


@pytest.mark.parametrize("tries", [42, pytest.param(300, marks=pytest.mark.stress)])
async def test_what_is_allowed_in_the_moment_of_a_stop_never_begins(tries: int) -> None:
    """N9: 300 tries, in either order and with turns of the loop between; 0 begin after it."""
    async with bench_in_memory() as b:
        acting = Acting(b, calls=2)
        await _approve_and_stop(b, acting, tries)
        assert acting.approvals.waiting == 0


async def _approve_and_stop(b: Bench, acting: Acting, tries: int) -> None:
    allowed = 0
    for n in range(tries):
        accepted = await b.send()
        frame = approve(accepted, await acting.asked(accepted))
        work: list[asyncio.Future[Any]] = []
        for turn in range(8):
            if turn == n % 2 * 3:
                work.append(asyncio.ensure_future(b.engine.approve(OWNER, frame)))
            if turn == n % 7:
                work.append(asyncio.ensure_future(b.stop(message_id=accepted.message.id)))
            await asyncio.sleep(0)
        await asyncio.wait(work)
        assert all(isinstance(each.exception(), StopChatError | None) for each in work)
        assert (await b.end(accepted)).state is MessageState.INTERRUPTED
        allowed += any(message_id == accepted.message.id for message_id, _ in acting.begun)
    assert acting.late == [], "something began after its stop"
    assert 0 < allowed < tries, "both must have been tried"


async def test_the_time_of_a_person_is_not_the_replys(bench: Any) -> None:
    """N8: what is left of its time when it asks is left when it goes on; a stop has its own."""
    b: Bench = bench(max_duration=50.0)
    acting = Acting(b, calls=2)
    accepted = await b.send()
    calls = [await acting.asked(accepted, f"call-{n}") for n in range(2)]
    generation = b.engine.generation(accepted.message.id)
    assert generation is not None
    deadline = generation.deadline
    left = deadline._left
    assert left is not None
    assert 0 < left <= 50
    await answer(b, accepted, calls[0], "once")
    await turns_until(lambda: len(acting.begun) == 1)
    assert (deadline.timer, deadline._left) == (None, left)
    await answer(b, accepted, calls[1], "once")
    await turns_until(lambda: not generation.asks)
    assert deadline.timer is not None or generation.settling
    await b.end(accepted)
    accepted = await b.send()
    await acting.asked(accepted)
    generation = b.engine.generation(accepted.message.id)
    assert generation is not None
    stopping = asyncio.ensure_future(b.stop(message_id=accepted.message.id))
    await asyncio.sleep(0)
    assert generation.deadline.timer is not None, "a stop is bounded"
    await stopping


async def test_an_answer_reaches_the_server_that_makes_the_reply(reached: Any) -> None:
    """N8, S3: from wherever it comes; what is refused there is refused here."""
    acting = Acting(reached.a)
    accepted = await reached.a.send()
    call = await acting.asked(accepted)
    reached.b.follow(accepted.chat_id)
    chat = await reached.b.engine.chat(OWNER, accepted.chat_id)
    messages = await reached.b.store.get_messages(accepted.chat_id)
    assert [each.approval for each in messages[-1].tools] == [call.approval]
    reached.b.engine.elsewhere.watch(chat, messages)
    (listed,) = await reached.stores[1].list_chats(OWNER)
    assert listed.state == "asking"
    other = answer(reached.b, accepted, call, "once", digest="0" * 64)
    assert await refused(other) is ErrorCode.ASKED_ANEW
    stranger = answer(reached.b, accepted, call, "once", owner="eve")
    assert await refused(stranger) is ErrorCode.UNKNOWN_MESSAGE
    await answer(reached.b, accepted, call, "always")
    await reached.a.end(accepted)
    assert acting.answers == [Allowed()]
    reached.b.engine.elsewhere.may_have_missed()
    await until(lambda: any(_completed(each) for each in told_of(reached.b)))
    assert await reached.stores[1].allowed_tools.rules(OWNER) == [("", "insert_cell")]
    late = answer(reached.b, accepted, call, "once")
    assert await refused(late) is ErrorCode.ANSWERED_ALREADY


def _completed(message: Message) -> bool:
    return [each.state for each in message.tools] == ["completed"]


async def test_a_server_that_is_killed_has_answered_no(reached: Any) -> None:
    """N8, N9: whichever state its calls were in, they have ended, and nothing is asked for."""
    acting = Acting(reached.a, calls=3)
    accepted = await reached.a.send()
    calls = [await acting.asked(accepted, f"call-{n}") for n in range(3)]
    for call, state in zip(calls[1:], ("waiting", "running"), strict=True):
        changed = call.model_copy(update={"state": state, "approval": None})
        await reached.a.store.put_tool(accepted.message.id, changed)
    await lose(reached)
    await reached.b.store.recover()
    kept = await reached.b.store.get_message(accepted.message.id)
    assert kept.stop.reason == "server_gone"
    assert [(each.state, each.approval) for each in kept.tools] == [("interrupted", None)] * 3
    late = answer(reached.b, accepted, calls[0], "once")
    assert await refused(late) is ErrorCode.ANSWERED_ALREADY


def test_a_digest_is_of_all_that_is_shown() -> None:
    """N8: another tool, another argument or another change is another question."""
    change = Change("a.ipynb", "replace", "c1", "code", "1", "2", beside={"above": None})
    others = [
        replace(change, after="3"),
        replace(change, before=None),
        replace(change, path="b.ipynb"),
        replace(change, beside={"above": "c0"}),
        replace(change, cell={"cell_type": "code", "source": "\ud800"}),
    ]
    proposals = [Proposal(), Proposal((change,)), *(Proposal((each,)) for each in others)]
    digests = [digest_of("insert_cell", "{}", each) for each in proposals]
    digests += [
        digest_of("delete_cell", "{}", Proposal()),
        digest_of("insert_cell", "{ }", Proposal()),
    ]
    assert len(set(digests)) == len(digests)
    assert digest_of("insert_cell", "{}", Proposal((replace(change),))) == digests[1]
