"""One socket that sends thousands of frames a second, beside sockets that only chat.

Run: `python benchmarks/bench_flood.py` (about a minute). The flood comes from a process of its own
and is, in turn, of junk, of `open`s and of stops of what does not exist, and of pings; it reads
what it is answered. Printed are how old a word was when it came to the others and how long their
stops took, beside the same without a flood; how many frames a second the server took; and how long
a stop took that was sent in the midst of the flood, on its own socket.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import sys
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from serving import Reader, Server, percentile

OTHERS = 5
RATE = 50
#: The flood comes in waves this far apart, in seconds.
WAVE = 0.01
KINDS = ("junk", "open", "stop", "ping")


# --- the flood's process ----------------------------------------------------------------------


def _frame(text: str, opcode: int = 0x1) -> bytes:
    """Return a client's frame; its mask is nought, so that it costs nothing to make."""
    data = text.encode()
    assert len(data) < 65536
    length = (
        struct.pack("!B", 0x80 | len(data))
        if len(data) < 126
        else struct.pack("!BH", 0x80 | 126, len(data))
    )
    return bytes([0x80 | opcode]) + length + bytes(4) + data


def _one(kind: str) -> bytes:
    nothing = str(uuid.uuid4())
    match kind:
        case "junk":
            return _frame("junk")
        case "open":
            return _frame(json.dumps({"type": "open", "chat_id": nothing}))
        case "stop":
            return _frame(json.dumps({"type": "stop", "message_id": nothing}))
        case _:
            return _frame("", 0x9)


class Flood:
    """What sends frames on a raw socket, and read what comes."""

    def __init__(self, port: int, token: str) -> None:
        self._address = ("127.0.0.1", port)
        self._token = token
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._heard = b""
        self._news = asyncio.Event()
        self.closed = False

    async def connect(self) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /api/stop-chat/ws?token={self._token} HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{self._address[1]}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await loop.sock_sendall(self._socket, request.encode())
        head = await loop.sock_recv(self._socket, 65536)
        assert b" 101 " in head

    async def send(self, data: bytes) -> None:
        """Send; waits where the server does not read on."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._socket, data)
        except OSError:
            self.closed = True

    async def read(self) -> None:
        """Read to the end, and keep the last of it."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while data := await loop.sock_recv(self._socket, 1 << 20):
                self._heard = (self._heard + data)[-(1 << 20) :]
                self._news.set()
        self.closed = True
        self._news.set()

    async def stop(self) -> float:
        """Send a stop in the midst of the flood; return the seconds until its answer."""
        mark = str(uuid.uuid4())
        began = time.perf_counter()
        await self.send(_frame(json.dumps({"type": "stop", "message_id": mark})))
        while mark.encode() not in self._heard and not self.closed:
            self._news.clear()
            await self._news.wait()
        return time.perf_counter() - began


async def _flood(port: int, token: str, kind: str, rate: int, seconds: float) -> None:
    flood = Flood(port, token)
    await flood.connect()
    reading = asyncio.create_task(flood.read())
    print("on", flush=True)
    wave = _one(kind) * int(rate * WAVE)
    began, sent, stops = time.perf_counter(), 0, []
    stopping: asyncio.Task[float] | None = None
    while (now := time.perf_counter() - began) < seconds and not flood.closed:
        if stopping is None or stopping.done():
            if stopping is not None:
                stops.append(stopping.result())
            stopping = asyncio.create_task(flood.stop())
            await asyncio.sleep(0)
        await flood.send(wave)
        sent += int(rate * WAVE)
        await asyncio.sleep(max(0.0, (sent / rate) - now))
    spent = time.perf_counter() - began
    print(json.dumps({"sent": sent / spent, "stops": stops, "closed": flood.closed}), flush=True)
    reading.cancel()


# --- the others -------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _flooded(
    server: Server, kind: str | None, rate: int, seconds: float
) -> AsyncIterator[dict[str, Any]]:
    """Let a flood come for so long; what it found is there at the end."""
    found: dict[str, Any] = {}
    if kind is None:
        yield found
        return
    asked = ["--kind", kind, "--port", str(server.port), "--token", server.token]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, *asked, "--rate", str(rate), "--seconds", str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    yield found
    found.update(json.loads((await process.communicate())[0]))


async def _run(kind: str | None, rate: int, seconds: float) -> dict[str, Any]:
    async with Server() as server:
        others = [Reader(server) for _ in range(OTHERS)]
        for other in others:
            await other.connect()
            await other.ask(f"paced:{RATE}")
        stopper = Reader(server)
        await stopper.connect()
        await stopper.stop((await stopper.ask(f"paced:{RATE}"))[1])
        await asyncio.sleep(1)
        took = []
        async with _flooded(server, kind, rate, seconds + 2) as found:
            await asyncio.sleep(0.5)
            for other in others:
                other.ages.clear()
            processor, began = server.processor(), time.perf_counter()
            while time.perf_counter() - began < seconds:
                _, message_id = await stopper.ask(f"paced:{RATE}")
                await asyncio.sleep(0.1)
                took.append(await stopper.stop(message_id))
            busy = (server.processor() - processor) / (time.perf_counter() - began)
            ages = [age for other in others for age in other.ages]
        told = {
            "kind": kind or "quiet",
            "age_p50_ms": percentile(ages, 0.5) * 1e3,
            "age_p99_ms": percentile(ages, 0.99) * 1e3,
            "stop_p50_ms": percentile(took, 0.5) * 1e3,
            "stop_max_ms": max(took) * 1e3,
            "processor": busy,
        }
        if found:
            told["frames_per_second"] = found["sent"]
            told["own_stop_ms"] = max(found["stops"], default=float("inf")) * 1e3
            told["closed"] = found["closed"]
        for each in (stopper, *others):
            await each.send("stop", all=True)
            await each.close()
    return {key: round(each, 2) if isinstance(each, float) else each for key, each in told.items()}


async def main() -> int:
    """Run it without a flood, and with each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rate", type=int, default=10_000, help="frames a second")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--token", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.kind:
        await _flood(asked.port, asked.token, asked.kind, asked.rate, asked.seconds)
        return 0
    quiet = await _run(None, asked.rate, asked.seconds)
    print(json.dumps(quiet), flush=True)
    met = True
    for kind in (asked.only,) if asked.only else KINDS:
        found = await _run(kind, asked.rate, asked.seconds)
        found["times_quiet"] = round(found["age_p99_ms"] / quiet["age_p99_ms"], 2)
        print(json.dumps(found), flush=True)
        met = met and found["age_p99_ms"] <= 50 and found["stop_max_ms"] <= 100
        met = met and not found["closed"]
    print("met" if met else "NOT MET: the others' p99 of 50 ms, their stops within 100 ms")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
