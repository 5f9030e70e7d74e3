"""What every test has at hand."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import logging
import os
import shutil
import uuid
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from jupyter_core.paths import jupyter_path
from jupyter_server.serverapp import ServerApp
from tornado.websocket import WebSocketClientConnection

from jupyter_stop_chat.models import PROVIDERS
from tests import examples
from tests.aids.left_open import let_go
from tests.aids.missing import missing
from tests.aids.ports import http_server_port
from tests.aids.postgresql_server import PostgresqlServer, find_binaries
from tests.aids.sockets import end, stream_of
from tests.aids.watching.again_alone import HeldLoops, pytest_addoption
from tests.aids.watching.blocking import nothing_blocks
from tests.aids.watching.bounded import bounded, seconds
from tests.aids.watching.watchdog import Watchdog

pytest_plugins = [
    "pytest_jupyter.jupyter_server",
    "pytester",
    "tests.aids.redis_server",
    "tests.aids.once",
    "tests.aids.watching.in_short",
]

__all__ = ["http_server_port", "pytest_addoption"]

#: What each key that the tests give begins with. None may be in anything that any test puts out.
CANARY_KEY = "sk-canary"
#: Whoever could log one is made to log all that it has.
TALKATIVE = ("jupyter_stop_chat", "httpx", "openai", "anthropic", "langchain")
#: So long a test waits for what must come; it never decides whether a test is right.
PATIENCE = 60.0

#: What is found first here is found nowhere: by pytest, and by the processes that tests start.
LEFT_OUT = Path(__file__).parent / "left_out"

#: No test, and no server that one starts, asks a real provider for its models.
for _provider in PROVIDERS.values():
    for _name in _provider.addresses:
        os.environ[_name] = "http://127.0.0.1:1/v1"

WATCHDOG = Watchdog()

examples.register()
#: No garbage is collected while all is imported, and later less often than Python does: a tenth of
#: what the tests computed was that. What a test leaves is looked for by a collection of its own.
gc.disable()
COLLECTED_AFTER = (20_000, 50, 100)


def pytest_configure(config: pytest.Config) -> None:
    """Look behind each test whether it held an event loop."""
    config.pluginmanager.register(HeldLoops(WATCHDOG, config.getoption("held_to")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser's tests last: their driver's event loop stays in this thread."""
    items.sort(key=lambda item: "browser" in item.path.parts)


@pytest.fixture(scope="session", autouse=True)
def nothing_of_ours_blocks() -> Iterator[None]:
    """Fail what our package calls on an event loop and blocks it, but where it may.

    Extensions are loaded by Jupyter Server on its loop, before it serves anybody; and httpx2
    imports httpcore2, which asks for its own version, at the first request of all. asyncpg looks
    for its password file when it connects; and its databases are prepared in a thread whose loop
    serves nobody else.
    Jupyter Server's contents manager looks at files on its loop, and signs notebooks there, for
    its own page as for us. It starts and ends kernels there likewise,
    and its list of sessions is a database.
    """
    asked = ("list", "create", "update", "delete")
    allowed = [
        ("jupyter_server/extension/manager.py", {"link_point", "load_point"}),
        ("httpcore2/__init__.py", {"<module>"}),
        ("asyncpg/connect_utils.py", {"_parse_connect_dsn_and_args"}),
        ("jupyter_stop_chat/store/sqlite/prepare.py", {"make_ready"}),
        (
            "jupyter_server/services/contents/filemanager.py",
            {"get", "is_hidden", "_file_model", "_base_model", "save"},
        ),
        ("jupyter_stop_chat/store/migrations/env.py", {"<module>"}),
        (
            "jupyter_server/services/sessions/sessionmanager.py",
            {f"{each}_session{s}" for each in asked for s in ("", "s")},
        ),
        (
            "jupyter_client/manager.py",
            {f"_async_{each}_kernel" for each in ("start", "restart", "shutdown")},
        ),
    ]
    with nothing_blocks("jupyter_stop_chat", allowed):
        yield


@pytest.fixture(scope="session", autouse=True)
def servers_start_soon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Spare the servers that are processes of their own what takes seconds at each start.

    They find no `rfc3987_syntax`, with which jsonschema builds a grammar; without it, it leaves
    the form of an IRI unchecked, which no schema of a server asks for. They collect garbage as
    seldom as the tests do. And where JupyterLab asks Yarn for its settings, which only builds
    need, it hears of none.
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


@pytest.fixture(scope="session", autouse=True)
def kernels_keep_their_history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have each kernel keep its history in memory.

    All kernels of whoever runs the tests share a file else; one that finds it locked says so in
    the middle of a cell.
    """
    folder = tmp_path_factory.mktemp("ipython")
    config = folder / "profile_default" / "ipython_kernel_config.py"
    config.parent.mkdir()
    config.write_text('c = get_config()\nc.HistoryManager.hist_file = ":memory:"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(folder))
        yield


def pytest_collection_finish() -> None:
    """Have no collection of garbage look at what the imports and the collected tests made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, object, object]:
    """Collect garbage behind the last test of a folder.

    What one left open is told of as the first test of the next folder begins, and not in whichever
    test is run as Python next collects what is old.
    """
    try:
        return (yield)
    finally:
        if nextitem is not None and nextitem.path.parent != item.path.parent:
            gc.collect()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Have no test wait for ever on an event loop."""
    if inspect.iscoroutinefunction(pyfuncitem.obj):
        pyfuncitem.obj = bounded(pyfuncitem.obj, seconds(pyfuncitem))
    return (yield)


@pytest.fixture(scope="session", autouse=True)
def nothing_holds_the_loop() -> Iterator[None]:
    """Watch how long each callback holds its loop; `HeldLoops` fails its test."""
    with WATCHDOG.watching():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test whose log or output holds a key."""
    report = yield
    for name, text in report.sections:
        if name.endswith(report.when or "") and CANARY_KEY in text:
            report.outcome = "failed"
            report.longrepr = f"a key is in what {item.nodeid} puts out: {name}"
    return report


@pytest.fixture(autouse=True)
def jp_server_cleanup(jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Clean a server up as pytest-jupyter does, which first makes one where a test has none."""
    yield
    if ServerApp.initialized():
        app = ServerApp.instance()
        with suppress(RuntimeError, SystemExit):
            jp_asyncio_loop.run_until_complete(app._cleanup())
        let_go(app)
        ServerApp.clear_instance()


@pytest.fixture(autouse=True, scope="session")
def _talkative() -> None:
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.DEBUG)


class Client:
    """A page: send frames, and wait for those that are meant."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self._stream = stream_of(socket)
        self.frames: list[dict[str, Any]] = []

    async def close(self) -> None:
        """Close the connection, and wait for its end."""
        await end(self.socket, self._stream)

    async def send(self, frame: dict[str, Any] | str) -> None:
        """Send a frame, or raw text."""
        await self.socket.write_message(frame if isinstance(frame, str) else json.dumps(frame))

    async def read(self) -> dict[str, Any]:
        """Read the next frame."""
        coming = self.socket.read_message()
        if coming.done():
            await asyncio.sleep(0)  # others go on between two of the thousands that may lie there
        raw = await asyncio.wait_for(coming, PATIENCE)
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
        """Return the terminal message, which may have come already."""
        told = (each for frame in reversed(self.frames) for each in _messages(frame, message_id))
        message = next(told, None)
        while message is None or message["state"] not in {"completed", "interrupted", "failed"}:
            frame = await self.until("message", lambda each: each["message"]["id"] == message_id)
            message = frame["message"]
        return message

    def text(self, message_id: str) -> str:
        """Put together what a page would show, and check that every offset fits."""
        shown, length = "", 0
        for frame in self.frames:
            of_this = frame["type"] == "delta" and frame["message_id"] == message_id
            if of_this and frame["part"] == "text":
                assert frame["offset"] == length, "a gap or a doubled character"
                shown += frame["text"]
                length += _length(frame["text"])
            for message in _messages(frame, message_id):
                start = message["text_offset"]
                shown = _cut(shown, start) + message["text"]
                shown = _cut(shown, message["text_length"])
                length = _length(shown)
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
    jp_asyncio_loop: asyncio.AbstractEventLoop,
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
        jp_asyncio_loop.run_until_complete(client.close())


@pytest.fixture(autouse=True, scope="session")
def _no_keychain() -> Iterator[None]:
    """Leave the keychain of whoever runs the tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_second_request() -> Iterator[None]:
    """Take a provider's first answer for its last, except where retries are what is tested."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jupyter_stop_chat.chat_handlers.langchain.retrying.WAITS", ())
        yield


@pytest.fixture
def jp_nbconvert_templates(jp_data_dir: Path) -> None:
    """Have nbconvert's templates where pytest-jupyter copies them to, for each server anew."""
    for folder in jupyter_path("nbconvert", "templates"):
        if Path(folder).exists():
            (jp_data_dir / "nbconvert").mkdir(parents=True)
            (jp_data_dir / "nbconvert" / "templates").symlink_to(folder)
            return


@pytest.fixture
def jp_server_config() -> dict[str, Any]:
    """Load the extension."""
    return {"ServerApp": {"jpserver_extensions": {"jupyter_stop_chat": True}}}


@pytest.fixture
def app(jp_serverapp: Any) -> Any:
    """Return the extension's app."""
    return jp_serverapp.extension_manager.extension_points["jupyter_stop_chat"].app


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Start a PostgreSQL server for all tests."""
    binaries = find_binaries()
    if binaries is None:
        missing("PostgreSQL", "postgresql")
    server = PostgresqlServer(binaries)
    try:
        server.create()
        yield server
    finally:
        server.close()


@pytest.fixture
def postgresql(postgresql_server: PostgresqlServer) -> str:
    """Return the URL of a PostgreSQL database without a row; its tables may be there."""
    postgresql_server.empty()
    return postgresql_server.url()


@pytest.fixture
def bare_postgresql(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """Return the URL of a PostgreSQL database in which there is nothing at all."""
    name = postgresql_server.new_database()
    yield postgresql_server.url(name)
    postgresql_server.drop_database(name)
