"""Continue, regenerate, edit: nothing that was said before is lost."""

from __future__ import annotations

import asyncio

import pytest

from jupyter_stop_chat.ports.handler import Finished, Reasoning, ToolEnded, ToolStarted
from jupyter_stop_chat.testing import Gate, Raise, ScriptedHandler
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment, Message, MessageState, Outcome
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import Bench, new_id


def told(b: Bench) -> list[tuple[str, str]]:
    return [(each.role, each.text) for each in b.handler.replies[-1].turn.messages]


async def stopped(b: Bench, *script: object, chat_id: str | None = None) -> Message:
    """Make a reply that was stopped after its first text."""
    b.handler.script = [*script, Gate()]
    accepted = await b.send("ask", chat_id)
    await b.shown(accepted, "".join(each for each in script if isinstance(each, str)))
    await b.stop(message_id=accepted.message.id)
    return await b.end(accepted)


async def refused(work) -> ErrorCode:
    with pytest.raises(StopChatError) as caught:
        await work
    return caught.value.code


async def test_continue_goes_on_in_the_same_message(bench):
    """V9: the handler is given the partial reply, and the page one message."""
    b = bench()
    partial = await stopped(b, Reasoning("hm "), ToolStarted("c", "t"), ToolEnded("c"), "one ")
    b.handler.script = [Reasoning("so "), "two"]
    again = await b.go_on(partial.id)
    assert again.message.id == partial.id
    assert again.user_message.id == partial.reply_to
    message = await b.end(again)
    assert (message.state, message.text) == (MessageState.COMPLETED, "one two")
    assert (message.reasoning, message.stop) == ("hm so ", None)
    assert [tool.call_id for tool in message.tools] == ["c"]
    turn = b.handler.replies[-1].turn
    assert turn.prefix == "one "
    assert told(b) == [("user", "ask")]
    assert len(await b.store.get_messages(partial.chat_id)) == 2


async def test_continue_sent_again_counts_once(bench):
    """V9: while it runs, after its end, and after the next one; so does what came before it."""
    b = bench()
    first = new_id()
    b.handler.script = ["one ", Gate()]
    accepted = await b.send(request_id=first)
    await b.shown(accepted, "one ")
    await b.stop(message_id=accepted.message.id)
    partial = await b.end(accepted)
    second, third = new_id(), new_id()
    b.handler.script = ["two ", Gate()]
    again = await b.go_on(partial.id, second)
    assert again.message.request_id == second
    assert (await b.go_on(partial.id, second)).message.id == partial.id
    await b.shown(again, "one two ")
    (stopped_,) = await b.stop(request_id=second)
    assert (stopped_.message_id, stopped_.outcome) == (partial.id, "interrupted")
    assert (await b.store.get_message(partial.id)).request_id == second
    repeated = await b.go_on(partial.id, second)
    assert (repeated.request_id, repeated.message.text) == (second, "one two ")
    assert repeated.user_message.id == partial.reply_to
    b.handler.script = ["three"]
    assert (await b.end(await b.go_on(partial.id, third))).text == "one two three"
    for request_id in (second, third):
        repeated = await b.go_on(partial.id, request_id)
        assert repeated.request_id == request_id
        assert (repeated.message.state, repeated.message.text) == ("completed", "one two three")
    for request_id in (first, second, third):
        (late,) = await b.stop(request_id=request_id)
        assert (late.message_id, late.outcome) == (partial.id, "already_completed")
    repeated = await b.send(request_id=first)
    assert repeated.message.id == partial.id
    assert len(b.handler.replies) == 3
    assert await refused(b.go_on(partial.id)) is ErrorCode.NOT_POSSIBLE_NOW


async def test_continue_with_another_model(bench):
    """V9: the rules decide on it as on any other; the message names the model that went on."""
    b = bench()
    partial = await stopped(b, "one ")
    b.handlers["test:other"] = other = ScriptedHandler(["two"])
    message = await b.end(await b.go_on(partial.id, model="test:other"))
    assert (message.text, message.model) == ("one two", "test:other")
    assert len(other.replies) == 1
    assert (await b.store.get_message(partial.id)).model == "test:other"


async def test_continue_with_a_model_that_is_not_allowed(bench):
    """V9: nothing is begun, and the reply can still be gone on with."""
    b = bench()
    partial = await stopped(b, "one ")

    def choose(wanted: str | None, owner: str) -> str | None:
        if wanted == "test:forbidden":
            raise StopChatError(ErrorCode.MODEL_NOT_ALLOWED)
        return wanted

    b.engine._choose = choose
    code = await refused(b.go_on(partial.id, model="test:forbidden"))
    assert code is ErrorCode.MODEL_NOT_ALLOWED
    assert await b.store.get_message(partial.id) == partial
    b.handler.script = ["two"]
    assert (await b.end(await b.go_on(partial.id))).text == "one two"


async def test_continue_after_a_failure(bench):
    b = bench(["one ", Raise(RuntimeError())])
    failed = await b.end(await b.send())
    b.handler.script = ["two"]
    message = await b.end(await b.go_on(failed.id))
    assert (message.state, message.text, message.error) == (
        MessageState.COMPLETED,
        "one two",
        None,
    )


async def test_continue_may_add_nothing(bench):
    b = bench()
    partial = await stopped(b, "all")
    b.handler.script = []
    assert (await b.end(await b.go_on(partial.id))).state is MessageState.COMPLETED


async def test_a_part_that_is_stopped_or_fails_keeps_the_first(bench):
    """V9, B4."""
    b = bench()
    partial = await stopped(b, "one ")
    b.handler.script = ["two ", Gate()]
    again = await b.go_on(partial.id)
    await b.shown(again, "one two ")
    await b.stop(message_id=partial.id, shown=0)
    assert (await b.end(again)).text == "one "
    b.handler.script = ["three", Raise(RuntimeError())]
    assert (await b.end(await b.go_on(partial.id))).text == "one three"


async def test_what_cannot_be_gone_on_with(bench):
    b = bench()
    done = await b.end(await b.send())
    assert await refused(b.go_on(done.id)) is ErrorCode.NOT_POSSIBLE_NOW
    assert await refused(b.go_on(new_id())) is ErrorCode.UNKNOWN_MESSAGE
    b.handler.script = [Gate()]
    silent = await b.send()
    assert await refused(b.go_on(silent.message.id)) is ErrorCode.NOT_POSSIBLE_NOW
    assert await refused(b.regenerate(silent.message.id)) is ErrorCode.NOT_POSSIBLE_NOW
    await b.stop(message_id=silent.message.id)
    assert await refused(b.go_on(silent.message.id)) is ErrorCode.NOT_POSSIBLE_NOW
    b.handler.script = ["x", Gate()]
    dropped = await b.send()
    await b.shown(dropped, "x")
    await b.stop(message_id=dropped.message.id, discard=True)
    assert await refused(b.go_on(dropped.message.id)) is ErrorCode.NOT_POSSIBLE_NOW


async def test_continue_twice_at_once(bench):
    """V10: one of them is taken, whichever is read first, and it goes on unharmed."""
    b = bench()
    partial = await stopped(b, "one ")
    gate = Gate()
    b.handler.script = ["two", gate]
    answers = await asyncio.gather(
        *(b.go_on(partial.id) for _ in range(3)), return_exceptions=True
    )
    refusals = [answer for answer in answers if not isinstance(answer, Accepted)]
    assert [answer.code for answer in refusals] == [ErrorCode.NOT_POSSIBLE_NOW] * 2
    assert b.engine.generation(partial.id) is not None
    gate.open()
    assert (await b.end(partial.id)).text == "one two"


@pytest.mark.parametrize("turns", range(10))
async def test_a_stop_while_a_continue_is_accepted(bench, turns):
    """J2: at every step, and the text stays."""
    b = bench()
    partial = await stopped(b, "one ")
    b.handler.script = ["two", Gate()]
    request_id = new_id()
    asking = asyncio.create_task(b.go_on(partial.id, request_id))
    await asyncio.sleep(0)
    while b.engine.generation(partial.id) is None:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await b.store.steps(turns)
    (result,) = await b.stop(request_id=request_id, shown=4)
    assert result.outcome is Outcome.INTERRUPTED
    await asking
    message = await b.end(partial.id)
    assert (message.state, message.text) == (MessageState.INTERRUPTED, "one ")


async def test_the_next_prompt_follows_a_reply_that_is_being_continued(bench):
    """J5: although it is not at its end when the prompt comes."""
    b = bench()
    partial = await stopped(b, "one ")
    gate = Gate()
    b.handler.script = ["two ", gate, "three"]
    again = await b.go_on(partial.id)
    await b.shown(again, "one two ")
    after = await b.send("after", partial.chat_id)
    b.handler.script = ["ok"]
    gate.open()
    await b.end(after)
    assert after.user_message.reply_to == partial.id
    assert told(b) == [("user", "ask"), ("assistant", "one two three"), ("user", "after")]


async def test_going_on_with_an_older_reply_moves_nothing(bench):
    b = bench()
    older = await stopped(b, "one ")
    b.handler.script = ["newer"]
    newer = await b.end(await b.send("newer?", older.chat_id))
    b.handler.script = ["two"]
    await b.end(await b.go_on(older.id))
    after = await b.send("after", older.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == newer.id


async def test_regenerate_makes_a_version_beside_the_earlier(bench):
    """V9: the earlier one stays, and is not told to the model."""
    b = bench(lambda turn: [f"reply {len(b.handler.replies)}"])
    first = await b.end(await b.send("one"))
    second = await b.end(await b.send("two", first.chat_id))
    again = await b.regenerate(first.id)
    message = await b.end(again)
    assert (message.version_of, message.reply_to) == (first.id, first.reply_to)
    assert told(b) == [("user", "one")]
    texts = {each.id: each.text for each in await b.store.get_messages(first.chat_id)}
    assert (texts[first.id], texts[second.id]) == ("reply 0", "reply 1")
    # The chat goes on from the newest version.
    after = await b.send("three", first.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == message.id
    assert told(b) == [("user", "one"), ("assistant", "reply 2"), ("user", "three")]


async def test_regenerate_what_said_nothing(bench):
    """V9: "Resume": the same prompt again."""
    b = bench([Gate()])
    accepted = await b.send("again?")
    await b.handler.next_reply()
    await b.stop(message_id=accepted.message.id)
    b.handler.script = ["yes"]
    message = await b.end(await b.regenerate(accepted.message.id))
    assert message.text == "yes"
    assert told(b) == [("user", "again?")]


async def test_a_version_that_is_discarded_gives_the_chat_back_to_the_earlier(bench):
    """V4."""
    b = bench(["first"])
    first = await b.end(await b.send("one"))
    b.handler.script = ["second", Gate()]
    again = await b.regenerate(first.id)
    await b.shown(again, "second")
    await b.stop(message_id=again.message.id, discard=True)
    b.handler.script = ["ok"]
    after = await b.send("after", first.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == first.id


async def test_edit_asks_again_from_a_changed_prompt(bench):
    """The earlier prompt and all that followed it stay reachable."""
    b = bench(lambda turn: [f"re {turn.messages[-1].text}"])
    first = await b.end(await b.send("one"))
    note = Attachment(name="n", text="t")
    second = await b.send("two", first.chat_id, attachments=[note])
    await b.end(second)
    changed = await b.edit(second.user_message.id, "zwei")
    assert changed.user_message.version_of == second.user_message.id
    assert changed.user_message.reply_to == first.id
    assert changed.user_message.attachments == (note,)
    message = await b.end(changed)
    assert [text for _, text in told(b)][:2] == ["one", "re one"]
    assert message.text.startswith("re zwei")
    kept = await b.store.get_thread(second.message.id)
    assert [each.text for each in kept][2] == "two"
    after = await b.send("three", first.chat_id)
    await b.end(after)
    assert after.user_message.reply_to == message.id


async def test_edit_while_a_reply_is_being_made(bench):
    """V6: it waits like any other, and keeps its place in the thread."""
    b = bench(["first"])
    first = await b.end(await b.send("one"))
    gate = Gate()
    b.handler.script = ["x", gate]
    running = await b.send("two", first.chat_id)
    await b.shown(running, "x")
    changed = await b.edit(first.reply_to, "eins")
    assert changed.message.state is MessageState.QUEUED
    b.handler.script = ["ok"]
    gate.open()
    await b.end(changed)
    assert told(b) == [("user", "eins")]


async def test_regenerate_and_edit_keep_the_model(bench):
    b = bench()
    b.handlers["other:x"] = b.handler
    first = await b.end(await b.send(model="other:x"))
    again = await b.regenerate(first.id)
    assert again.message.model == "other:x"
    await b.end(again)


async def test_a_reply_that_was_cut_at_a_limit_goes_on(bench):
    """T1, V9: it is complete, marked, and can be continued; one at its own end cannot."""
    b = bench()
    b.handler.script = ["one ", Finished("length")]
    message = await b.end(await b.send("ask"))
    assert (message.state, message.finish_reason) == (MessageState.COMPLETED, "length")
    b.handler.script = ["two"]
    message = await b.end(await b.go_on(message.id))
    assert (message.state, message.text) == (MessageState.COMPLETED, "one two")
    assert message.finish_reason is None
    assert await refused(b.go_on(message.id)) is ErrorCode.NOT_POSSIBLE_NOW


async def test_a_reply_that_broke_off_goes_on(bench):
    """T2: it is interrupted without anybody's stop."""
    b = bench()
    b.handler.script = ["one ", Finished("cut_off")]
    message = await b.end(await b.send("ask"))
    assert (message.state, message.finish_reason) == (MessageState.INTERRUPTED, "cut_off")
    assert (message.stop, message.text) == (None, "one ")
    b.handler.script = ["two"]
    assert (await b.end(await b.go_on(message.id))).text == "one two"


async def test_a_limit_that_thinking_used_up_is_no_empty_answer(bench):
    """T1: what was thought is kept."""
    b = bench()
    b.handler.script = [Reasoning("hm"), Finished("length")]
    message = await b.end(await b.send("ask"))
    assert (message.state, message.finish_reason) == (MessageState.COMPLETED, "length")
    assert (message.error, message.reasoning) == (None, "hm")


@pytest.mark.parametrize("earlier", [0, 1])
async def test_a_reply_that_goes_on_is_stopped_by_a_request_it_answered_before(bench, earlier):
    """V9, B1: who knows only its first request means it; nobody else's stop counts."""
    b = bench(["one", Gate()])
    accepted = await b.send()
    requests = [accepted.request_id]
    for _ in range(2):
        await b.shown(accepted, str(b.engine.generation(accepted.message.id).text) or "one")
        await b.handler.next_reply()
        await b.stop(message_id=accepted.message.id)
        again = await b.go_on(accepted.message.id)
        requests.append(again.request_id)
    generation = b.engine.generation(accepted.message.id)
    (other,) = await b.stop(owner="eve", request_id=requests[earlier])
    assert (other.outcome, generation.stop) == (Outcome.REMEMBERED, None)
    (result,) = await b.stop(request_id=requests[earlier])
    assert (result.message_id, result.outcome) == (accepted.message.id, Outcome.INTERRUPTED)
    assert generation.settled.done()
    b.engine.registry.recall("eve", requests[earlier])


@pytest.mark.parametrize(
    ("keeps", "left"), [(None, "abc"), ([2, 0, 0], "ac"), ([7], ""), ([], "")]
)
async def test_an_edited_prompt_keeps_what_is_left_attached(bench, keeps, left):
    """U25: the places that are named, in their order; the earlier version has all."""
    b = bench(["one"])
    notes = [Attachment(name=name, text=name) for name in "abc"]
    first = await b.send("one", attachments=notes)
    await b.end(first)
    changed = await b.edit(first.user_message.id, "two", keeps=keeps)
    await b.end(changed)
    assert "".join(each.name for each in changed.user_message.attachments) == left
    assert len((await b.store.get_message(first.user_message.id)).attachments) == 3
