"""A commit that was done though its answer was lost: whatever it was, it counts once."""

import errno
import uuid

import pytest

from jupyter_stop_chat.ports.spending import Bill
from jupyter_stop_chat.ports.store import Making, Settlement
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import MessageState, Receipt, Spent
from jupyter_stop_chat.wire.tools import ToolCall
from tests.faults.store_case import WHEN, a_chat, a_message, a_turn, case

__all__ = ["case"]

STOPPED = Settlement(MessageState.INTERRUPTED, stop=Receipt(requested_at=WHEN))
DAY = "2026-03-09"
BILL = Bill("me", DAY, Spent(input_tokens=100, cost=7))
PAID = Settlement(MessageState.COMPLETED, bill=BILL)
LATE = Receipt(requested_at=WHEN, provider="closed", provider_ms=9.5)
CALL = ToolCall(call_id="a", name="look", state="running", args="{}")
ERRORS = {
    "readable": lambda: OSError(errno.EIO, "broken"),
    "unreadable": lambda: ConnectionResetError(),  # noqa: PLW0108 - it gets a traceback each time
}


class Chats:
    """Chats as an engine has them: what is made, what has ended, and what is new."""

    def __init__(self):
        self.chat, self.other, self.new = a_chat(), a_chat(), a_chat()
        self.asked, self.reply = a_turn(self.chat)
        self.ended_asked, self.ended = a_turn(self.other, request_id=str(uuid.uuid4()))
        self.more, self.first = a_turn(self.other), a_turn(self.new)
        self.old = a_message(self.new, "user", "old")
        self.request = str(uuid.uuid4())

    async def begin(self, store):
        await store.begin_turn([self.asked, self.reply], self.chat)
        await store.begin_turn([self.ended_asked, self.ended], self.other)
        await store.append(self.reply.id, "before ")
        await store.append(self.ended.id, "partial")
        await store.settle(self.ended.id, STOPPED)
        told = self.reply.model_copy(update={"text": "before ", "text_length": 7})
        store.making = lambda: [Making(self.chat, told.id, self.asked, lambda: told)]

    async def content(self, store):
        found = [await store.get_chat(chat.id) for chat in (self.chat, self.other, self.new)]
        return [
            (
                chat.title,
                (chat.state, chat.spent),
                [
                    (each.id, each.text, each.reasoning, each.state, each.tools, each.model)
                    for each in await store.get_messages(chat.id)
                ],
            )
            for chat in found
            if chat is not None and chat.owner
        ]


KINDS = {
    "charge": lambda its, store: store.spending.add(its.other.id, BILL),
    "create_chat": lambda its, store: store.create_chat(its.new),
    "add_chat": lambda its, store: store.add_chat(its.new, [its.old]),
    "set_title": lambda its, store: store.set_title(its.other.id, "title"),
    "delete_chat": lambda its, store: store.delete_chat(its.other.id),
    "begin_turn": lambda its, store: store.begin_turn(its.more),
    "begin_chat": lambda its, store: store.begin_turn(its.first, its.new),
    "set_state": lambda its, store: store.set_state(its.reply.id, MessageState.STOPPING),
    "append": lambda its, store: store.append(its.reply.id, "and after"),
    "think": lambda its, store: store.make_thought(its.reply.id, 3),
    "put_tool": lambda its, store: store.put_tool(its.reply.id, CALL),
    "settle": lambda its, store: store.settle(its.reply.id, PAID),
    "reopen": lambda its, store: store.reopen(its.ended.id, its.request, "test:other"),
    "amend_stop": lambda its, store: store.amend_stop(its.ended.id, LATE),
    "amend_prompt": lambda its, store: store.amend_prompt(
        its.asked.id, "other", None, (its.reply.id, its.request)
    ),
}


def _lose_the_answer(store, error):
    """Have the next change committed and its answer lost, as when a connection breaks then."""
    connections = store._database._connections
    submit = connections.submit

    def unanswered(take, then, process):
        connections.submit = submit
        submit(take, lambda answers, failed: then([], failed or error), process)

    connections.submit = unanswered


async def _answer(question):
    try:
        return await question
    except StopChatError as error:
        return error.code


@pytest.mark.parametrize("can_read", ERRORS)
@pytest.mark.parametrize("kind", KINDS)
async def test_it_counts_once(case, kind, can_read, caplog):
    """B3: where it is answered, it is there once; a request that is refused has left nothing."""
    its = Chats()
    well, store = await case.open("host:9:x", "sqlite://"), await case.open()
    await its.begin(well)
    await its.begin(store)
    before = await its.content(well)
    expected = await _answer(KINDS[kind](its, well))
    _lose_the_answer(store, ERRORS[can_read]())
    found = await _answer(KINDS[kind](its, store))
    assert store.health()["degraded"]
    if kind == "settle" and can_read == "readable":
        found = await store.get_message(its.reply.id)  # it had ended before
    refused = found is ErrorCode.NOT_READABLE
    assert refused or found == expected
    assert not refused or can_read == "unreadable"
    await case.saved_again()
    begins = kind in {"begin_turn", "reopen"}
    after = before if refused and begins else await its.content(well)
    seen = await its.content(store)
    if refused and kind == "reopen":
        seen = [(title, state, [each[:5] for each in said]) for title, state, said in seen]
        after = [(title, state, [each[:5] for each in said]) for title, state, said in after]
    assert seen == after
    assert await store.spending.on("me", DAY) == await well.spending.on("me", DAY)
    assert "Something is not saved" not in caplog.text
    if kind == "delete_chat":
        assert await store.get_messages(its.other.id) == []
