"""A real Redis of its own for tests: started, ended, held and started again as they want it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.aids.ports import free_port

#: So long Redis may take to begin or to end, in seconds.
PATIENCE = 20.0


class RedisServer:
    """A `redis-server` on a socket and on a loopback port, in a folder of its own.

    :param options: what is said behind its name, beside where it listens.
    """

    def __init__(self, folder: Path, *options: str, port: int | None = None) -> None:
        self.folder = folder
        self.port = free_port() if port is None else port
        self.options = options
        self.sentinel: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Return the address of its socket."""
        return f"unix://{self.socket}"

    @property
    def socket(self) -> Path:
        """Return where its socket is."""
        return self.folder / "redis.sock"

    def start(self) -> None:
        """Start it, and return when it answers."""
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it, and do not wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *((binary(), self.sentinel, "--sentinel") if self.sentinel else (binary(),)),
                    *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)),
                    *("--unixsocket", str(self.socket)),
                    *(() if self.sentinel else ("--save", "", "--appendonly", "no")),
                    *self.options,
                ],
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Return when it answers."""
        until = time.monotonic() + PATIENCE
        while True:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "redis.log").read_text()[-500:]
            answer = b""
            with suppress(OSError):
                answer = self.say("PING")
            if answer.startswith((b"+PONG", b"-NOAUTH")):
                return
            assert time.monotonic() < until, f"Redis did not begin: {answer!r}"
            time.sleep(0.005)

    def say(self, *words: str) -> bytes:
        """Send one command on a connection of its own, and return the beginning of its answer."""
        with closing(socket.create_connection(("127.0.0.1", self.port), PATIENCE)) as connection:
            coded = [word.encode() for word in words]
            parts = [b"*%d\r\n" % len(coded)]
            parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in coded]
            connection.sendall(b"".join(parts))
            return connection.recv(1 << 20)

    @property
    def runs(self) -> bool:
        """Tell whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """End it at once."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(PATIENCE)
            self.socket.unlink(missing_ok=True)

    def restart(self) -> None:
        """End it at once, and start it anew on the same port."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Hold it: it accepts connections and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)


def binary() -> str:
    """Return where `redis-server` is; where it is not, the test is skipped."""
    found = shutil.which("redis-server")
    if found is None:
        pytest.skip("THERE IS NO redis-server: install the package, or nothing of Redis is tested")
    return found


def begin_sentinel(master: RedisServer, server: RedisServer) -> RedisServer:
    """Make of a server that has not begun a sentinel that watches another one, called `chat`."""
    server.folder.mkdir(parents=True)
    config = server.folder / "sentinel.conf"
    config.write_text(
        f"sentinel monitor chat 127.0.0.1 {master.port} 1\n"
        "sentinel down-after-milliseconds chat 500\n"
        "sentinel failover-timeout chat 2000\n"
    )
    server.sentinel = config
    server.start()
    return server


def make_cluster(nodes: list[RedisServer], bus_ports: list[int]) -> None:
    """Make one cluster of servers that run, and return when it works."""
    share = 16384 // len(nodes)
    for at, node in enumerate(nodes):
        last = 16383 if node is nodes[-1] else (at + 1) * share - 1
        assert node.say("CLUSTER", "ADDSLOTSRANGE", str(at * share), str(last)) == b"+OK\r\n"
    for node, port in zip(nodes[1:], bus_ports[1:], strict=True):
        nodes[0].say("CLUSTER", "MEET", "127.0.0.1", str(node.port), str(port))
    until = time.monotonic() + PATIENCE
    while not all(b"cluster_state:ok" in each.say("CLUSTER", "INFO") for each in nodes):
        assert time.monotonic() < until, "no cluster came of it"
        time.sleep(0.02)


@pytest.fixture
def new_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """Start Redis servers with options of a test's own."""
    made: list[RedisServer] = []

    def start(*options: str, begin: bool = True) -> RedisServer:
        server = RedisServer(tmp_path / f"redis-{len(made)}", *options)
        made.append(server)
        if begin:
            server.start()
        return server

    yield start
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def _redis_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis(_redis_of_all: RedisServer) -> Iterator[RedisServer]:
    """Return a Redis that runs and is empty; a test may end it, hold it and so on."""
    server = _redis_of_all
    if not server.runs:
        server.start()
    server.say("FLUSHALL")
    yield server
    if server.runs:
        server.go_on()
