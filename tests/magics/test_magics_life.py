"""Beyond the cell: a kernel's end, nbconvert, a terminal, and the second interrupt."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pexpect
import pytest

from jupyter_stop_chat.magics import cell as cell_module
from jupyter_stop_chat.magics.cell import Cell
from jupyter_stop_chat.magics.interrupts import INTERRUPT, Interrupts
from jupyter_stop_chat.magics.outcome import Interrupted
from jupyter_stop_chat.magics.turn import END, Turn
from jupyter_stop_chat.magics.view import NoView
from tests.magics.notebook import Alone, Server, eventually
from tests.providers import OpenAIProvider, Script

START = ("start", {"message_id": "m", "chat_id": "c", "model": "a:b"})


class Stopper:
    """A backend whose stop takes three more interrupts before it is done."""

    label = "a test"

    def __init__(self) -> None:
        self.stops: list[dict[str, Any]] = []
        self.ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def stream(self, prompt: Any, line: Any) -> Any:
        yield START
        yield "delta", {"part": "text", "offset": 0, "text": "Some"}
        signal.raise_signal(signal.SIGINT)
        yield self.ended.get()

    def stop(self, target: dict[str, Any]) -> list[dict[str, Any]]:
        self.stops.append(target)
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        message = {"text_length": 4, "stop": {"reason": "user"}}
        self.ended.put(("interrupted", {"message": message}))
        return []


def test_a_second_interrupt_joins_the_first() -> None:
    """V7: it comes while the stop is under way, and is no stop of its own."""
    backend = Stopper()
    news: queue.SimpleQueue[Any] = queue.SimpleQueue()
    before = signal.getsignal(signal.SIGINT)
    with Interrupts(news) as interrupts:
        turn = Turn(lambda line: backend, lambda *_: {}, news)  # type: ignore[arg-type,return-value]
        cell = Cell(turn, NoView(), news)
        with pytest.raises(Interrupted, match="response stopped by the user"):
            cell.run(interrupts)
    assert interrupts.count == 4
    assert len(backend.stops) == 1
    assert cell.received.state == "interrupted"
    assert signal.getsignal(signal.SIGINT) is before


class Seen:
    """A view that notes what was shown."""

    visible = True

    def __init__(self) -> None:
        self.shown = 0
        self.texts: list[tuple[str, str]] = []

    def paint(self, received: Any, status: str = "", mark: str = "") -> None:
        self.texts.append((received.text, status or mark))
        self.shown = received.length


def test_what_came_and_was_not_shown_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """B4: nothing grows at the stop, in the cell or in the chat."""
    monkeypatch.setattr(cell_module, "PAINT_S", 1000)

    class Fast(Stopper):
        def stream(self, prompt: Any, line: Any) -> Any:
            yield START
            yield "delta", {"part": "text", "offset": 0, "text": "Some"}
            yield "delta", {"part": "text", "offset": 4, "text": " more"}
            signal.raise_signal(signal.SIGINT)
            event = self.ended.get()
            yield "delta", {"part": "text", "offset": 9, "text": " and more"}
            yield event

    backend, seen = Fast(), Seen()
    news: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with Interrupts(news) as interrupts:
        turn = Turn(lambda line: backend, lambda *_: {}, news)  # type: ignore[arg-type,return-value]
        cell = Cell(turn, seen, news)
        # The first words are shown at once, and the next ones not for a long time.
        cell._painted_at = -1e9
        with pytest.raises(Interrupted):
            cell.run(interrupts)
    assert seen.texts == [
        ("", "Waiting"),
        ("Some", ""),
        ("Some", "Stopping"),
        ("Some", ""),
    ]
    assert backend.stops == [{"message_id": "m", "shown": 4}]


def test_a_stop_that_nobody_answers_ends_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """B1: it says so, and leaves no thread behind."""
    monkeypatch.setattr(cell_module, "SETTLE_S", 0.1)

    class Deaf(Stopper):
        def stream(self, prompt: Any, line: Any) -> Any:
            yield START
            signal.raise_signal(signal.SIGINT)
            with line.hold(lambda: self.ended.put(None)):
                assert self.ended.get() is None

        def stop(self, target: dict[str, Any]) -> list[dict[str, Any]]:
            raise TimeoutError

    threads = threading.active_count()
    backend, seen = Deaf(), Seen()
    news: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with Interrupts(news) as interrupts:
        turn = Turn(lambda line: backend, lambda *_: {}, news)  # type: ignore[arg-type,return-value]
        with pytest.raises(Interrupted, match="could not be confirmed"):
            Cell(turn, seen, news).run(interrupts)
    assert seen.texts[-1][1] == "", "the error says it, once"
    assert threading.active_count() == threads


def test_an_interrupt_after_the_end_ends_the_cell_too() -> None:
    """The person wanted it to end: Run All goes no further, and nothing is marked as stopped."""
    news: queue.SimpleQueue[Any] = queue.SimpleQueue()

    class Quick(Stopper):
        def stream(self, prompt: Any, line: Any) -> Any:
            yield START
            yield "completed", {"message": {"text_length": 0}}

    backend = Quick()
    with Interrupts(news) as interrupts:
        cell = Cell(Turn(lambda line: backend, lambda *_: {}, news), NoView(), news)  # type: ignore[arg-type,return-value]
        interrupts.count = 1
        with pytest.raises(Interrupted, match="the reply had ended"):
            cell.run(interrupts)
    assert cell.received.state == "completed"
    assert backend.stops == []
    assert END is not INTERRUPT


@pytest.mark.stress
def test_the_death_of_a_kernel_ends_what_ran_in_it(alone: Alone, provider: OpenAIProvider) -> None:
    """B3: and the next kernel's history says so."""
    provider.script = Script(stall_after=3)
    notebook = alone.open()
    pid = notebook.value("__import__('os').getpid()")
    cell = notebook.begin("%%chat\nHi")
    cell.until_text("t2 ")
    request = provider.requests[-1]
    # As a crash does; an orderly restart interrupts first, which is a stop.
    os.kill(pid, signal.SIGKILL)
    eventually(request.closed.is_set, "the provider's close")
    alone.manager.restart_kernel(now=True)
    provider.script = Script()
    again = alone.open()
    again.run("%chat")
    message = eventually(
        lambda: next(
            (
                last
                for each in alone.chats()
                if (last := each["messages"][-1])["text"] == "t0 t1 t2 "
                and last["state"] == "interrupted"
            ),
            None,
        ),
        "the interrupted reply",
    )
    assert json.loads(message["stop"])["reason"] == "server_restart"


def test_the_orderly_end_of_a_kernel_stops_what_ran_in_it(
    alone: Alone, provider: OpenAIProvider
) -> None:
    """L12: a reply that another thread waits for is stopped and saved."""
    provider.script = Script(stall_after=3)
    notebook = alone.open()
    notebook.run(
        "import threading\n"
        "backend = get_ipython().magics_manager.registry['ChatMagics'].backends.backend\n"
        "from jupyter_stop_chat.magics.line import Line\n"
        "stream = backend(Line()).stream({'body': 'Bye'}, Line())\n"
        "[next(stream) for _ in range(2)]"
    )
    request = provider.requests[-1]
    notebook.client.shutdown()
    eventually(request.closed.is_set, "the provider's close")

    def last() -> Any:
        found = [
            each["messages"] for each in alone.chats() if each["messages"][0]["text"] == "Bye"
        ]
        return found[0][1] if found[0][1]["state"] == "interrupted" else None

    assert json.loads(eventually(last, "the saved end")["stop"])["reason"] == "server_shutdown"


def test_the_death_of_a_kernel_lets_the_server_go_on(
    server: Server, provider: OpenAIProvider
) -> None:
    """B5: a reply belongs to its chat, and can be stopped there."""
    provider.script = Script(stall_after=3)
    notebook = server.open()
    pid = notebook.value("__import__('os').getpid()")
    cell = notebook.begin("%%chat\nHi")
    cell.until_text("t2 ")
    request = provider.requests[-1]
    os.kill(pid, signal.SIGKILL)
    (made,) = server.call("GET", "stop-chat/generations")["generations"]
    assert made["state"] == "generating"
    assert not request.closed.is_set()
    assert server.call("POST", "stop-chat/interrupt", {})["results"][0]["outcome"] == "interrupted"
    eventually(request.closed.is_set, "the provider's close")


# --- programs that run notebooks --------------------------------------------------------------


def _nbconvert(alone: Alone, folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    notebook = nbformat.v4.new_notebook()
    cells = ["%load_ext jupyter_stop_chat", "%%chat\nTell me a story", "print('after')"]
    notebook.cells = [nbformat.v4.new_code_cell(each) for each in cells]
    nbformat.write(notebook, folder / "story.ipynb")
    return subprocess.run(
        [
            *(sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute"),
            *("--output", "done", *more, str(folder / "story.ipynb")),
        ],
        env=alone.environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.stress  # the example of the documentation is run by nbconvert as well
def test_nbconvert_runs_it(alone: Alone, provider: OpenAIProvider, tmp_path: Path) -> None:
    """And what is saved holds the text, no widget and no key."""
    provider.script = Script()
    ran = _nbconvert(alone, tmp_path)
    assert ran.returncode == 0, ran.stderr
    raw = (tmp_path / "done.ipynb").read_text()
    done = nbformat.reads(raw, as_version=4)
    nbformat.validate(done)
    (output,) = done.cells[1].outputs
    assert output["data"]["text/html"] == "<p>t0 t1 t2 t3 t4</p>\n"
    assert done.cells[2].outputs[0]["text"] == "after\n"
    assert "widgets" not in done.metadata
    assert "sk-secret" not in raw


@pytest.mark.stress
def test_nbconvert_ends_at_a_failure(
    alone: Alone, provider: OpenAIProvider, tmp_path: Path
) -> None:
    provider.script = Script(trouble="bad_key")
    ran = _nbconvert(alone, tmp_path)
    assert ran.returncode == 1
    assert "The provider refused the key" in ran.stderr
    assert "sk-secret" not in ran.stderr


@pytest.mark.stress  # its limit leaves time for the kernel to start
def test_nbconvert_gives_up_in_time(
    alone: Alone, provider: OpenAIProvider, tmp_path: Path
) -> None:
    """Its own limit ends a provider that stalls; the connection is closed either way."""
    provider.script = Script(stall_after=3)
    count = len(provider.requests)
    ways = {
        "Timeout": "--ExecutePreprocessor.interrupt_on_timeout=False",
        "Interrupted: response stopped": "--ExecutePreprocessor.interrupt_on_timeout=True",
    }
    limit = "--ExecutePreprocessor.timeout=12"
    with ThreadPoolExecutor() as both:  # they wait most of the time
        runs = []
        for number, way in enumerate(ways.values()):
            folder = tmp_path / str(number)
            folder.mkdir()
            runs.append(both.submit(_nbconvert, alone, folder, limit, way))
    for words, run in zip(ways, runs, strict=True):
        assert run.result().returncode == 1
        assert words in run.result().stderr
    for request in provider.requests[count:]:
        eventually(request.closed.is_set, "the provider's close")


# --- a terminal -------------------------------------------------------------------------------


def test_in_a_terminal(alone: Alone, provider: OpenAIProvider) -> None:
    """B6: Ctrl-C is a Stop there, and the text is written as it comes."""
    provider.script = Script(stall_after=3)
    environment = alone.environment | {"TERM": "dumb"}
    arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
    terminal = pexpect.spawn(
        sys.executable, arguments, env=environment, encoding="utf-8", timeout=60
    )
    try:
        terminal.expect(r"In \[1\]:")
        terminal.sendline("%load_ext jupyter_stop_chat")
        terminal.expect(r"In \[2\]:")
        terminal.sendline("%%chat")
        terminal.sendline("Tell me a story")
        terminal.sendline("")
        terminal.sendline("")
        terminal.expect("t0 t1 t2 ")
        request = provider.requests[-1]
        terminal.sendintr()
        terminal.expect("Interrupted: response stopped by the user")
        assert "Traceback" not in terminal.before
        assert "topped by the user" not in terminal.before
        eventually(request.closed.is_set, "the provider's close")
        terminal.expect(r"In \[3\]:")
        terminal.sendline("6 * 7")
        terminal.expect("42")
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)
