"""What a chat's length and the database's size cost who opens a chat, and who asks in it."""

from __future__ import annotations

import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from bench_long_chats import make

from jupyter_stop_chat.store import open_store
from tests.aids.bare import MOST, bare

from .asked import Asked
from .contenders import Ours, new_mark
from .rows import Row

LENGTHS = (10, 1_000, 10_000)
#: A chat of the large database, and how many there are: a gigabyte.
LARGE_MESSAGES, LARGE_TEXT, LARGE_CHATS = 10, 100_000, 1_000
OWNER = "server"


async def measure(asked: Asked) -> AsyncIterator[Row]:
    """Measure."""
    with tempfile.TemporaryDirectory() as folder:
        async with bare(Path(folder)) as steps:
            for _ in range(5 * asked.rounds):
                await steps.measure()
        step = steps.soon(0) / MOST
    sizes = [("", 0), (", a database of 1 GB", LARGE_CHATS)]
    for size, more in sizes if asked.large else sizes[:1]:
        ours = Ours()
        file = ours.server.data / "stop-chat" / "chats.sqlite"
        chats = await _fill(file, more)
        async with ours:
            opened: dict[int, list[float]] = {length: [] for length in LENGTHS}
            raw: dict[int, list[float]] = {length: [] for length in LENGTHS}
            accepted: dict[int, list[float]] = {length: [] for length in LENGTHS}
            for number in range(asked.rounds + 1):
                for length, chat_id in chats.items():
                    times = (
                        await _open(ours, chat_id, length),
                        _read(file, chat_id),
                        await _accept(ours, chat_id),
                    )
                    if number:  # the first imports what it needs
                        for kept, took in zip((opened, raw, accepted), times, strict=True):
                            kept[length].append(took)
        for length in LENGTHS:
            what = f"a chat of {length:,} messages{size}"
            own, plain = statistics.median(opened[length]), statistics.median(raw[length])
            yield Row(f"open → all frames, {what}", "ms", own, "SQLite and JSON", plain)
        for length in LENGTHS:
            what = f"send → accepted, in a chat of {length:,} messages{size}"
            own = statistics.median(accepted[length])
            yield Row(what, "ms", own, "byte to and fro, commit", step)


async def _fill(file: Path, more: int) -> dict[int, str]:
    """Write the chats; return their ids by their lengths.

    :param more: how many large chats lie beside them.
    """
    file.parent.mkdir(parents=True)
    store = await open_store(f"sqlite:///{file}", owner_process="benchmark:1:a")
    found = {}
    for length in LENGTHS:
        chat, messages = make(length)
        await store.add_chat(chat.model_copy(update={"owner": OWNER}), messages)
        found[length] = chat.id
    for _ in range(more):
        chat, messages = make(LARGE_MESSAGES)
        text = "hello world " * (LARGE_TEXT // 12)
        change = {"text": text, "text_length": len(text)}
        messages = [each.model_copy(update=change) for each in messages]
        await store.add_chat(chat.model_copy(update={"owner": OWNER}), messages)
    await store.close()
    return found


async def _open(ours: Ours, chat_id: str, length: int) -> float:
    began = time.monotonic()
    count = await ours.socket.open(chat_id)
    took = time.monotonic() - began
    assert count >= length, f"{count} of {length} messages"
    return took * 1e3


def _read(file: Path, chat_id: str) -> float:
    """Read the same rows and write them as JSON; return the milliseconds."""
    began = time.monotonic()
    with closing(sqlite3.connect(file)) as database:
        asked = "SELECT * FROM messages WHERE chat_id = ? ORDER BY seq"
        json.dumps(database.execute(asked, (chat_id,)).fetchall())
    return (time.monotonic() - began) * 1e3


async def _accept(ours: Ours, chat_id: str) -> float:
    began = time.monotonic()
    stream = await ours.socket.ask("paced:50", new_mark("ours"), chat_id)
    took = time.monotonic() - began
    await ours.socket.stop(stream)
    return took * 1e3
