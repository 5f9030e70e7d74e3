"""The journal on the real store: it is enough to take everything back, and no more than that."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_stop_chat.engine.chats.undo import Undo, UndoOutcome
from jupyter_stop_chat.ports.contents import ContentsError
from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.ports.tools import Change, Noted, ToolError
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.tools import BuiltInTools
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState
from tests.examples import examples
from tests.tools.notebooks import Page, StandIn, cell, stream

A = "a.ipynb"
WHEN = "2026-01-01T00:00:00Z"

#: What somebody does, to which cell, and below which, by their places.
STEP = st.tuples(
    st.sampled_from(["insert", "replace", "part", "move", "delete"]),
    st.integers(0, 5),
    st.integers(-1, 5),
)
AGENT = STEP.map(lambda step: ("agent", *step))
PERSON = STEP.map(lambda step: ("person", *step))


class NoFiles:
    """A server without a file."""

    async def look(self, path: str) -> Any:
        raise ContentsError("missing")

    async def place(self, path: str) -> str:
        return path


class Noting(StandIn):
    """A call whose changes are written down in a store.

    :ivar loses: of these calls nobody hears whether they were done: the reply was stopped.
    """

    def __init__(self, page: Page, store: Any, message_id: str) -> None:
        super().__init__(page)
        self.message_id = message_id
        self._store = store
        self.loses = False

    async def note(self, change: Change) -> int:
        self.journal.append((change, "begun"))
        n: int = await self._store.journal.note(self.message_id, self.call_id, change)
        return n

    async def noted(self, n: int, *, done: bool) -> None:
        if not self.loses:
            await self._store.journal.mark(self.message_id, {n: "done" if done else "failed"})


def _place(cells: Sequence[Any], after: str | None) -> int:
    ids = [each["id"] for each in cells]
    return ids.index(after) + 1 if after in ids else 0


def _put_back(cells: list[Any], change: Change) -> UndoOutcome:
    """Take a change back, as the row N10 says; without merging."""
    ids = [each["id"] for each in cells]
    beside = change.beside or {}
    if change.action == "delete":
        if change.cell_id in ids:
            return "left"
        at = ids.index(beside["below"]) if beside["below"] in ids else len(cells)
        at = _place(cells, beside["above"]) if beside["above"] in (None, *ids) else at
        cells.insert(at, copy.deepcopy(dict(change.cell or {})))
        return "put_back"
    if change.cell_id not in ids:
        return "left"
    its = cells[ids.index(change.cell_id)]
    if change.action == "move":
        if not {beside["above"], beside["below"]} <= {None, *ids}:
            return "left"
        cells.remove(its)
        cells.insert(_place(cells, beside["above"]), its)
        return "put_back"
    if its["source"] != change.after:
        return "left"
    if change.action == "insert":
        cells.remove(its)
    else:
        its["source"] = change.before
    return "put_back"


def _do_again(cells: list[Any], change: Change) -> None:
    """Do a change again whose taking back left nothing else behind."""
    beside, after = change.beside or {}, change.after
    if change.action == "insert":
        new = cell(str(after), change.cell_id, str(change.cell_type))
        cells.insert(_place(cells, beside["new_above"]), new)
        return
    (its,) = [each for each in cells if each["id"] == change.cell_id]
    if change.action == "replace":
        its["source"] = after
        return
    cells.remove(its)
    if change.action == "move":
        cells.insert(_place(cells, beside["new_above"]), its)


async def _agent(do: Callable[..., Any], page: Page, step: Any, token: str) -> None:
    kind, at, below = step
    ids = page.ids()
    after = "top" if below < 0 or not ids else ids[below % len(ids)]
    if kind == "insert":
        await do("insert_cell", path=A, after=after, cell_type="markdown", source=token)
    elif ids:
        cell_id = ids[at % len(ids)]
        await do("read_notebook", path=A, cell_ids=[cell_id])
        if kind == "replace":
            await do("replace_cell", path=A, cell_id=cell_id, new_source=token)
        elif kind == "part":
            old = page.sources()[cell_id][:3]
            args = {"old_source": old, "new_source": token}
            await do("replace_cell", path=A, cell_id=cell_id, **args)
        elif kind == "move":
            await do("move_cell", path=A, cell_id=cell_id, after=after)
        else:
            await do("delete_cell", path=A, cell_id=cell_id)


def _person(page: Page, step: Any, token: str) -> None:
    kind, at, below = step
    cells = page.notebooks[A]
    if kind == "insert" or not cells:
        cells.insert(max(0, min(below, len(cells))), cell(f"typed {token}"))
    elif kind in {"replace", "part"}:
        its = cells[at % len(cells)]
        its["source"] = f"typed {token}\n{its['source'] if kind == 'part' else ''}"
    else:
        its = cells.pop(at % len(cells))
        if kind == "move":
            cells.insert(max(0, min(below, len(cells))), its)


def _typed(page: Page) -> set[str]:
    words = " ".join(page.sources().values()).replace("\n", " ").split()
    return {each for each in words if each.startswith("person")}


@settings(max_examples=examples(30, 1000), deadline=None)
@given(
    before=st.integers(0, 4),
    steps=st.lists(AGENT | PERSON, max_size=12),
    stopped=st.booleans(),
)
def test_what_the_person_typed_is_never_lost(before, steps, stopped):
    """N10: whatever the agent and the person did in turns, and whether the reply was stopped."""
    asyncio.run(_take_back(before, steps, stopped=stopped))


@settings(max_examples=examples(20, 500), deadline=None)
@given(before=st.integers(0, 4), steps=st.lists(AGENT, max_size=10))
def test_what_only_the_agent_did_is_taken_back_and_done_again(before, steps):
    """N10: cells, outputs, order and ids are as they were, and then as they became."""
    asyncio.run(_take_back(before, steps, stopped=False))


async def _take_back(before: int, steps: Sequence[Any], *, stopped: bool) -> None:
    page = Page(
        a=[cell(f"c{n} = {n}", f"c{n}", outputs=[stream(f"{n}\n")]) for n in range(before)]
    )
    store = await make_store("sqlite://", owner_process="host:1:a")
    await store.open()
    try:
        await _check(page, store, steps, stopped=stopped)
    finally:
        await store.close()


async def _check(page: Page, store: Any, steps: Sequence[Any], *, stopped: bool) -> None:
    chat = Chat(id=str(uuid.uuid4()), owner="me", created_at=WHEN, updated_at=WHEN)
    reply = Message(
        **{"id": str(uuid.uuid4()), "chat_id": chat.id, "role": "assistant", "text": ""},
        **{"text_length": 0, "state": MessageState.GENERATING, "created_at": WHEN},
    )
    await store.begin_turn([reply], chat)
    call = Noting(page, store, reply.id)
    by_name = {each.name: each for each in BuiltInTools(NoFiles())("me")}
    original = copy.deepcopy(page.notebooks[A])

    async def do(name: str, **args: Any) -> None:
        try:
            await call.run(by_name[name], **args)
        except ToolError:
            assert [state for _, state in call.journal] == ["begun"] * len(call.journal)

    for number, (who, *step) in enumerate(steps):
        if who == "agent":
            call.loses = stopped and number == len(steps) - 1
            await _agent(do, page, step, f"agent{number}")
        else:
            _person(page, step, f"person{number}")
    state = MessageState.INTERRUPTED if stopped else MessageState.COMPLETED
    await store.settle(reply.id, Settlement(state))

    async def message(owner: str, message_id: str, role: str) -> Message:
        found: Message = await store.get_message(message_id)
        return found

    undo = Undo(store, Told(), message)
    changes = await undo.changes("me", reply.id)
    assert [each.change for each in changes] == [change for change, _ in call.journal]
    typed, after = _typed(page), copy.deepcopy(page.notebooks[A])
    outcomes = {each.n: _put_back(page.notebooks[A], each.change) for each in reversed(changes)}
    assert _typed(page) >= typed
    told = await undo.note("me", reply.id, outcomes, undone=True)
    put_back = {n for n, outcome in outcomes.items() if outcome != "left"}
    assert bool(told.changes and told.changes.undone) == bool(put_back)
    if any(who == "person" for who, *_ in steps):
        return
    assert page.notebooks[A] == original
    again: list[Noted] = await undo.changes("me", reply.id)
    assert all(each.state == "undone" for each in again)
    for each in again:
        _do_again(page.notebooks[A], each.change)
    assert page.notebooks[A] == after
    told = await undo.note("me", reply.id, outcomes, undone=False)
    assert not (told.changes and told.changes.undone)


class Told:
    """A bus that nobody listens to."""

    def publish(self, chat_id: str, change: Any) -> None:
        assert change.message.changes is not None
