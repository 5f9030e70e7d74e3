"""A degraded store answers as one that is well, and nothing tells them apart later."""

import asyncio
import shutil
import tempfile
import uuid
from itertools import count
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.store.sqlite.prepare import prepare, url_of
from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError
from jupyter_stop_chat.wire.objects import Attachment, Chat, Message, MessageState, Receipt, Usage
from jupyter_stop_chat.wire.tools import ToolCall
from tests.examples import examples
from tests.store.degraded.fault import Fault

WHEN = "2026-01-01T00:00:00Z"
OWNERS = ["me", "you"]
TEXTS = ["", "a", "Wörd ", "wor", "😀", "\ud83d", "\0", "long " * 60, "é" * 70_000]
QUERIES = ["a", "word", "WÖR", "or", "long", "titel", "a long", "nobody"]
DIGESTS = [f"{n:064x}" for n in range(3)]
LIVE = {"queued", "generating", "stopping"}
KINDS = [
    *("create", "begin", "begin", "begin", "append", "append", "append", "set_state", "settle"),
    *("settle", "settle", "reopen", "reopen", "amend_stop", "amend_prompt", "tool", "tool"),
    *("title", "delete", "again", "add", "think", "instruct", "keep", "keep"),
    *("allow", "ask_again"),
]

_numbers = st.integers(0, 11)
_texts = st.sampled_from(TEXTS)
_tools = st.builds(
    ToolCall,
    call_id=st.sampled_from(["a", "b"]),
    name=st.just("look"),
    state=st.sampled_from(["running", "completed"]),
    args=st.sampled_from(["{}", "é"]),
)
_settlements = st.builds(
    Settlement,
    st.sampled_from(["completed", "interrupted", "interrupted", "failed", "queued"]).map(
        MessageState
    ),
    keep=st.none() | st.integers(0, 9) | st.just(66_000),
    keep_reasoning=st.none() | st.integers(0, 3),
    usage=st.none() | st.just(Usage(output_tokens=3)),
    stop=st.none()
    | st.builds(
        Receipt,
        requested_at=st.sampled_from([WHEN, "2026-01-01T00:00:01Z"]),
        discarded=st.booleans(),
    ),
    finish_reason=st.none() | st.sampled_from(["length", "cut_off"]),
    tools=st.none() | st.lists(_tools, max_size=2).map(tuple),
)


@st.composite
def _step(draw):
    """Draw one thing that is asked: its kind, which ones it is about, and what it brings."""
    kind = draw(st.sampled_from(KINDS))
    brought = {
        "settle": _settlements,
        "tool": _tools,
        "title": st.none() | _texts,
        "amend_stop": st.sampled_from([WHEN, "2026-01-01T00:00:01Z"]),
        "set_state": st.sampled_from(["queued", "generating", "stopping", "completed"]),
    }.get(kind, _texts)
    return kind, draw(_numbers), draw(_numbers), draw(brought)


class Script:
    """What asks two stores the same things, whatever they answer."""

    def __init__(self, stores):
        self.stores = stores
        self.chats, self.messages, self.requests = [], [], []
        self.beside = {}
        self._ids = (str(uuid.UUID(int=n)) for n in count(1))

    async def ask(self, step):
        kind, one, other, brought = step
        question = getattr(self, f"_{kind}")(one, other, brought)
        answers = [await _answer(question, store) for store in self.stores]
        assert _alike(*answers), (step, answers)

    async def compare(self, sample):
        """Read everything in every way; of what concerns one message, each third."""
        questions = [
            *((lambda store, each=each: store.get_chat(each)) for each in self.chats),
            *((lambda store, each=each: store.get_messages(each)) for each in self.chats),
            *((lambda store, each=each: store.newest_reply(each)) for each in self.chats),
            *((lambda store, each=each: store.instructions.of_chat(each)) for each in self.chats),
            *(
                (lambda store, each=each: store.instructions.sent(each, DIGESTS))
                for each in self.chats
            ),
            *(
                (lambda store, each=each, owner=owner: store.allowed_tools.allowed(owner, each))
                for each in self.chats
                for owner in OWNERS
            ),
        ]
        for each in self.messages[sample::3]:
            questions += [
                lambda store, each=each: store.get_message(each),
                lambda store, each=each: store.get_thread(each),
            ]
        for owner in OWNERS:
            questions += [
                *(
                    lambda store, each=each, owner=owner: store.find_request(owner, each)
                    for each in self.requests[sample::3]
                ),
                lambda store, owner=owner: store.list_chats(owner),
                lambda store, owner=owner: store.list_chats(owner, limit=2),
                lambda store, owner=owner: store.count_chats(owner),
                *(
                    lambda store, owner=owner, each=each: store.list_chats(
                        owner, limit=2, before=each
                    )
                    for each in self.chats
                ),
            ]
        for n, question in enumerate(questions):
            answers = [await _answer(question, store) for store in self.stores]
            assert _alike(*answers), (n, question.__defaults__, answers)
        for owner in OWNERS:
            for query in QUERIES:
                well, other = [await store.list_chats(owner, query=query) for store in self.stores]
                found = [_comparable(each) for each in well]
                more = [_comparable(each) for each in other]
                # What is being made is in the index at its end only, and in memory at once.
                assert found == [each for each in more if each in found], (owner, query)

    def _new(self, known):
        known.append(next(self._ids))
        return known[-1]

    def _of(self, known, number):
        return known[-1 - number % len(known)] if known else str(uuid.UUID(int=0))

    def _chat(self, number, text=None):
        return Chat(
            id=self._new(self.chats),
            owner=OWNERS[number % 2],
            title=text or None,
            created_at=WHEN,
            updated_at=WHEN,
        )

    def _turn(self, chat_id, number, text, request_id=None):
        there = self.beside.setdefault(chat_id, [])
        follows = self._of(there, number) if there and number % 3 else None
        prompt = Message(
            id=self._new(self.messages), chat_id=chat_id, role="user", text=text,
            text_length=len(text.encode("utf-16-le", "surrogatepass")) // 2,
            state=MessageState.COMPLETED, created_at=WHEN, reply_to=follows,
        )  # fmt: skip
        reply = Message(
            id=self._new(self.messages), chat_id=chat_id, role="assistant", text="",
            text_length=0, state=MessageState.QUEUED, created_at=WHEN, reply_to=prompt.id,
            request_id=request_id or self._new(self.requests), model="test:one",
        )  # fmt: skip
        for each in (prompt, reply):
            there.append(each.id)
            self.beside[each.id] = there
        return prompt, reply

    def _create(self, one, _, text):
        chat = self._chat(one, text)
        return lambda store: store.create_chat(chat)

    def _begin(self, one, other, text):
        chat = self._chat(one) if not self.chats or one == 0 else None
        turn = self._turn(chat.id if chat else self._of(self.chats, one - 1), other, text)
        return lambda store: store.begin_turn(turn, chat)

    def _again(self, one, other, text):
        """Ask for what is there already: a request, a message or a chat."""
        if not self.messages:
            return self._begin(one, other, text)
        prompt, reply = self._turn(
            self._of(self.chats, one), other, text, self._of(self.requests, other)
        )
        if one % 3 == 1:
            reply = reply.model_copy(update={"id": self._of(self.messages, other + 2)})
        chat = self._chat(one) if one % 3 == 2 else None
        if chat is not None:
            chat = chat.model_copy(update={"id": self._of(self.chats, other + 1)})
            moved = {"chat_id": chat.id, "reply_to": None}
            prompt = prompt.model_copy(update=moved)
            reply = reply.model_copy(update=moved)
        return lambda store: store.begin_turn((prompt, reply), chat)

    def _add(self, one, other, text):
        chat = self._chat(one, text)
        turn = self._turn(chat.id, other, text)
        turn = [each.model_copy(update={"state": MessageState.COMPLETED}) for each in turn]
        return lambda store: store.add_chat(chat, turn)

    def _append(self, one, other, text):
        message = self._of(self.messages, one)
        return lambda store: store.append(message, text, "reasoning" if other > 8 else "text")

    def _think(self, one, other, _):
        message = self._of(self.messages, one)
        return lambda store: store.make_thought(message, other)

    def _set_state(self, one, _, state):
        message = self._of(self.messages, one)
        return lambda store: store.set_state(message, MessageState(state))

    def _settle(self, one, _, settlement):
        message = self._of(self.messages, one)
        return lambda store: store.settle(message, settlement)

    def _reopen(self, one, other, text):
        message = self._of(self.messages, one)
        request = self._new(self.requests) if other % 2 else None
        if other == 4:
            request = self._of(self.requests, one)
        return lambda store: store.reopen(message, request, "test:other" if text else None)

    def _amend_stop(self, one, _, when):
        message = self._of(self.messages, one)
        late = Receipt(requested_at=when, provider="closed", provider_ms=9.5)
        return lambda store: store.amend_stop(message, late)

    def _amend_prompt(self, one, other, text):
        message, behind = self._of(self.messages, one), None
        if other % 2 and self.messages:
            behind = self._of(self.beside[message], other)
        asked = None
        if other % 3 == 0:
            asked = (self._of(self.messages, other), self._new(self.requests))
        left = [None, (), (Attachment(name="a", text=text),)][other % 3]
        return lambda store: store.amend_prompt(message, text, behind, asked, left)

    def _tool(self, one, _, call):
        message = self._of(self.messages, one)
        return lambda store: store.put_tool(message, call)

    def _title(self, one, _, text):
        chat = self._of(self.chats, one)
        return lambda store: store.set_title(chat, text)

    def _instruct(self, one, _, text):
        chat = self._of(self.chats, one)
        return lambda store: store.instructions.set(chat, text)

    def _keep(self, one, other, text):
        message, digest = self._of(self.messages, one), f"{other % 3:064x}"
        return lambda store: store.instructions.keep(message, digest, f"{digest}: told")

    def _rule(self, one, other):
        chat = self._of(self.chats, one) if other % 3 else ""
        return OWNERS[one % 2], chat, f"tool {other % 2}"

    def _allow(self, one, other, _):
        rule = self._rule(one, other)
        return lambda store: store.allowed_tools.allow(*rule)

    def _ask_again(self, one, other, _):
        rule = self._rule(one, other)
        return lambda store: store.allowed_tools.ask_again(*rule)

    def _delete(self, one, _, __):
        chat = self._of(self.chats, one + 1)
        return lambda store: store.delete_chat(chat)


async def _answer(question, store):
    try:
        return _comparable(await question(store))
    except StopChatError as error:
        return error.code


def _comparable(answer):
    """Leave out the time of a chat's last change, which no two clocks agree on."""
    if isinstance(answer, Chat):
        return answer.model_copy(update={"updated_at": WHEN})
    return list(map(_comparable, answer)) if isinstance(answer, list) else answer


def _alike(well, other):
    """Take what cannot be read for nothing: only where nothing is there."""
    nothing = well in (None, False, [], "", {}, frozenset(), ErrorCode.UNKNOWN_CHAT)
    return other == well or (other is ErrorCode.NOT_READABLE and nothing)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Yield a database with nothing in it."""
    path = tmp_path_factory.mktemp("empty") / "chats.sqlite3"
    prepare(url_of(f"sqlite:///{path}"), busy_seconds=1)
    return path


STEPS = st.lists(_step(), max_size=14)


@settings(max_examples=examples(8, 150))
@given(
    before=STEPS,
    amid=STEPS,
    after=st.lists(_step(), max_size=3),
    opened=st.booleans(),
    sample=st.integers(0, 2),
)
# A prompt is changed whose reply only the database knows; a page of the list follows on a chat
# that was deleted.
@example([("begin", 0, 0, ""), ("add", 0, 0, "")], [("amend_prompt", 1, 0, "")], [], True, 2)
@example([("create", n, 0, "") for n in (0, 1, 0)], [("delete", 0, 0, "")], [], True, 0)
def test_a_store_that_cannot_write_answers_as_one_that_can(
    empty, before, amid, after, opened, sample
):
    """B3, H3: while it is degraded and afterwards, in every way of reading."""
    asyncio.run(_compare(empty, before, amid, after, opened, sample))


async def _compare(empty, before, amid, after, opened, sample):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chats.sqlite3"
        shutil.copy(empty, path)
        fault = Fault(path)
        well = await make_store("sqlite://", owner_process="host:1:a")
        other = await make_store(
            f"sqlite:///{path}",
            owner_process="host:1:a",
            busy_seconds=0.01,
            sleep=fault.sleep,
            pragmas={"synchronous": "off"},
        )
        other.on_degraded = fault.tell
        stores = [well, other]
        script = Script(stores)
        if not opened:
            fault.begin()
        for store in stores:
            await store.open()
        try:
            for step in before:
                await script.ask(step)
            if opened:
                fault.begin()
                await script.ask(("title", 0, 0, "titel"))
                await other.set_title(str(uuid.UUID(int=0)), None)
            assert other.health()["degraded"]
            for step in amid:
                await script.ask(step)
            await script.compare(sample)
            await fault.end()
            await fault.saved.wait()
            for step in after:
                await script.ask(step)
            await script.compare(sample)
        finally:
            for store in stores:
                await store.close()
