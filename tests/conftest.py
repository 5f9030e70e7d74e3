"""What every test has at hand."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import logging
import os
import shutil
import ssl
import uuid
from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from blockbuster import blockbuster_ctx
from sqlalchemy.ext.asyncio import create_async_engine
from tornado.websocket import WebSocketClientConnection

from jupyter_stop_chat.models import PROVIDERS
from tests import examples
from tests.watchdog import Watchdog

pytest_plugins = ["pytest_jupyter.jupyter_server", "pytester"]

#: What each key that the tests give begins with. None may be in anything that any test puts out.
CANARY_KEY = "sk-canary"
#: Whoever could log one is made to log all that it has.
TALKATIVE = ("jupyter_stop_chat", "httpx", "openai", "anthropic", "langchain")
#: So long a test waits for what must come; it never decides whether a test is right.
PATIENCE = 20.0


#: What is found first here is found nowhere: by pytest, and by the processes that tests start.
LEFT_OUT = Path(__file__).parent / "left_out"

#: No test, and no server that one starts, asks a real provider for its models.
for _provider in PROVIDERS.values():
    for _name in _provider.addresses:
        os.environ[_name] = "http://127.0.0.1:1/v1"

WATCHDOG = Watchdog()
#: Here the server is another process, and the loop is that of a browser's driver or of a kernel.
LOOPS_OF_OTHERS = {"browser", "magics"}

examples.register()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser's tests last: their driver's event loop stays in this thread."""
    items.sort(key=lambda item: "browser" in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def nothing_of_ours_blocks() -> Iterator[None]:
    """Fail what our package calls on an event loop and blocks it.

    Extensions are loaded by Jupyter Server on its loop, before it serves anybody; and httpx2
    imports httpcore2, which asks for its own version, at the first request of all. asyncpg looks
    for its password file when it connects; and its databases are prepared in a thread whose loop
    serves nobody else.
    """
    with blockbuster_ctx("jupyter_stop_chat") as blocking:
        for function in blocking.functions.values():
            for loading in ("link_point", "load_point"):
                function.can_block_in("jupyter_server/extension/manager.py", loading)
            function.can_block_in("httpcore2/__init__.py", "<module>")
            function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")
            function.can_block_in("jupyter_stop_chat/store/sqlite/prepare.py", "_prepare")
            function.can_block_in("jupyter_stop_chat/store/migrations/env.py", "<module>")
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """Share one TLS context among the clients: to read the certificates takes each 20 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(scope="session", autouse=True)
def servers_start_soon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Spare the servers that are processes of their own what takes seconds at each start.

    They find no `rfc3987_syntax`, with which jsonschema builds a grammar; without it, it leaves
    the form of an IRI unchecked, which no schema of a server asks for. And where JupyterLab asks
    Yarn for its settings, which only builds need, it hears of none.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(LEFT_OUT), prepend=os.pathsep)
        if node := shutil.which("node"):
            spared = tmp_path_factory.mktemp("spared") / "node"
            spared.write_text(
                f'#!/bin/sh\ncase "$*" in *" config --json") exit;; esac\nexec {node} "$@"\n'
            )
            spared.chmod(0o755)
            patch.setenv("PATH", str(spared.parent), prepend=os.pathsep)
        yield


def pytest_collection_finish() -> None:
    """Have no collection of garbage look at what the imports and the collected tests made."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def nothing_holds_the_loop() -> Iterator[None]:
    """Watch how long each callback holds its loop; `pytest_runtest_makereport` fails its test."""
    with WATCHDOG.watching():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test whose log or output holds a key, or during which a loop was held."""
    report = yield
    allowed = item.get_closest_marker("may_hold_the_loop") or LOOPS_OF_OTHERS & {*item.path.parts}
    if (held := WATCHDOG.take()) and report.passed and not allowed:
        report.outcome = "failed"
        report.longrepr = "the event loop was held:\n" + "\n".join(held)
    for name, text in report.sections:
        if name.endswith(report.when or "") and CANARY_KEY in text:
            report.outcome = "failed"
            report.longrepr = f"a key is in what {item.nodeid} puts out: {name}"
    return report


@pytest.fixture(autouse=True, scope="session")
def _talkative() -> None:
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG)


class Client:
    """A page: send frames, and wait for those that are meant."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def send(self, frame: dict[str, Any] | str) -> None:
        """Send a frame, or raw text."""
        await self.socket.write_message(frame if isinstance(frame, str) else json.dumps(frame))

    async def read(self) -> dict[str, Any]:
        """Read the next frame."""
        raw = await asyncio.wait_for(self.socket.read_message(), PATIENCE)
        assert raw is not None, f"the socket closed with {self.socket.close_code}"
        frame: dict[str, Any] = json.loads(raw)
        self.frames.append(frame)
        return frame

    async def until(
        self, type_: str, where: Callable[[dict[str, Any]], bool] = lambda frame: True
    ) -> dict[str, Any]:
        """Read on until a frame of that type comes."""
        while True:
            frame = await self.read()
            if frame["type"] == type_ and where(frame):
                return frame

    async def ask(self, body: str = "Tell me a story", **fields: Any) -> dict[str, Any]:
        """Send a prompt and return what `accepted` says."""
        request_id = fields.pop("request_id", str(uuid.uuid4()))
        await self.send(
            {"type": "send", "request_id": request_id, "chat_id": None, "body": body} | fields
        )
        return await self.until("accepted", lambda frame: frame["request_id"] == request_id)

    async def end_of(self, message_id: str) -> dict[str, Any]:
        """Return the terminal message."""
        frame = await self.until(
            "message",
            lambda frame: (
                frame["message"]["id"] == message_id
                and frame["message"]["state"] in {"completed", "interrupted", "failed"}
            ),
        )
        message: dict[str, Any] = frame["message"]
        return message

    def text(self, message_id: str) -> str:
        """Put together what a page would show, and check that every offset fits."""
        shown = ""
        for frame in self.frames:
            of_this = frame["type"] == "delta" and frame["message_id"] == message_id
            if of_this and frame["part"] == "text":
                assert frame["offset"] == _length(shown), "a gap or a doubled character"
                shown += frame["text"]
            for message in _messages(frame, message_id):
                start = message["text_offset"]
                shown = _cut(shown, start) + message["text"]
                shown = _cut(shown, message["text_length"])
        return shown


def _messages(frame: dict[str, Any], message_id: str) -> list[dict[str, Any]]:
    found = frame.get("messages", []) if frame["type"] == "chat" else [frame.get("message")]
    return [each for each in found if isinstance(each, dict) and each["id"] == message_id]


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(text: str, end: int) -> str:
    return text.encode("utf-16-le")[: 2 * end].decode("utf-16-le", "ignore")


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no provider's key in the environment, and no Ollama."""
    for provider in PROVIDERS.values():
        for key in provider.keys:
            monkeypatch.delenv(key, raising=False)
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")


@pytest.fixture
def connect(
    jp_ws_fetch: Callable[..., Awaitable[WebSocketClientConnection]],
) -> Iterator[Callable[[], Awaitable[Client]]]:
    """Connect pages to the server; each has read its `welcome`."""
    clients: list[Client] = []

    async def make() -> Client:
        client = Client(await jp_ws_fetch("api", "stop-chat", "ws"))
        clients.append(client)
        await client.until("welcome")
        return client

    yield make
    for client in clients:
        client.socket.close()


@pytest.fixture(autouse=True)
def _no_keychain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the keychain of whoever runs the tests alone."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.fixture(autouse=True)
def _no_second_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a provider's first answer for its last, except where retries are what is tested."""
    monkeypatch.setattr("jupyter_stop_chat.chat_handlers.langchain.retrying.WAITS", ())


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """Load the extension."""
    return {"ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}}}


@pytest.fixture
def app(jp_serverapp: Any) -> Any:
    """Return the extension's app."""
    return jp_serverapp.extension_manager.extension_points["jupyter_stop_chat"].app


@pytest.fixture
def postgresql(jp_asyncio_loop: asyncio.AbstractEventLoop) -> str:
    """Return the URL of an empty PostgreSQL database, where the environment names one."""
    url = os.environ.get("STOP_CHAT_TEST_POSTGRESQL")
    if not url:
        pytest.skip("STOP_CHAT_TEST_POSTGRESQL names no database")
    jp_asyncio_loop.run_until_complete(_empty(url))
    return url


async def _empty(url: str) -> None:
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.begin() as connection:
        await connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
        await connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
    await engine.dispose()
