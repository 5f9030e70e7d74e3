"""A person, a server and its models do whatever they like, in any order."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from jupyter_stop_chat.engine.turn.thread import turn_messages
from jupyter_stop_chat.ports.handler import Turn
from jupyter_stop_chat.testing import Gate, Raise
from jupyter_stop_chat.wire.client_frames import Reorder, Resume, Unqueue
from jupyter_stop_chat.wire.errors import StopChatError
from jupyter_stop_chat.wire.objects import TERMINAL, Message, MessageState
from jupyter_stop_chat.wire.server_frames import Accepted
from tests.engine.bench import OWNER, Bench, new_id
from tests.engine.stores import MEMORY, copy_template, make_template, open_watched
from tests.examples import examples

FEW = st.integers(0, 4)


class Life(RuleBasedStateMachine):
    """One server: what is accepted is remembered here, and compared at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.gates: list[Gate] = []
        self.accepted: list[Accepted] = []
        self.ended: dict[str, MessageState] = {}
        self.stops: list[asyncio.Task[Any]] = []
        self.down = False

    @initialize(policy=st.sampled_from(["queue", "interrupt", "reject"]))
    def begin(self, policy: str) -> None:
        db_url = self.db_url()

        async def make() -> Bench:
            return Bench(
                self.script,
                policy=policy,
                titles="model",
                stop_deadline=0.02,
                store=await open_watched(db_url),
            )

        self.bench = self.run(make())

    def db_url(self) -> str:
        """Name the database."""
        return MEMORY

    async def messages(self) -> list[Message]:
        """Return all messages."""
        store = self.bench.store
        chats = await store.list_chats(OWNER, limit=1000)
        return [each for chat in chats for each in await store.get_messages(chat.id)]

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def script(self, turn: Turn) -> list[Any]:
        if turn.parameters:
            return ["a title"]
        number = len(self.gates)
        gate = Gate(swallow=-1) if number % 5 == 4 else Gate()
        self.gates.append(gate)
        end = Raise(RuntimeError("failed")) if number % 3 == 2 else "end"
        return ["begin ", gate, end]

    def turns(self, count: int) -> None:
        async def turn() -> None:
            for _ in range(count):
                await asyncio.sleep(0)

        self.run(turn())

    def ask(self, work: Any) -> Accepted | None:
        try:
            accepted = self.run(work)
        except StopChatError:
            return None
        if accepted.message.id not in {each.message.id for each in self.accepted}:
            self.accepted.append(accepted)
        return accepted

    def one(self, number: int) -> Accepted | None:
        """Return one of what was accepted, if anything was.

        No precondition asks for it: what is accepted by when is the real store's matter, and what
        is drawn must not depend on it.
        """
        return self.accepted[number % len(self.accepted)] if self.accepted else None

    # --- what a person does --------------------------------------------------------------------

    @rule(number=FEW, new=st.booleans(), how=st.sampled_from([None, "queue", "interrupt"]))
    def send(self, number: int, new: bool, how: str | None) -> None:
        accepted = None if new else self.one(number)
        chat_id = accepted and accepted.chat_id
        self.ask(self.bench.send(f"p{len(self.accepted)}", chat_id, policy=how))

    @rule(number=FEW, new=st.booleans(), turns=FEW)
    def send_and_do_not_wait(self, number: int, new: bool, turns: int) -> None:
        """Send as a socket does that closes while its prompt is accepted."""
        accepted = None if new else self.one(number)
        chat_id = accepted and accepted.chat_id
        task = self.loop.create_task(self.bench.send("gone", chat_id))
        self.turns(turns)
        task.cancel()
        self.run(asyncio.wait([task]))
        if not task.cancelled():
            task.exception()

    @rule(
        number=FEW,
        by=st.sampled_from(["message_id", "request_id", "chat_id", "all"]),
        discard=st.booleans(),
        shown=st.none() | st.integers(0, 12),
        wait=st.booleans(),
        turns=FEW,
    )
    def stop(
        self, number: int, by: str, discard: bool, shown: int | None, wait: bool, turns: int
    ) -> None:
        accepted = self.one(number)
        if accepted is None:
            return
        where: Any = {
            "message_id": accepted.message.id,
            "request_id": accepted.request_id,
            "chat_id": accepted.chat_id,
            "all": True,
        }[by]
        task = self.loop.create_task(self.bench.stop(**{by: where}, discard=discard, shown=shown))
        self.stops.append(task)
        self.turns(turns)
        if wait:
            self.run(asyncio.wait([task]))

    @rule()
    def stop_what_has_not_come(self) -> None:
        request_id = new_id()
        self.run(self.bench.stop(request_id=request_id))
        accepted = self.ask(self.bench.send("late", request_id=request_id))
        if accepted is not None:
            assert self.run(self.bench.end(accepted)).state is MessageState.INTERRUPTED

    @rule(number=FEW, what=st.sampled_from(["continue", "regenerate", "edit", "unqueue"]))
    def change(self, number: int, what: str) -> None:
        accepted = self.one(number)
        if accepted is None:
            return
        b, message_id = self.bench, accepted.message.id
        if what == "continue":
            self.ended.pop(message_id, None)
            again = self.ask(b.go_on(message_id))
            if again is None:
                self.look()
        elif what == "regenerate":
            self.ask(b.regenerate(message_id))
        elif what == "edit":
            self.ask(b.edit(accepted.user_message.id, "edited"))
        else:
            frame = Unqueue(type="unqueue", message_id=message_id)
            self.ask_nothing(b.engine.unqueue(OWNER, frame))

    @rule(number=FEW, order=st.permutations(range(4)))
    def queue(self, number: int, order: list[int]) -> None:
        accepted = self.one(number)
        if accepted is None:
            return
        chat_id = accepted.chat_id
        lane = self.bench.engine.registry.lane(OWNER, chat_id)
        waiting = [each.id for each in lane.waiting] if lane else []
        ids = [waiting[place] for place in order if place < len(waiting)]
        frame = Reorder(type="reorder", chat_id=chat_id, message_ids=ids)
        self.ask_nothing(self.bench.engine.reorder(OWNER, frame))

    @rule(number=FEW)
    def resume(self, number: int) -> None:
        accepted = self.one(number)
        if accepted is None:
            return
        frame = Resume(type="resume", chat_id=accepted.chat_id)
        self.ask_nothing(self.bench.engine.resume(OWNER, frame))

    def ask_nothing(self, work: Any) -> None:
        with contextlib.suppress(StopChatError):
            self.run(work)

    # --- what happens --------------------------------------------------------------------------

    @rule(number=st.integers(0, 30))
    def a_model_goes_on(self, number: int) -> None:
        if self.gates:
            self.gates[number % len(self.gates)].open()

    @rule(turns=st.integers(1, 30))
    def time_passes(self, turns: int) -> None:
        self.turns(turns)

    @precondition(lambda self: not self.down)
    @rule()
    def the_server_shuts_down(self) -> None:
        self.down = True
        self.run(self.bench.engine.shutdown())
        assert self.bench.engine.registry.empty

    # --- what is always so -----------------------------------------------------------------------

    @invariant()
    def look(self) -> None:
        """Nothing that has ended becomes anything else, and what runs is one a chat."""
        if not hasattr(self, "bench"):
            return
        assert self.bench.heard.problems == []
        for message in self.run(self.messages()):
            message_id = message.id
            if message.role != "assistant":
                continue
            before = self.ended.get(message_id)
            if before is not None and message.state in TERMINAL:
                assert message.state is before
            if message.state in TERMINAL:
                self.ended[message_id] = message.state
        lanes = self.bench.engine.registry.lanes()
        running = [lane.running.chat_id for lane in lanes if lane.running]
        assert len(running) == len(set(running))

    def teardown(self) -> None:
        try:
            if hasattr(self, "bench"):
                self.run(self.end())
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.turns(3)
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()

    async def end(self) -> None:
        b = self.bench
        for _ in range(50):
            for lane in b.engine.registry.lanes():
                if lane.paused:
                    b.engine._queue.resume(OWNER, lane.chat_id)
            await b.stop(all=True)
            for gate in self.gates:
                gate.open()
            for _ in range(20):
                await asyncio.sleep(0)
            if not len(b.engine.registry) and not b.engine.runaway:
                break
        for stop in self.stops:
            for result in await stop:
                assert result.outcome
        await b.check()
        for message in await self.messages():
            thread = await b.store.get_thread(message.id)
            assert len({each.id for each in thread}) == len(thread), "it bites its tail"
            if thread[-1].role == "assistant":
                roles = [each.role for each in turn_messages(thread)]
                assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
            assert thread[-1].state in TERMINAL
        await b.close()
        await b.store.close()


class LifeOnDisk(Life):
    """The same on a file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="life"))

    def db_url(self) -> str:
        return copy_template(_template(), self.folder / "chats.sqlite")

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.folder)


@functools.cache
def _template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="template"))
    atexit.register(shutil.rmtree, folder)
    return make_template(folder / "chats.sqlite")


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=examples(15, 400), stateful_step_count=30)
TestLifeOnDisk = LifeOnDisk.TestCase
TestLifeOnDisk.settings = settings(TestLife.settings, max_examples=examples(4, 100))
