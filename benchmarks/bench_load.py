"""Many replies at once, over real sockets, with everything saved before it is shown.

Run: `python benchmarks/bench_load.py` (about two minutes; `--seconds 10` for a short one). It
prints how long stops took, how old a word was when it came, the memory of the server, and its
processor time a delta beside that of a run whose store saves no text. It fails when a figure is
not met, or when a page sees a gap or a doubled character.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from serving import Reader, Server, percentile

SOCKETS = 5
#: Stops in each second, one after the other; a new reply takes the place of each.
STOPS = 5


async def _run(
    seconds: float, generations: int, rate: int, *, saves: bool = True, stops: bool = True
) -> dict[str, float]:
    chance = random.Random(20_263)
    async with Server(saves=saves) as server:
        readers = [Reader(server) for _ in range(SOCKETS)]
        for reader in readers:
            await reader.connect()
        running: list[tuple[Reader, str, str]] = []
        for number in range(generations):
            reader = readers[number % SOCKETS]
            running.append((reader, *await reader.ask(f"paced:{rate}")))
        await asyncio.sleep(2)
        for reader in readers:
            reader.ages.clear()
        deltas, processor = sum(each.deltas for each in readers), server.processor()
        memory, took = [server.memory()], []
        began = time.perf_counter()
        while time.perf_counter() - began < seconds:
            await asyncio.sleep(1 / STOPS)
            if stops:
                at = chance.randrange(len(running))
                reader, chat_id, message_id = running[at]
                took.append(await reader.stop(message_id))
                running[at] = (reader, *await reader.ask(f"paced:{rate}", chat_id))
            memory.append(server.memory())
        spent = time.perf_counter() - began
        deltas = sum(each.deltas for each in readers) - deltas
        processor = server.processor() - processor
        ages = [age for reader in readers for age in reader.ages]
        if saves:
            for reader, chat_id, message_id in running:
                await reader.stop(message_id)
                shown = reader.page.text(message_id)
                del reader.page.messages[message_id].text[:]
                await reader.open(chat_id)
                assert reader.page.text(message_id) == shown, "kept is not what was shown"
        for reader in readers:
            await reader.close()
    quarter = max(1, len(memory) // 4)
    found = {
        "deltas_per_second": deltas / spent,
        "words_per_second": len(ages) / spent,
        "age_p50_ms": percentile(ages, 0.5) * 1e3,
        "age_p99_ms": percentile(ages, 0.99) * 1e3,
        "cpu_us_per_word": processor / len(ages) * 1e6,
        "memory_mib": memory[-1],
        # Text that is being made is in memory: what it grew by is no leak.
        "growth_mib": max(memory[-quarter:]) - max(memory[:quarter]),
    }
    if took:
        found |= {
            "stops": len(took),
            "stop_p50_ms": percentile(took, 0.5) * 1e3,
            "stop_p99_ms": percentile(took, 0.99) * 1e3,
        }
    return {name: round(value, 2) for name, value in found.items()}


async def main() -> int:
    """Run it with the store and without, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--generations", type=int, default=100)
    parser.add_argument("--rate", type=int, default=50, help="words a second, of each")
    asked = parser.parse_args()
    load = (asked.generations, asked.rate)
    found = await _run(asked.seconds, *load)
    print(json.dumps({"with the store": found}), flush=True)
    short = min(asked.seconds, 20)
    with_store = await _run(short, *load, stops=False)
    without = await _run(short, *load, saves=False, stops=False)
    ratio = with_store["cpu_us_per_word"] / without["cpu_us_per_word"]
    print(json.dumps({"no stops": with_store, "text not saved": without}))
    print(json.dumps({"cost of writing ahead": round(ratio, 2)}))
    ok = found["stop_p99_ms"] <= 50 and found["growth_mib"] <= 20
    print("met" if ok else "NOT MET: a stop's p99 of 50 ms, memory that grows by 20 MiB at most")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
