"""`kill -9` and a disk that is full for real, in processes of their own."""

import asyncio
import json
import os
import random
import subprocess
import sys

import pytest

from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.wire.objects import MessageState

WRITER = """
import asyncio, os, sys, uuid
from jupyter_stop_chat.wire.objects import Chat, Message
from jupyter_stop_chat.store import open_store

WHEN = "2026-01-01T00:00:00Z"
out = os.fdopen(1, "wb", buffering=0)

async def stream(store, message, part):
    n = 0
    while True:
        await store.append(message.id, f"{part}{n} é😀 ")
        # One write a line, made after the acknowledgement: what is read here was acknowledged.
        out.write(f"{message.id} {n}\\n".encode())
        n += 1

async def main(path, process):
    store = await open_store(f"sqlite:///{path}", owner_process=process)
    chat = Chat(id=str(uuid.uuid4()), owner="me", created_at=WHEN, updated_at=WHEN)
    messages = [
        Message(id=str(uuid.uuid4()), chat_id=chat.id, role="assistant", text="", text_length=0,
                state="generating", created_at=WHEN)
        for _ in range(4)
    ]
    await store.begin_turn(messages, chat)
    await asyncio.gather(*(stream(store, message, f"s{n}:") for n, message in enumerate(messages)))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path):
    """B3: at least what was shown is there, nothing is torn, and no message stays "generating"."""
    path = tmp_path / "chats.sqlite3"
    chance = random.Random(9)
    for life in range(3):
        acknowledged = await asyncio.to_thread(
            _run_and_kill, path, f"host:{life}:k", chance.randrange(20, 400)
        )
        told = []
        store = await open_store(
            f"sqlite:///{path}", owner_process="host:0:reader", on_recovered=told.extend
        )
        assert len(told) == 4
        for stream, message in enumerate(told):
            count = acknowledged.get(message.id, -1) + 1
            parts = message.text.split(" ")
            pieces = [f"s{stream}:{n} é😀 " for n in range(len(parts) // 2)]
            assert message.text == "".join(pieces)
            assert len(pieces) >= count
            assert message.state == MessageState.INTERRUPTED
            assert message.stop.reason == "server_restart"
            assert await store.get_message(message.id) == message
        assert sum(acknowledged.values()) > 0
        await store.close()


def _run_and_kill(path, process: str, lines: int) -> dict[str, int]:
    """Kill the writer somewhere after so many acknowledgements, and return the last of each."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), process], stdout=subprocess.PIPE
    )
    read = [child.stdout.readline() for _ in range(lines)]
    child.kill()
    read += child.stdout.readlines()
    child.wait(60)
    child.stdout.close()
    acknowledged = {}
    for line in read:
        if line.endswith(b"\n"):
            message_id, n = line.decode().split()
            acknowledged[message_id] = int(n)
    return acknowledged


FULL = """
import asyncio, json, os, resource, signal, sys, uuid
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState
from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.ports.store import Settlement

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
WHEN = "2026-01-01T00:00:00Z"
told, waits = [], asyncio.Queue()

async def pause(seconds):
    # The retry waits until the limit is lifted.
    await waits.get()

async def main(path):
    again = asyncio.Event()
    def tell(degraded):
        told.append(degraded)
        if not degraded:
            again.set()
    store = await open_store(
        f"sqlite:///{path}", owner_process="host:1:a", on_degraded=tell, sleep=pause
    )
    chat = Chat(id=str(uuid.uuid4()), owner="me", created_at=WHEN, updated_at=WHEN)
    message = Message(id=str(uuid.uuid4()), chat_id=chat.id, role="assistant", text="",
                      text_length=0, state="generating", created_at=WHEN)
    await store.begin_turn([message], chat)
    # No file may grow any more, as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))
    for n in range(300):
        await store.append(message.id, f"{n} " + "x" * 1000)
    reason = store.health()["reason"]
    during = (await store.get_message(message.id)).text_length
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    waits.put_nowait(None)
    await again.wait()
    await store.append(message.id, "end")
    await store.settle(message.id, Settlement(MessageState.COMPLETED))
    await store.close()
    print(json.dumps([told, reason, during, message.id]))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.skipif(os.name != "posix", reason="needs RLIMIT_FSIZE")
async def test_a_file_that_cannot_grow(tmp_path):
    """B3: the reply goes on in memory, and is whole in the file once there is room again."""
    path = tmp_path / "chats.sqlite3"
    child = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    told, reason, during, message_id = json.loads(child.stdout)
    expected = "".join(f"{n} " + "x" * 1000 for n in range(300))
    assert told == [True, False]
    assert reason in {"disk_full", "io_error"}
    assert during == len(expected)
    store = await open_store(f"sqlite:///{path}", owner_process="host:2:b")
    message = await store.get_message(message_id)
    assert (message.text, message.state) == (expected + "end", MessageState.COMPLETED)
    await store.close()
