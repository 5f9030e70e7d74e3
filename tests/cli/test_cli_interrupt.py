"""`jupyter stop-chat interrupt`, run as a person runs it, against a real server."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from jupyter_server.auth import Authorizer

from jupyter_stop_chat.cli.main import main
from jupyter_stop_chat.server.leave import EVERYONE_RESOURCE
from jupyter_stop_chat.testing import Gate, ScriptedHandler
from tests.aids.knocking import configured
from tests.aids.ports import free_port
from tests.conftest import Client

Run = Callable[..., Awaitable[tuple[int, str, str]]]
#: A proxy that answers nobody: what is on this machine is asked without it.
NO_PROXY = {"HTTP_PROXY": "http://127.0.0.1:1"}


@pytest.fixture
def started(jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command as a process; return its status, what it said and what it complained of."""
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)

    async def made(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "jupyter_stop_chat.cli.main", "interrupt"),
            *map(str, arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | NO_PROXY | environment,
        )
        said, complained = await process.communicate()
        assert process.returncode is not None
        assert b"Traceback" not in complained
        return process.returncode, said.decode(), complained.decode()

    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: one of its own takes longer to start than to answer."""
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)

    def done(arguments: list[str]) -> int:
        try:
            return main(["interrupt", *arguments])
        except SystemExit as wrong:
            return int(str(wrong.code))

    async def made(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with monkeypatch.context() as patch:
            for name, value in (NO_PROXY | environment).items():
                patch.setenv(name, value)
            status = await asyncio.to_thread(done, [str(each) for each in arguments])
        said, complained = capsys.readouterr()
        return status, said, complained

    return made


@pytest.fixture
def running(app: Any, connect: Callable[[], Awaitable[Client]]) -> Callable[[], Awaitable[str]]:
    """Have a reply made that does not end by itself."""

    async def made() -> str:
        app.titles = "prompt"
        handler = ScriptedHandler([Gate()])
        (await app.services()).models.register("scripted", lambda name: handler)
        page = await connect()
        accepted = await page.ask(model="scripted:x")
        message_id: str = accepted["message"]["id"]
        return message_id

    return made


@pytest.fixture
def server(jp_serverapp: Any) -> str:
    """Return the server's address, as a person has it."""
    return f"http://127.0.0.1:{jp_serverapp.port}{jp_serverapp.base_url}"


# Where the token is from has nothing to do with whom it stops.
@pytest.mark.parametrize(("from_file", "everyone"), [(True, True), (False, False)])
async def test_it_stops_and_says_what(
    started: Run, running: Any, server: str, jp_serverapp: Any, tmp_path: Path,
    from_file: bool, everyone: bool,
) -> None:  # fmt: skip
    """J6: the token is read where no other user of the machine reads it."""
    message_id = await running()
    token = jp_serverapp.identity_provider.token
    arguments: list[str | Path] = ["--server", server, *(["--everyone"] if everyone else [])]
    environment = {"JUPYTER_TOKEN": token}
    if from_file:
        (tmp_path / "token").write_text(token + "\n")
        arguments += ["--token-file", tmp_path / "token"]
        environment = {"JUPYTER_TOKEN": "another"}
    done = await started(*arguments, **environment)
    assert done == (0, f"{message_id} interrupted\nStopped: 1.\n", "")
    assert await started(*arguments, **environment) == (0, "Stopped: 0.\n", "")


class NotThis(Authorizer):
    """What allows all but this."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return resource != EVERYONE_RESOURCE


@configured(authorizer_class=NotThis)
async def test_a_refusal(run: Run, running: Any, server: str, app: Any, jp_serverapp: Any) -> None:
    message_id = await running()
    token = jp_serverapp.identity_provider.token
    status, said, why = await run("--everyone", "--server", server, JUPYTER_TOKEN=token)
    assert (status, said) == (1, "")
    assert "may not stop everyone's" in why
    for arguments in (["--everyone"], []):
        status, said, why = await run("--server", server, *arguments, JUPYTER_TOKEN="wrong")
        assert (status, said) == (1, "")
        assert "the token is wrong" in why
        assert token not in why
    assert (await app.services()).engine.generation(message_id).stop is None


async def test_what_cannot_be_asked(run: Run, server: str, tmp_path: Path) -> None:
    """Each is a sentence, and no token is in any."""
    token = {"JUPYTER_TOKEN": "canary"}
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "two words").write_text("one\ntwo")
    for arguments, environment, expected in (
        (["--server", server], {}, "JUPYTER_TOKEN"),
        (["--server", server], {"JUPYTER_TOKEN": "\u00e4"}, "one word in ASCII"),
        (["--server", server, "--token-file", tmp_path], token, "cannot be read"),
        (["--server", server, "--token-file", tmp_path / "binary"], token, "cannot be read"),
        (["--server", server, "--token-file", tmp_path / "two words"], token, "one word"),
        (["--server", f"{server}?token=canary"], token, "other users"),
        (["--server", "http://me:canary@127.0.0.1/"], token, "other users"),
        (["--server", "127.0.0.1:8888"], token, "http://"),
        (["--server", "http://"], token, "http://"),
        (["--server", "http://[::1/"], token, "http://"),
        (["--server", "http://127.0.0.1:1/"], token, "cannot be reached"),
        (["--server", "http://127.0.0.1:99999/"], token, "http://"),
    ):
        status, said, why = await run(*arguments, **environment)
        assert (status, said) == (1, "")
        assert expected in why, arguments
        assert "canary" not in why
    status, _, why = await run(JUPYTER_TOKEN="canary")
    assert (status, "--server" in why) == (2, True)


class Others(BaseHTTPRequestHandler):
    """What answers as other servers would."""

    ANSWERS = {
        "/elsewhere": (200, '{"results": [{"message_id": "%s", "outcome": "made_elsewhere"}]}'),
        "/unreached": (200, '{"results": [], "unreached": 2}'),
        "/page": (200, "<html>"),
        "/login": (302, ""),
        "/none": (404, "{}"),
        "/broken": (500, "{}"),
    }

    def do_POST(self) -> None:
        """Answer by the path that comes first."""
        status, body = self.ANSWERS[self.path.removesuffix("/api/stop-chat/interrupt")]
        content = (body % MESSAGE if "%" in body else body).encode()
        self.send_response(status)
        self.send_header("Location", "/hub/login")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


MESSAGE = "7d444840-9dc0-41d1-b245-5ffdce74fad2"


@pytest.fixture
def others() -> Iterator[str]:
    """Serve them."""
    with HTTPServer(("127.0.0.1", free_port()), Others) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def test_what_was_not_reached_is_told(run: Run, others: str) -> None:
    """The status says so as well."""
    for path, status, expected in (
        ("elsewhere", 3, f"{MESSAGE} made_elsewhere\nStopped: 0.\nMade by another server"),
        ("unreached", 3, "Stopped: 0.\nServers that did not answer: 2."),
        ("page", 1, "is not this chat"),
        ("login", 1, "the token is wrong"),
        ("none", 1, "There is no chat at"),
        ("broken", 1, "its log says why"),
    ):
        done, said, why = await run("--server", f"{others}/{path}/", JUPYTER_TOKEN="x")
        assert done == status, path
        assert expected in said + why
