"""What the tests of real servers do with them: connect a page, ask a route, and leave."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from contextlib import closing
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

from tests.browser.lab import Lab
from tests.conftest import Client


async def connect(lab: Lab) -> Client:
    """Connect a page."""
    url = f"ws://127.0.0.1:{lab.port}/api/stop-chat/ws"
    headers = {"Authorization": f"token {lab.token}"}
    page = Client(await websocket_connect(HTTPRequest(url, headers=headers)))
    await page.until("welcome")
    return page


async def leave(*pages: Client) -> None:
    """Close pages, and read what was still on its way to them."""
    for page in pages:
        await page.close()


def ask(lab: Lab, method: str, path: str, body: Any = None) -> asyncio.Future[HTTPResponse]:
    """Ask a route of the server's API for its answer, whatever that is."""
    address = f"http://127.0.0.1:{lab.port}/api/{path}"
    headers = {"Authorization": f"token {lab.token}"}
    content = json.dumps(body or {}) if method in {"POST", "PATCH"} else None
    request = HTTPRequest(address, method, headers, content, request_timeout=120)
    return asyncio.ensure_future(AsyncHTTPClient().fetch(request, raise_error=False))


async def told(lab: Lab, method: str, path: str) -> Any:
    """Return what a route of the chat's API answers, from its JSON."""
    answer = await ask(lab, method, f"stop-chat/{path}")
    assert answer.code < 300, answer.body
    return json.loads(answer.body or "null")


def halt(lab: Lab, *statements: str) -> None:
    """Halt a server, where it holds no lock of the database, and change that meanwhile."""
    assert lab.process is not None
    with closing(sqlite3.connect(lab.data / "stop-chat" / "chats.sqlite", timeout=0)) as database:
        while True:
            lab.process.send_signal(signal.SIGSTOP)
            os.waitpid(lab.process.pid, os.WUNTRACED)
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                lab.process.send_signal(signal.SIGCONT)
                continue
            for statement in statements:
                database.execute(statement)
            database.commit()
            return
