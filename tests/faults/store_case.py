"""A store whose database is made to fail, and a whole life on it."""

import asyncio
import subprocess
import sys
import uuid
from contextlib import nullcontext
from pathlib import Path

import pytest

from jupyter_stop_chat.ports.store import Making, Settlement
from jupyter_stop_chat.store import make_store
from jupyter_stop_chat.store.degraded.saving import RETRIES
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState, Receipt
from tests.aids.watching.blocking import nothing_blocks

WHEN = "2026-01-01T00:00:00Z"
DONE = Settlement(MessageState.COMPLETED)
FILL = "fill " * 2000


def a_chat(**more) -> Chat:
    values = {"owner": "me", "created_at": WHEN, "updated_at": WHEN, **more}
    return Chat(id=str(uuid.uuid4()), **values)


def a_message(chat: Chat, role="assistant", text="", **more) -> Message:
    state = "generating" if role == "assistant" else "completed"
    values = {"id": str(uuid.uuid4()), "created_at": WHEN, "state": state, **more}
    return Message(chat_id=chat.id, role=role, text=text, text_length=len(text), **values)


def a_turn(chat: Chat, prompt="Hello?", **more) -> tuple[Message, Message]:
    asked = a_message(chat, "user", prompt)
    return asked, a_message(chat, reply_to=asked.id, **more)


def as_told(chat: Chat, asked: Message, reply: Message, text: str) -> Making:
    """Say what the engine would of a reply that is being made."""
    known = reply.model_copy(update={"text": text, "text_length": len(text)})
    return Making(chat, known.id, asked, lambda: known)


class Pause:
    """What stands in for `asyncio.sleep`: a wait ends when the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self._go: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self._go.get()

    async def end(self) -> float:
        seconds = await self.asked.get()
        self._go.put_nowait(None)
        return seconds


class Case:
    """A store on a file, or on a database server, with its waits in the test's hand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.url = f"sqlite:///{path}"
        self.busy_seconds = 0.05
        self.pause = Pause()
        self.pragmas: dict[str, int] = {}
        self.told: list[bool] = []
        self.recovered: list[Message] = []
        self._stores = []
        self._change = asyncio.Event()

    async def open(self, process="host:1:a", url=None):
        store = await make_store(
            url or self.url,
            owner_process=process,
            busy_seconds=self.busy_seconds,
            pragmas=self.pragmas,
            sleep=self.pause,
        )
        store.on_degraded = self._tell
        self._stores.append(store)
        with self._nothing_blocks():
            await store.open(self.recovered.extend)
        return store

    def _tell(self, degraded: bool) -> None:
        self.told.append(degraded)
        self._change.set()

    async def saved_again(self) -> None:
        """End waits until the store says that all is well; nothing blocks the loop meanwhile."""
        with self._nothing_blocks():
            await self._saved_again()

    async def _saved_again(self) -> None:
        while self.told[-1]:
            self._change.clear()
            await self.pause.end()
            done = [
                asyncio.create_task(self._change.wait()),
                asyncio.create_task(_next(self.pause.asked)),
            ]
            await asyncio.wait(done, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.cancel()
            await asyncio.gather(*done, return_exceptions=True)

    async def close(self) -> None:
        with self._nothing_blocks():
            for store in self._stores:
                await store.close()

    def _nothing_blocks(self):
        """Fail what blocks the loop; a database server's driver looks for files of its own."""
        return nothing_blocks() if self.url.startswith("sqlite") else nullcontext()


async def _next(queue: asyncio.Queue[float]) -> None:
    queue.put_nowait(await queue.get())


@pytest.fixture
def case(tmp_path, jp_asyncio_loop):
    made = Case(tmp_path / "data" / "chats.sqlite3")
    yield made
    jp_asyncio_loop.run_until_complete(made.close())


class Lock:
    """Another process that holds the database's lock."""

    def __init__(self, path: Path, kind: str) -> None:
        script = (
            "import sqlite3, sys\n"
            "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "mode = 'exclusive' if sys.argv[2] == 'all' else 'normal'\n"
            "c.execute('PRAGMA locking_mode=' + mode)\n"
            "c.execute('BEGIN IMMEDIATE')\n"
            "print('held', flush=True)\n"
            "sys.stdin.read()\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", script, str(path), kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout.readline() == b"held\n"

    def release(self) -> None:
        self._process.communicate(timeout=60)


async def live_through(case: Case, store, fail, mend, reason: str) -> None:
    """Go through a failure with every operation, and compare with what is in the file after."""
    old, kept, doomed, fresh = (a_chat(title=name) for name in ("old", "kept", "doomed", "fresh"))
    asked, reply = a_turn(old)
    stopped_asked, stopped = a_turn(kept)
    await store.begin_turn([asked, reply], old)
    await store.begin_turn([stopped_asked, stopped], kept)
    await store.begin_turn(a_turn(doomed), doomed)
    await store.append(reply.id, "before, ")
    await store.append(stopped.id, "partial")
    await store.settle(stopped.id, Settlement(MessageState.INTERRUPTED))
    slow = a_message(kept)
    await store.begin_turn([slow])
    receipt = Receipt(requested_at=WHEN, provider="still_finishing")
    await store.settle(slow.id, Settlement(MessageState.INTERRUPTED, stop=receipt))
    assert case.told == []

    await fail()
    await asyncio.gather(*(store.append(reply.id, f"{n} ") for n in range(3)))
    assert case.told == [True]
    health = store.health()
    assert (health["degraded"], health["reason"]) == (True, reason)
    assert (await store.get_message(reply.id)).text == "before, 0 1 2 "

    new_asked, new_reply = a_turn(fresh, request_id=str(uuid.uuid4()))
    await store.begin_turn([new_asked, new_reply], fresh)
    await store.append(new_reply.id, "new 😀")
    await store.append(new_reply.id, "thought", "reasoning")
    assert await store.set_state(new_reply.id, MessageState.STOPPING)
    assert (await store.get_chat(fresh.id)).state == "generating"
    settled = await store.settle(new_reply.id, Settlement(MessageState.INTERRUPTED, keep=5))
    assert (settled.text, settled.reasoning) == ("new ", "thought")
    assert await store.settle(new_reply.id, DONE) is None
    assert await store.find_request("me", new_reply.request_id) == settled
    assert (await store.reopen(stopped.id)).text == "partial"
    await store.append(stopped.id, " and more")
    receipt = receipt.model_copy(update={"provider": "closed", "provider_ms": 2500.0})
    await store.amend_stop(slow.id, receipt)
    assert (await store.get_message(slow.id)).stop == receipt
    assert await store.set_title(kept.id, "renamed")
    assert await store.delete_chat(doomed.id)
    assert await store.get_chat(doomed.id) is None
    assert await store.get_messages(doomed.id) == []
    follow_up = a_message(old, "user", "And?", reply_to=reply.id)
    await store.begin_turn([follow_up])
    listed = await store.list_chats("me")
    assert [chat.title for chat in listed] == ["old", "renamed", "fresh"]
    assert [chat.title for chat in await store.list_chats("me", before=listed[0].id)] == [
        "renamed",
        "fresh",
    ]
    assert [chat.title for chat in await store.list_chats("me", query="partial")] == ["renamed"]
    thread = await store.get_thread(follow_up.id)
    assert [message.id for message in thread] == [asked.id, reply.id, follow_up.id]
    seen = {chat.id: await store.get_messages(chat.id) for chat in listed}
    assert [len(messages) for messages in seen.values()] == [3, 3, 2]
    assert case.told == [True]

    assert await case.pause.end() == RETRIES[0]
    assert await case.pause.asked.get() == RETRIES[1]
    case.pause.asked.put_nowait(0)
    assert case.told == [True]

    await mend()
    await case.saved_again()
    assert case.told == [True, False]
    health = store.health()
    assert (health["degraded"], health["reason"], health["backlog"]) == (False, None, 0)
    assert {chat.id: await store.get_messages(chat.id) for chat in listed} == seen
    after = await store.list_chats("me")
    assert [chat.title for chat in after] == ["old", "renamed", "fresh"]
    assert await store.get_chat(doomed.id) is None

    await store.append(reply.id, "after")
    assert (await store.settle(reply.id, DONE)).text == "before, 0 1 2 after"
    await store.settle(stopped.id, DONE)
    await case.close()
    again = await case.open("host:2:b")
    assert case.recovered == []
    assert (await again.get_message(reply.id)).text == "before, 0 1 2 after"
    assert (await again.get_message(stopped.id)).text == "partial and more"
    assert (await again.get_message(slow.id)).stop == receipt
    assert await again.get_message(new_reply.id) == settled
