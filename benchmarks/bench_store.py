"""What writing ahead costs: streams that append, beside the same run without any store.

Run: `python benchmarks/bench_store.py` (about half a minute). It prints, for each load, the time
from `append` to its commit, and the processor time of the whole run as a ratio to the run whose
store returns at once. The ratio is what to compare between machines and versions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import uuid
from pathlib import Path

from jupyter_stop_chat.ports.store import Settlement
from jupyter_stop_chat.store import open_store
from jupyter_stop_chat.wire.objects import Chat, Message, MessageState

WHEN = "2026-01-01T00:00:00Z"
PIECE = "token "


class Nothing:
    """The store that the cost is measured against."""

    async def append(self, message_id: str, text: str) -> None:
        """Return at once, but let others run, as any wait does."""
        await asyncio.sleep(0)


async def _stream(store, message_id: str, pieces: int, per_second: float, waits: list) -> None:
    begun = time.perf_counter()
    for n in range(pieces):
        if per_second:
            await asyncio.sleep(max(0.0, begun + n / per_second - time.perf_counter()))
        asked = time.perf_counter()
        await store.append(message_id, PIECE)
        waits.append(time.perf_counter() - asked)


async def _load(store, ids: list[str], pieces: int, per_second: float) -> dict[str, float]:
    waits: list[float] = []
    processor, begun = time.process_time(), time.perf_counter()
    await asyncio.gather(*(_stream(store, each, pieces, per_second, waits) for each in ids))
    seconds, used = time.perf_counter() - begun, time.process_time() - processor
    waits.sort()
    return {
        "p50_ms": waits[len(waits) // 2] * 1e3,
        "p99_ms": waits[int(len(waits) * 0.99)] * 1e3,
        "per_second": len(waits) / seconds,
        "cpu_us_per_append": used / len(waits) * 1e6,
    }


async def _run(folder: Path, streams: int, pieces: int, per_second: float) -> dict[str, float]:
    store = await open_store(
        f"sqlite:///{folder / f'{uuid.uuid4()}.sqlite3'}", owner_process="bench:1:a"
    )
    chat = Chat(id=str(uuid.uuid4()), owner="me", created_at=WHEN, updated_at=WHEN)
    messages = [
        Message(
            id=str(uuid.uuid4()),
            chat_id=chat.id,
            role="assistant",
            text="",
            text_length=0,
            state=MessageState.GENERATING,
            created_at=WHEN,
        )
        for _ in range(streams)
    ]
    await store.begin_turn(messages, chat)
    ids = [message.id for message in messages]
    nothing = await _load(Nothing(), ids, pieces, per_second)
    found = await _load(store, ids, pieces, per_second)
    for message in messages:
        settled = await store.settle(message.id, Settlement(MessageState.COMPLETED))
        assert settled is not None
        assert settled.text == PIECE * pieces
    await store.close()
    found["cpu_ratio"] = found["cpu_us_per_append"] / nothing["cpu_us_per_append"]
    return found


def main() -> None:
    """Run every load and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--seconds", type=float, default=5.0, help="the length of each paced run")
    options = parser.parse_args()
    loads = [
        ("1 stream, 50/s", 1, 50.0),
        ("64 streams, 50/s", 64, 50.0),
        ("64 streams, as fast as they can", 64, 0.0),
    ]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, streams, per_second in loads:
            pieces = int(options.seconds * per_second) if per_second else 1000
            results[name] = asyncio.run(_run(Path(folder), streams, pieces, per_second))
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for name, found in results.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in found.items()))


if __name__ == "__main__":
    main()
