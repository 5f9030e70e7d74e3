"""How costs grow: bytes on the socket, the length of a reply, of a chat, and of the database."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from .contenders import Ours
from .processes import ProviderProcess
from .rows import Row, median

#: One piece of a reply, and how many come in a second.
PIECE, RATE = "word " * 8, 250
SHORT, LONG = 10_000, 1_000_000
WHEN = "2026-01-01T00:00:00Z"


async def replies(seconds: float) -> list[Row]:
    """Measure what a delta costs at the end of a long reply, and what merged ones weigh."""
    rows = []
    async with ProviderProcess() as provider:
        async with Ours(provider.base_url) as ours:
            await provider.script(tokens=10**9)
            await ours.begin(8)
            await asyncio.sleep(1)
            weight, text = ours.page.bytes, ours.page.text
            await asyncio.sleep(seconds)
            ratio = (ours.page.bytes - weight) / (ours.page.text - text)
            await ours.end()
            rows.append(Row("bytes on the socket to text, merged", "", "", ratio, 1.1))
            print(rows[-1].markdown(), flush=True)
        costs = []
        for length in (SHORT, LONG):
            async with Ours(provider.base_url) as ours:
                # What comes first comes at once, so that the rest is measured at its end.
                first = ["x" * 8000 + " "] * (length // 8000)
                tail = [PIECE] * int(RATE * (seconds + 60))
                await provider.script(tokens=[*first], rate=None, stall_after=len(first) - 1)
                await provider.script(tokens=[*first, *tail], rate=RATE * 4)
                await ours.begin(1)
                while ours.page.text < length:
                    await asyncio.sleep(0.05)
                words, spent = ours.page.count, ours.processor()
                await asyncio.sleep(seconds)
                costs.append((ours.processor() - spent) / (ours.page.count - words) * 8e6)
                await ours.end()
        short, long = costs
        name = f"a delta at {LONG // 1000} kB of text to one at {SHORT // 1000} kB"
        rows.append(Row(name, f"{long:.0f} µs", f"{short:.0f} µs", long / short, 1.2))
        print(rows[-1].markdown(), flush=True)
    return rows


async def chats(lengths: list[int]) -> list[Row]:
    """Measure the opening of a chat, and a prompt in it, by its length."""
    rows: list[Row] = []
    opened, accepted = {}, {}
    async with ProviderProcess() as provider:
        await provider.script(tokens=3)
        async with Ours(provider.base_url) as ours:
            for length in lengths:
                chat_id = await _bring_in(ours, length)
                opened[length] = median([await _open(ours, chat_id) for _ in range(5)])
                accepted[length] = median([await _send(ours, chat_id) for _ in range(5)])
    first = lengths[0]
    for length in lengths[1:]:
        for what, took, most in (("opened", opened, 4.0), ("asked in", accepted, 3.0)):
            name = f"a chat of {length:,} messages {what}, to one of {first}"
            ours_ms, base = f"{took[length]:.1f} ms", f"{took[first]:.1f} ms"
            rows.append(Row(name, ours_ms, base, took[length] / took[first], most))
            print(rows[-1].markdown(), flush=True)
    return rows


async def _bring_in(ours: Ours, length: int) -> str:
    before, messages = None, []
    chat_id = str(uuid.uuid4())
    for number in range(length):
        said: dict[str, Any] = {"id": str(uuid.uuid4()), "chat_id": chat_id, "reply_to": before}
        said |= {"role": "assistant" if number % 2 else "user", "state": "completed"}
        text = f"message {number} " * 20
        said |= {"text": text, "text_length": len(text), "created_at": WHEN}
        messages.append(said)
        before = said["id"]
    address = f"http://127.0.0.1:{ours.port}/api/stop-chat/chats"
    headers = {"Authorization": f"token {ours.token}"}
    body = json.dumps({"chat": {}, "messages": messages})
    request = HTTPRequest(address, "POST", headers, body, request_timeout=120)
    made = json.loads((await AsyncHTTPClient().fetch(request)).body)
    return str(made.get("id") or made["chat"]["id"])


async def _open(ours: Ours, chat_id: str) -> float:
    """Return after how many milliseconds a chat is there."""
    await ours.page.send(type="close", chat_id=chat_id)
    began = time.perf_counter()
    await ours.page.send(type="open", chat_id=chat_id)
    while True:
        frame = await ours.page.others.get()
        if frame["type"] == "chat" and "messages" in frame and frame["chat"]["id"] == chat_id:
            return (time.perf_counter() - began) * 1e3


async def _send(ours: Ours, chat_id: str) -> float:
    """Return after how many milliseconds a prompt is accepted; its reply is waited for."""
    request_id = str(uuid.uuid4())
    accepted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    ours.page.accepted[request_id] = accepted
    began = time.perf_counter()
    frame = {"type": "send", "request_id": request_id, "chat_id": chat_id, "body": "Go"}
    await ours.page.send(**frame, model="openai:loopback")
    key = await accepted
    took = (time.perf_counter() - began) * 1e3
    while True:
        told = await ours.page.others.get()
        message = told.get("message") or {}
        if message.get("id") == key and message["state"] == "completed":
            return took
