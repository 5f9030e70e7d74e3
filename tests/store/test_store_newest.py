"""The database and plain Python find the same newest reply."""

import uuid

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.wire.objects import MessageState, Receipt
from tests.aids.newest import newest_reply
from tests.examples import examples

TREES = st.lists(
    st.tuples(
        st.booleans(),
        st.none() | st.integers(0, 11),
        st.sampled_from([*MessageState, MessageState.COMPLETED, MessageState.COMPLETED]),
        st.sampled_from([None, False, True]),
    ),
    max_size=12,
)


def test_the_newest_reply_is_found_where_the_messages_are(store, make, jp_asyncio_loop):
    """B10, V9: of any tree: edited, reordered, taken out, still to come, in a ring."""

    @settings(max_examples=examples(20, 600), derandomize=True)
    @given(TREES)
    def check(tree):
        jp_asyncio_loop.run_until_complete(_compare(store, make, tree))

    check()


async def _compare(store, make, tree):
    chat = make.chat()
    ids = [str(uuid.uuid4()) for _ in range(12)]
    messages = [
        make.message(
            chat,
            "assistant" if is_reply else "user",
            id=ids[at],
            reply_to=None if follows is None else ids[follows],
            state=state if is_reply else MessageState.COMPLETED,
            stop=None if out is None else Receipt(requested_at="2026", discarded=out),
        )
        for at, (is_reply, follows, state, out) in enumerate(tree)
    ]
    await store.begin_turn(messages, chat)
    kept = await store.get_messages(chat.id)
    assert await store.newest_reply(chat.id) == newest_reply(kept)
    await store.delete_chat(chat.id)
