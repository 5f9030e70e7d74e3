"""What a long chat costs the others, beside the same done in one go.

Run: `python benchmarks/bench_long_chats.py [messages]` (about half a minute). A chat is brought
in, read, and its newest reply found; printed are how long each took and how long the event loop
was held by it, and both as ratios to a raw baseline in the same run: the same rows written in one
transaction, and read and validated in one step.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState

WHEN = "2026-01-01T00:00:00Z"


async def measured(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return how many seconds some work took, and the longest that it held the loop."""
    began = last = time.perf_counter()
    longest = 0.0
    done = asyncio.ensure_future(work())
    while not done.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    await done
    return time.perf_counter() - began, longest


def make(length: int) -> tuple[Chat, list[Message]]:
    """Make a chat."""
    chat = Chat(id=str(uuid.uuid4()), owner="me", created_at=WHEN, updated_at=WHEN)
    messages: list[Message] = []
    for at in range(length):
        text = "hello world " * 40
        messages.append(
            Message(
                id=str(uuid.uuid4()),
                chat_id=chat.id,
                role="assistant" if at % 2 else "user",
                text=text,
                text_length=len(text),
                state=MessageState.COMPLETED,
                created_at=WHEN,
                reply_to=messages[-1].id if messages else None,
            )
        )
    return chat, messages


async def main(length: int) -> None:
    """Print the table."""
    chat, messages = make(length)
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"sqlite:///{folder}/chats.sqlite3", owner_process="host:1:a")
        rows = [message.model_dump(mode="json") for message in messages]

        async def write_raw() -> None:
            connection = sqlite3.connect(Path(folder) / "raw.sqlite3")
            connection.execute("CREATE TABLE messages (id TEXT PRIMARY KEY, text TEXT)")
            with connection:
                given = [(row["id"], row["text"]) for row in rows]
                connection.executemany("INSERT INTO messages VALUES (?, ?)", given)
            connection.close()

        async def read_raw() -> None:
            [Message.model_validate(row) for row in rows]

        async def newest_raw() -> None:
            followed = {message.reply_to for message in messages}
            [message.id for message in messages if message.id not in followed]

        table: list[tuple[str, Callable[[], Awaitable[Any]], Callable[[], Awaitable[Any]]]] = [
            ("bring in", lambda: store.add_chat(chat, messages), write_raw),
            ("read", lambda: store.get_messages(chat.id), read_raw),
            ("thread", lambda: store.get_thread(messages[-1].id), read_raw),
            ("newest reply", lambda: store.newest_reply(chat.id), newest_raw),
        ]
        print(f"{length} messages: ms, ms held, and both as ratios to the raw baseline")
        for name, work, raw in table:
            took, held = await measured(work)
            raw_took, raw_held = await measured(raw)
            print(
                f"{name:14}{took * 1000:9.1f}{held * 1000:9.1f}"
                f"{took / raw_took:9.2f}{held / raw_held:9.2f}"
            )
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
