"""The kernel's own server is found, and no other one; and a broken stream is read to its end."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ipykernel.kernelapp import IPKernelApp

from jupyter_stop_chat.magics.backends.finding import Address, addresses, kernel_id
from jupyter_stop_chat.magics.backends.kernel import KernelBackend
from jupyter_stop_chat.magics.backends.server import ServerBackend
from jupyter_stop_chat.magics.defaults import Backends
from jupyter_stop_chat.magics.line import Line
from jupyter_stop_chat.magics.outcome import ChatFailed
from jupyter_stop_chat.magics.received import Received
from jupyter_stop_chat.wire.errors import StopChatError
from tests.aids.ports import free_port


def _server(folder: Path, pid: int, port: int, **more: Any) -> None:
    info = {"url": f"http://localhost:{port}/", "token": f"t{pid}", "pid": pid, "sock": ""} | more
    (folder / f"jpserver-{pid}.json").write_text(json.dumps(info))


def _found(folder: Path, environment: dict[str, str], parent: int = 1) -> list[tuple[str, str]]:
    return [(each.url, each.token) for each in addresses(folder, environment, parent)]


def test_the_server_that_started_the_kernel(tmp_path: Path) -> None:
    for pid, port in ((7, 8888), (8, 8889)):
        _server(tmp_path, pid, port)
    assert _found(tmp_path, {}, 8) == [("http://localhost:8889/", "t8")]
    assert _found(tmp_path, {"JPY_PARENT_PID": "7"}) == [("http://localhost:8888/", "t7")]
    assert _found(tmp_path, {}) == [], "a stranger's, though its token could be read"


def test_a_kernel_whose_file_is_gone_has_no_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cleans folders up may take its connection file: a prompt is sent all the same."""
    gone = SimpleNamespace(connection_file="kernel-gone.json", connection_dir="nowhere")
    monkeypatch.setattr(IPKernelApp, "initialized", lambda: True)
    monkeypatch.setattr(IPKernelApp, "instance", lambda: gone)
    assert kernel_id() is None


def test_the_server_that_is_named(tmp_path: Path) -> None:
    _server(tmp_path, 7, 8888, url="http://127.0.0.1:8888/a/")
    named = {"JUPYTER_SERVER_URL": "http://localhost:8888/a/?token=x"}
    assert _found(tmp_path, named) == [("http://127.0.0.1:8888/a/", "t7")]
    assert _found(tmp_path, {"JUPYTER_SERVER_URL": "http://localhost:8888/b"}) == []
    named = {"JUPYTER_SERVER_URL": "http://far.invalid/b", "JUPYTER_TOKEN": "s"}
    assert _found(tmp_path, named) == [("http://far.invalid/b/", "s")]


def test_behind_a_hub(tmp_path: Path) -> None:
    hub = {
        "JUPYTERHUB_API_TOKEN": "hub",
        "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:8888/user/ada/",
        "JUPYTERHUB_SERVICE_PREFIX": "/user/ada/",
    }
    assert _found(tmp_path, hub) == [("http://127.0.0.1:8888/user/ada/", "hub")]
    _server(tmp_path, 7, 8888, token="")
    assert _found(tmp_path, hub, 7)[0] == ("http://localhost:8888/", "hub")


def test_what_cannot_be_read_is_no_server(tmp_path: Path) -> None:
    for pid, content in ((1, "{"), (2, "[]"), (3, "{}"), (4, '{"url": 5}')):
        (tmp_path / f"jpserver-{pid}.json").write_text(content)
    assert (
        _found(tmp_path, {"JUPYTERHUB_SERVICE_URL": "http://x", "JUPYTERHUB_API_TOKEN": "t"}) == []
    )
    assert "secret" not in repr(Address("http://x/", "secret"))


# --- a server that breaks ---------------------------------------------------------------------

START = {"message_id": "m", "chat_id": "c", "model": "a:b"}


class Broken:
    """A server whose first answers break off."""

    def __init__(self, answers: list[tuple[int, bytes]]) -> None:
        self.asked: list[tuple[str, Any]] = []
        broken = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                broken.asked.append((self.headers["Authorization"], body))
                status, data = answers[min(len(broken.asked), len(answers)) - 1]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", free_port()), Handler)
        self.backend = ServerBackend(
            Address(f"http://127.0.0.1:{self.server.server_port}/b/", "tok")
        )
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def broken() -> Iterator[Any]:
    made: list[Broken] = []

    def make(*answers: tuple[int, bytes]) -> Broken:
        made.append(Broken(list(answers)))
        return made[-1]

    yield make
    for each in made:
        each.close()


def _event(name: str, content: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(content)}\n\n".encode()


def _delta(offset: int, text: str) -> bytes:
    return _event("delta", {"offset": offset, "text": text, "part": "text"})


def test_a_stream_that_breaks_is_asked_for_again(broken: Any) -> None:
    """B5: the same request, which counts once; no character is lost or doubled."""
    end = _event("completed", {"message": {"text_length": 14}})
    server = broken(
        (200, _event("start", START) + _delta(0, "Once 🗼 ")),
        (503, b'{"code": "shutting_down", "message": "x"}'),
        (
            200,
            b": \n\n" + _event("start", START) + _delta(0, "Once ") + _delta(5, "🗼 upon a") + end,
        ),
    )
    received = Received()
    for event in server.backend.stream({"body": "Hi", "request_id": "r"}, Line()):
        received.take(*event)
    assert (received.text, received.state) == ("Once 🗼 upon a", "completed")
    assert server.asked == [("token tok", {"body": "Hi", "request_id": "r"})] * 3


def test_what_is_refused_is_not_asked_again(broken: Any) -> None:
    server = broken((409, b'{"code": "busy", "message": "x"}'))
    with pytest.raises(StopChatError) as refused:
        list(server.backend.stream({"body": "Hi"}, Line()))
    assert refused.value.code == "busy"
    assert len(server.asked) == 1


@pytest.mark.parametrize("answer", [(404, b"<html>"), (404, b'{"code": "no_such_route"}')])
def test_a_server_without_the_extension(broken: Any, answer: tuple[int, bytes]) -> None:
    server = broken(answer)
    with pytest.raises(OSError, match=r"status 404|no such route"):
        server.backend.stop({})


def test_a_cut_line_ends_a_wait_at_once() -> None:
    """B6: a server that took the request and says nothing."""
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        backend = ServerBackend(Address(f"http://127.0.0.1:{silent.getsockname()[1]}/", "t"))
        line, failed = Line(), []

        def wait() -> None:
            try:
                list(backend.stream({"body": "Hi"}, line))
            except ConnectionAbortedError as error:
                failed.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        plug, _ = silent.accept()
        with plug:
            assert b"POST /api/stop-chat/generate" in plug.recv(65536)
            line.cut()
            thread.join(10)
            assert not thread.is_alive()
            while plug.recv(65536):
                pass  # the rest of the request, and then the close
    assert len(failed) == 1
    with pytest.raises(ConnectionAbortedError):
        list(backend.stream({"body": "Hi"}, line))


# --- settings that are wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("jupyter_server_config.json", '{"StopChatApp": {"titles": "nobody"}}'),
        ("jupyter_stop_chat_config.py", "c.StopChatApp.lock_modle = True"),
        ("jupyter_server_config.py", "c.StopChatApp.lock_model = ("),
    ],
)
def test_wrong_settings_turn_the_chat_off_in_a_kernel_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str
) -> None:
    """H2: in a sentence, until they are right."""
    for folder in ("CONFIG", "DATA", "RUNTIME"):
        monkeypatch.setenv(f"JUPYTER_{folder}_DIR", str(tmp_path))
    monkeypatch.delenv("JPY_PARENT_PID", raising=False)
    (tmp_path / name).write_text(content)
    backends = Backends()
    for _ in range(2):
        with pytest.raises(ChatFailed, match="The chat is off, since its settings are wrong: "):
            backends.backend(Line())
    (tmp_path / name).unlink()
    backend = backends.backend(Line())
    assert isinstance(backend, KernelBackend)
    assert backend.running() == []
    backend.close()
