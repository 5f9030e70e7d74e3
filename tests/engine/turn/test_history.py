"""What a model is told: always valid for every provider (B8)."""

from __future__ import annotations

import itertools
import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.chat_handlers.langchain.messages import history as langchain_history
from jupyter_stop_chat.chat_handlers.langchain.trimming import fitted
from jupyter_stop_chat.engine.turn.thread import asked_text, prompt_text, turn_messages
from jupyter_stop_chat.ports.handler import ToolStarted
from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.testing import Gate
from jupyter_stop_chat.wire.objects import Attachment, Message, MessageState, Receipt
from tests.engine.bench import Bench

WHEN = "2026-01-01T00:00:00Z"


def message(role, text, state=MessageState.COMPLETED, discarded=False, **more):
    stop = Receipt(requested_at=WHEN, discarded=discarded)
    return Message(
        id="00000000-0000-4000-8000-000000000000",
        chat_id="00000000-0000-4000-8000-000000000001",
        role=role,
        text=text,
        text_length=len(text),
        state=state,
        created_at=WHEN,
        stop=stop if state is MessageState.INTERRUPTED else None,
        **more,
    )


def told(*thread):
    return [(each.role, each.text) for each in turn_messages(thread)]


def test_a_thought_that_was_kept_in_a_reply_is_not_sent_back():
    """T7: older and imported replies have some; one that is all thought is left out."""
    assert told(
        message("user", "a <think>b</think>"),
        message("assistant", "<think>Hm.</think>\n\nYes"),
        message("user", "b"),
        message("assistant", "So, hm.\n</think>\nNo"),
        message("user", "c"),
        message("assistant", "<think>cut off", MessageState.INTERRUPTED),
        message("user", "d"),
    ) == [
        ("user", "a <think>b</think>"),
        ("assistant", "Yes"),
        ("user", "b"),
        ("assistant", "No"),
        ("user", "d"),
    ]


def user(text, **more):
    return message("user", text, **more)


def said(text, **more):
    return message("assistant", text, **more)


STOPPED = {"state": MessageState.INTERRUPTED}


def test_a_stopped_reply_is_told_as_far_as_it_went():
    thread = (user("a"), said("half", **STOPPED), user("b"), said(""))
    assert told(*thread) == [("user", "a"), ("assistant", "half"), ("user", "b")]


def test_a_turn_without_a_word_is_left_out_whole():
    for text in ("", " \n"):
        for state in (MessageState.INTERRUPTED, MessageState.FAILED):
            thread = (user("a"), said(text, state=state), user("b"))
            assert told(*thread) == [("user", "b")]


def test_a_turn_that_was_taken_out_is_left_out_whole():
    gone = said("half", state=MessageState.INTERRUPTED, discarded=True)
    assert told(user("a"), gone, user("b")) == [("user", "b")]


def test_white_space_at_an_end_is_dropped():
    """Anthropic refuses an assistant message that ends with it."""
    assert told(user("a"), said("half \n"), user("b"))[1] == ("assistant", "half")


def test_attachments_are_fenced_however_many_ticks_they_hold():
    prompt = user("?", attachments=(Attachment(name="n", text="```\n````"),))
    assert prompt_text(prompt) == "?\n\nn:\n`````\n```\n````\n`````"


def test_ticks_without_end_hold_nobody_up():
    """Everybody's stops would wait for the fence: a megabyte took minutes."""
    prompt = user("?", attachments=(Attachment(name="n", text="`" * 1_000_000),))
    began = time.process_time()
    assert len(prompt_text(prompt)) == 3_000_010
    assert time.process_time() - began < 1


def test_a_name_fakes_nothing():
    """A file may have any name, and who sends it may not have given it."""
    digest = "0" * 64
    prompt = user(
        "?",
        attachments=(
            Attachment(name="a]\n\n[Picture: b", text="", blob=digest),
            Attachment(name="~~~x\n```\ny", text="z"),
            Attachment(name="```", text="z"),
        ),
    )
    picture, first, second = prompt_text(prompt).split("\n\n")[1:]
    assert picture == "[Picture: a) (Picture: b]"
    assert first == "'''x ``` y:\n```\nz\n```"
    assert second == "''':\n```\nz\n```"


def test_the_same_context_is_told_whole_once_and_last():
    """What is sent with each prompt costs once, and is never the part that is left out first."""
    here = Attachment(name="Notebook: a.ipynb", text="x = 1", kind="context")
    other = here.model_copy(update={"text": "x = 2"})
    mine = Attachment(name="Notebook: a.ipynb", text="x = 1")
    thread = (
        user("a", attachments=(here, mine)),
        said("b"),
        user("c", attachments=(other,)),
        said("d"),
        user("e", attachments=(here,)),
    )
    first, _, second, _, third = (text for _, text in told(*thread, said("")))
    assert first == f"a\n\n{here.name}: the same as below.\n\n{mine.name}:\n```\nx = 1\n```"
    assert second == prompt_text(thread[2])
    assert third == asked_text(thread) == prompt_text(thread[4])
    assert asked_text(thread[:2]) == prompt_text(thread[0])
    assert asked_text([said("b")]) is None


_STATES = st.sampled_from(
    [
        (MessageState.COMPLETED, False),
        (MessageState.INTERRUPTED, False),
        (MessageState.INTERRUPTED, True),
        (MessageState.FAILED, False),
    ]
)
_TURN = st.tuples(st.booleans(), st.sampled_from(["", " ", "text", "text \n", "🗼"]), _STATES)


@given(st.lists(_TURN, max_size=8))
def test_whatever_happened_before_the_history_is_valid(turns):
    """B8: roles alternate, the user is first and last, nothing is empty; the prompt is there."""
    thread: list[Any] = []
    for with_prompt, text, (state, discarded) in turns:
        if with_prompt:
            thread.append(user("ask"))
        thread.append(said(text, state=state, discarded=discarded))
    history = told(*thread, user("the prompt"), said("being made"))
    roles = [role for role, _ in history]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    assert all(text.strip() for _, text in history)
    assert history[-1][1].endswith("the prompt")
    for (_, text), valid in zip(history, langchain_history(turn_messages(thread)), strict=False):
        assert valid.content or text


def openai_shape(messages):
    """Write a history as OpenAI takes it, and check what it refuses."""
    shape = [{"role": each.role, "content": each.text} for each in messages]
    assert shape[-1]["role"] == "user"
    assert not any("tool_calls" in each for each in shape)
    return shape


def anthropic_shape(messages):
    """Write a history as Anthropic takes it, and check what it refuses."""
    assert messages[0].role == "user"
    for before, after in itertools.pairwise(messages):
        assert before.role != after.role
    for each in messages:
        assert each.text.strip()
        assert each.role == "user" or each.text == each.text.rstrip()
    return [{"role": each.role, "content": each.text} for each in messages]


async def _after_stops(b: Bench) -> None:
    """Stop a chat in every phase, and ask on; the model checks what it is given."""
    scripts = [
        [Gate()],
        ["half ", Gate()],
        [ToolStarted("c", "look"), Gate()],
        ["half", ToolStarted("c", "look"), Gate()],
    ]
    chat_id = None
    for number, script in enumerate(scripts):
        for discard in (False, True):
            b.handler.script = script
            count = len(b.handler.replies)
            accepted = await b.send(f"{number}", chat_id)
            chat_id = accepted.chat_id
            reply = await b.handler.next_reply(count + 1)
            assert openai_shape(reply.turn.messages)
            assert anthropic_shape(reply.turn.messages)
            await script[-1].reached.wait()
            await b.shown(accepted, reply.text)
            await b.stop(message_id=accepted.message.id, discard=discard)
    b.handler.script = ["ok"]
    await b.end(await b.send("last", chat_id))
    messages = b.handler.replies[-1].turn.messages
    assert openai_shape(messages) == anthropic_shape(messages)
    assert [each.text for each in messages] == ["1", "half", "3", "half", "last"]


async def test_the_next_turn_is_valid_after_every_stop(bench):
    """B8, S4: in memory."""
    await _after_stops(bench())


async def test_the_next_turn_is_valid_from_the_store(bench, tmp_path):
    """B8: as it is written and read back."""
    store = await open_store(f"sqlite:///{tmp_path / 'c.sqlite'}", owner_process="test:1:1")
    b = bench(store=store)
    await _after_stops(b)
    await b.check()
    await store.close()


def test_what_is_left_out_takes_no_context_with_it():
    """The newest prompt tells it whole, however little of the chat goes before it."""
    here = Attachment(name="Notebook: a.ipynb", text="x = 1", kind="context")
    turns = [[user("a " * 99, attachments=(here,)), said("b " * 99)] for _ in range(9)]
    thread = [*itertools.chain.from_iterable(turns), user("?", attachments=(here,)), said("")]
    whole = turn_messages(thread)
    for most in (10_000, 500, 1):
        kept = fitted(whole, most)
        text = "\n".join(each.text for each in kept)
        assert text.count("x = 1") == 1
        assert kept[-1].text == prompt_text(thread[-2])
