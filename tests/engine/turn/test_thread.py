"""Which reply a prompt follows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_stop_chat.engine.turn.thread import follows_another
from jupyter_stop_chat.wire.objects import Message, MessageState, Receipt
from tests.aids.newest import newest_reply

WHEN = "2026-01-01T00:00:00Z"
LIVE = (MessageState.QUEUED, MessageState.GENERATING, MessageState.STOPPING)


def turn(number, after=None, state=MessageState.COMPLETED, discarded=False, prompt=None):
    """Make a prompt and its reply, named by their number."""
    asked = Message(
        id=_id("a", number), chat_id=_id("c", 0), role="user", text="?", text_length=1,
        state=MessageState.COMPLETED, created_at=WHEN,
        reply_to=None if after is None else _id("b", after),
    )  # fmt: skip
    reply = Message(
        id=_id("b", number), chat_id=_id("c", 0), role="assistant", text="!", text_length=1,
        state=state, created_at=WHEN, reply_to=_id("a", number if prompt is None else prompt),
        stop=Receipt(requested_at=WHEN, discarded=True) if discarded else None,
    )  # fmt: skip
    return [asked, reply] if prompt is None else [reply]


def _id(kind, number):
    return f"{kind}0000000-0000-4000-8000-{number:012}"


def test_the_last_reply():
    assert newest_reply([]) is None
    assert newest_reply([*turn(1), *turn(2, 1), *turn(3, 2)]) == _id("b", 3)


def test_one_that_was_taken_out_or_waits_is_none():
    gone = turn(2, 1, MessageState.INTERRUPTED, discarded=True)
    assert newest_reply([*turn(1), *gone]) == _id("b", 1)
    for state in LIVE:
        assert newest_reply([*turn(1), *turn(2, 1, state)]) == _id("b", 1)
    assert newest_reply(turn(1, None, MessageState.QUEUED)) is None


def test_the_end_of_a_thread_counts_and_not_when_it_was_written():
    assert newest_reply([*turn(1), *turn(2, 3), *turn(3, 1)]) == _id("b", 2)


def test_the_newest_of_several_threads():
    edited = [*turn(1), *turn(2, 1), *turn(3, None), *turn(4, 3)]
    assert newest_reply(edited) == _id("b", 4)
    again = [*turn(1), *turn(2, 1), *turn(3, prompt=1)]
    assert newest_reply(again) == _id("b", 3)


def test_one_behind_another_that_waits_is_none():
    waiting = turn(2, 1, MessageState.QUEUED)
    behind = turn(3, 2, MessageState.INTERRUPTED)
    assert newest_reply([*turn(1), *waiting, *behind]) == _id("b", 1)


def test_a_prompt_that_follows_another_reply_than_the_newest():
    first, second, third = turn(1), turn(2, 1), turn(3, 2, MessageState.GENERATING)
    thread = [*first, *second, *third]
    assert not follows_another(thread, _id("b", 2))
    assert follows_another(thread, _id("b", 9))
    assert not follows_another(thread, _id("b", 1))  # the second was stopped while it waited
    assert not follows_another(thread, None)
    assert follows_another([*first, *turn(2, 1, MessageState.QUEUED), *third], _id("b", 1))
    gone = turn(2, 1, MessageState.INTERRUPTED, discarded=True)
    assert follows_another([*first, *gone, *third], _id("b", 1))


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from(list(MessageState)), st.booleans()),
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
def test_nothing_that_is_followed_can_close_a_circle(turns, random):
    """J5: whatever a chat looks like, a prompt that waits never follows itself."""
    messages = []
    for number, (after, state, discarded) in enumerate(turns):
        follows = after if after < number else None
        messages.extend(turn(number, follows, state, discarded))
    parents = {message.id: message.reply_to for message in messages}
    random.shuffle(messages)
    found = newest_reply(messages)
    by_id = {message.id: message for message in messages}
    while found is not None:
        if found in by_id:
            assert by_id[found].state not in LIVE
        found = parents.get(found)
