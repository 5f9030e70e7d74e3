"""A Jupyter Server in a process of its own, with models that keep time; and pages beside it.

Run as a script it is the server. Its model `paced:<rate>` says `<rate>` words a second, each the
moment when it was said, until it is stopped; `flood:<megabytes>` says that much, and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tests.aids.page import Page  # noqa: E402 - the way to it is made above

#: What one piece of a flood holds, and how long the flood waits after each, in seconds.
FLOOD_PIECE, FLOOD_PAUSE = 8192, 0.003
#: The settings of every server here.
SETTINGS = {
    "titles": "prompt",
    "max_reply_length": 100_000_000,
    "max_generations_per_owner": 256,
}


class Server:
    """The server's process.

    :param saves: False replaces the store's `append` by one that does nothing.
    :param settings: of `StopChatApp`, besides `SETTINGS`.
    :param module: what calls `serve`.
    """

    def __init__(
        self,
        *,
        saves: bool = True,
        settings: Mapping[str, Any] | None = None,
        module: str = "serving",
    ) -> None:
        self._saves = saves
        self._settings = settings or {}
        self._module = module
        self._folder = tempfile.TemporaryDirectory(prefix="stop-chat-bench-")
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.token = uuid.uuid4().hex

    async def __aenter__(self) -> Self:
        folder = Path(self._folder.name)
        self.root.mkdir(exist_ok=True)
        environment = os.environ | {
            "HOME": str(folder),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_TOKEN": self.token,
            "STOP_CHAT_BENCH_ROOT": str(self.root),
            "STOP_CHAT_BENCH_SAVES": "1" if self._saves else "",
            "STOP_CHAT_BENCH_SETTINGS": json.dumps(SETTINGS | dict(self._settings)),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'benchmarks'}",
        }
        self._process = subprocess.Popen(  # noqa: ASYNC220 - once, before anything is measured
            [sys.executable, "-m", self._module],
            env=environment,
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(await asyncio.to_thread(self._process.stdout.readline))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, 20)
        self._folder.cleanup()

    @property
    def data(self) -> Path:
        """Return Jupyter's data folder, where something may lie before the server starts."""
        return Path(self._folder.name) / "data"

    @property
    def root(self) -> Path:
        """Return the server's root, where files may lie before it starts."""
        return Path(self._folder.name) / "root"

    @property
    def pid(self) -> int:
        """Return the process's id."""
        assert self._process is not None
        return self._process.pid

    def memory(self) -> float:
        """Return the server's resident memory in MiB."""
        return float(psutil.Process(self.pid).memory_info().rss / 2**20)

    def processor(self) -> float:
        """Return the processor time that the server has used, in seconds."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    @property
    def request(self) -> HTTPRequest:
        """Return what opens a socket."""
        return HTTPRequest(
            f"ws://127.0.0.1:{self.port}/api/stop-chat/ws",
            headers={"Authorization": f"token {self.token}"},
        )


class Reader:
    """A page on a socket that reads all the time, and notes how old each word is.

    :ivar ages: seconds from when a word was said until it was here.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.page = Page()
        self.page.keeps = False
        self.ages: list[float] = []
        self.deltas = 0
        self.timed: set[str] = set()
        self._socket: WebSocketClientConnection | None = None
        self._waiting: list[tuple[Callable[[dict[str, Any]], bool], asyncio.Future[Any]]] = []
        self._task: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Connect."""
        self._socket = await websocket_connect(self._server.request)
        welcome = self.until(lambda frame: frame["type"] == "welcome")
        self._task = asyncio.create_task(self._read())
        await welcome

    async def close(self) -> None:
        """Go away."""
        assert self._socket is not None
        assert self._task is not None
        self._socket.close()
        await self._task

    async def send(self, type_: str, **fields: Any) -> None:
        """Send a frame."""
        assert self._socket is not None
        await self._socket.write_message(json.dumps({"type": type_, **fields}))

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> asyncio.Future[Any]:
        """Return what will be the next such frame."""
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, found))
        return found

    async def ask(self, model: str, chat_id: str | None = None) -> tuple[str, str]:
        """Send a prompt; return the chat's and the reply's ids."""
        request_id = str(uuid.uuid4())
        accepted = self.until(lambda frame: frame.get("request_id") == request_id)
        await self.send("send", request_id=request_id, chat_id=chat_id, body="Go", model=model)
        frame = await accepted
        assert frame["type"] == "accepted", frame
        if model.startswith("paced"):
            self.timed.add(frame["message"]["id"])
        return frame["chat_id"], frame["message"]["id"]

    async def stop(self, message_id: str) -> float:
        """Stop a reply; return the seconds until the answer was here."""
        answer = self.until(
            lambda frame: frame["type"] == "stop_result" and frame.get("message_id") == message_id
        )
        began = time.perf_counter()
        await self.send("stop", message_id=message_id)
        frame = await answer
        took = time.perf_counter() - began
        assert frame["results"][0]["outcome"] == "interrupted", frame
        assert self.page.messages[message_id].ended, "the answer came before the last frame"
        return took

    async def open(self, chat_id: str) -> None:
        """Open a chat, by offsets, until nothing is missing."""
        while True:
            answer = self.until(
                lambda frame: (
                    frame["type"] == "chat"
                    and frame["chat"]["id"] == chat_id
                    and "messages" in frame
                )
            )
            have = {"offsets": self.page.offsets(), "epoch": self.page.epoch}
            await self.send("open", chat_id=chat_id, **have)
            await answer
            if chat_id not in self.page.incomplete:
                return

    async def _read(self) -> None:
        try:
            await self._read_all()
        except Exception as error:
            for _, found in self._waiting:
                if not found.done():
                    found.set_exception(error)
            raise

    async def _read_all(self) -> None:
        assert self._socket is not None
        while (raw := await self._socket.read_message()) is not None:
            frame = json.loads(raw)
            self.page.show(frame)  # fails at a gap or a doubled character
            if frame["type"] == "delta":
                self.deltas += 1
                if frame["message_id"] in self.timed:
                    self._note_ages(frame["text"])
            for wanted, found in list(self._waiting):
                if not found.done() and wanted(frame):
                    found.set_result(frame)
            self._waiting = [each for each in self._waiting if not each[1].done()]

    def _note_ages(self, text: str) -> None:
        now = time.monotonic()
        self.ages.extend(now - float(word) for word in text.split() if word.endswith("7"))


def percentile(values: list[float], share: float) -> float:
    """Return the value that so large a share of the values lie below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


# --- the server's side ------------------------------------------------------------------------


async def words(rate: float) -> AsyncGenerator[str, None]:
    """Yield words without end, each the moment when it was said.

    :param rate: words a second.
    """
    began = time.monotonic()
    count = 0
    while True:
        count += 1
        await asyncio.sleep(max(0.0, began + count / rate - time.monotonic()))
        yield f"{time.monotonic():.5f}7 "


class Paced:
    """What says words at a rate."""

    async def reply(self, turn: Any) -> AsyncGenerator[Any, None]:
        """Say, until stopped."""
        from jupyter_stop_chat.ports.handler import Text

        turn.provider_started()
        try:
            async with contextlib.aclosing(words(float(turn.model))) as said:
                async for word in said:
                    yield Text(word)
        finally:
            turn.provider_closed()

    async def close(self) -> None:
        """Have nothing to let go of."""


class Flood:
    """What says megabytes."""

    async def reply(self, turn: Any) -> AsyncGenerator[Any, None]:
        """Say them."""
        from jupyter_stop_chat.ports.handler import Text

        turn.provider_started()
        for number in range(int(float(turn.model) * 2**20 / FLOOD_PIECE)):
            yield Text(f"{number:08} ".ljust(FLOOD_PIECE, "x"))
            await asyncio.sleep(FLOOD_PAUSE)
        turn.provider_closed()

    async def close(self) -> None:
        """Have nothing to let go of."""


def flood(megabytes: float) -> str:
    """Return what a flood says."""
    count = int(megabytes * 2**20 / FLOOD_PIECE)
    return "".join(f"{number:08} ".ljust(FLOOD_PIECE, "x") for number in range(count))


def serve(register: Callable[[Any], None] = lambda models: None) -> None:
    """Run the server, and print its port.

    :param register: called with the models, to offer more of them.
    """
    from jupyter_server.serverapp import ServerApp

    settings = json.loads(os.environ["STOP_CHAT_BENCH_SETTINGS"])
    app = ServerApp()
    app.initialize(
        argv=[
            "--ServerApp.jpserver_extensions={'jupyter_stop_chat': True}",
            *(f"--StopChatApp.{name}={value}" for name, value in settings.items()),
            f"--ServerApp.root_dir={os.environ['STOP_CHAT_BENCH_ROOT']}",
            "--port=0",
            "--allow-root",
            "--no-browser",
            "--log-level=ERROR",
        ]
    )
    extension = app.extension_manager.extension_points["jupyter_stop_chat"].app

    async def ready() -> None:
        services = await extension.services()
        services.models.register("paced", lambda name: Paced())
        services.models.register("flood", lambda name: Flood())
        register(services.models)
        if not os.environ["STOP_CHAT_BENCH_SAVES"]:

            def nothing(*args: Any) -> None:
                asyncio.get_running_loop().call_soon(args[-1], None, None)

            services.store.append_then = nothing
        print(
            app.http_server._sockets[next(iter(app.http_server._sockets))].getsockname()[1],
            flush=True,
        )

    app.io_loop.add_callback(ready)
    # Whoever measures may be killed: nothing is left running then.
    app.io_loop.add_handler(sys.stdin, lambda *_: app.io_loop.stop(), app.io_loop.READ)
    app.start()


if __name__ == "__main__":
    serve()
