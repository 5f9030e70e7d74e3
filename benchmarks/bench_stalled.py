"""Twenty readers that stop reading while ten megabytes are made, beside readers that read.

Run: `python benchmarks/bench_stalled.py` (about a minute and a half). It prints how much more
memory the server took than in the same run without them, and how old a word was when it came to
the other readers. Each that stalled is closed with 1013, comes back, and must have everything.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from serving import Reader, Server, flood, percentile

OTHERS = 5
RATE = 50


class Stalled:
    """What opens a chat on a raw socket, and read no further than the first frames."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket = socket.socket()
        # As little as the system allows: what it buffers is not what is measured.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)

    async def follow(self, chat_id: str) -> None:
        """Connect and follow a chat."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, ("127.0.0.1", self._server.port))
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /api/stop-chat/ws?token={self._server.token} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self._server.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await loop.sock_sendall(self._socket, request.encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += await loop.sock_recv(self._socket, 1)
        assert b" 101 " in head
        frame = json.dumps({"type": "open", "chat_id": chat_id}).encode()
        masked = struct.pack("!BBH", 0x81, 0x80 | 126, len(frame)) + bytes(4) + frame
        await loop.sock_sendall(self._socket, masked)

    async def close_code(self) -> int | None:
        """Read all that is left, and return the code that the socket was closed with."""
        loop = asyncio.get_running_loop()
        end = b""
        while data := await loop.sock_recv(self._socket, 65536):
            end = (end + data)[-200:]
        self._socket.close()
        at = end.rfind(b"The client does not read.")
        return int.from_bytes(end[at - 2 : at], "big") if at > 1 else None


async def _run(server: Server, stalled: int, megabytes: float) -> dict[str, float]:
    others = [Reader(server) for _ in range(OTHERS)]
    for other in others:
        await other.connect()
        await other.ask(f"paced:{RATE}")
    watcher = Reader(server)
    await watcher.connect()
    before = peak = server.memory()
    chat_id, message_id = await watcher.ask(f"flood:{megabytes}")
    readers = [Stalled(server) for _ in range(stalled)]
    for reader in readers:
        await reader.follow(chat_id)
    for other in others:
        other.ages.clear()
    waited = 0
    # Until it is all made, and whoever stalled has been given up.
    while not watcher.page.messages[message_id].ended or waited < 85:
        await asyncio.sleep(0.25)
        waited += 1
        peak = max(peak, server.memory())
    ages = [age for other in others for age in other.ages]
    said = flood(megabytes)
    assert watcher.page.text(message_id) == said
    codes = [await reader.close_code() for reader in readers]
    for _ in readers:
        again = Reader(server)
        await again.connect()
        await again.open(chat_id)
        assert again.page.text(message_id) == said, "not whole"
        await again.close()
    for each in (watcher, *others):
        await each.send("stop", all=True)
        await each.close()
    return {
        "stalled": stalled,
        "closed_with_1013": codes.count(1013),
        "memory_mib": peak - before,
        "others_p50_ms": percentile(ages, 0.5) * 1e3,
        "others_p99_ms": percentile(ages, 0.99) * 1e3,
    }


async def main() -> int:
    """Run it without readers that stall, and with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stalled", type=int, default=20)
    parser.add_argument("--megabytes", type=float, default=10)
    asked = parser.parse_args()
    found = []
    for stalled in (0, asked.stalled):
        async with Server() as server:
            warm = Reader(server)  # the first reply imports what is needed
            await warm.connect()
            _, message_id = await warm.ask("flood:0.1")
            while not warm.page.messages[message_id].ended:  # noqa: ASYNC110 - not measured
                await asyncio.sleep(0.05)
            await warm.close()
            found.append(await _run(server, stalled, asked.megabytes))
            print(json.dumps({key: round(each, 2) for key, each in found[-1].items()}), flush=True)
    more = found[1]["memory_mib"] - found[0]["memory_mib"]
    print(json.dumps({"more_memory_mib": round(more, 2)}))
    ok = (
        more <= 20
        and found[1]["others_p99_ms"] <= 50
        and found[1]["closed_with_1013"] == asked.stalled
    )
    print("met" if ok else "NOT MET: 20 MiB more at most, p99 of 50 ms, each closed with 1013")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
