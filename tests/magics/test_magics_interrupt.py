"""The kernel's interrupt button is a Stop, in each phase of a reply, wherever it is made."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.magics.notebook import LOST, Notebook, Running, eventually
from tests.providers import NeverAccepts, OpenAIProvider, Script
from tests.providers.script import Request

MARK = "Interrupted: response stopped by the user"
#: So soon the provider sees its connection close, in seconds.
SOON = 0.2


def _interrupted(cell: Running) -> str:
    """Check that a cell ended as interrupted, and said so once (U29); return all that it shows."""
    reply = cell.end()
    if reply["status"] != LOST:
        assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    (error,) = cell.errors
    assert error["ename"] == "KeyboardInterrupt"
    (line,) = error["traceback"]
    assert line.startswith(MARK)
    assert "topped by the user" not in cell.text
    assert "Traceback" not in str(cell.outputs)
    assert cell.messages.count("display_data") == 1
    return f"{cell.text}\n[{line}]"


def _interrupt(notebook: Notebook, request: Request | None) -> float:
    """Interrupt, and return after how long the provider saw its connection close."""
    began = time.perf_counter()
    notebook.interrupt()
    if request is None:
        return 0.0
    eventually(request.closed.is_set, "the provider's close")
    assert request.closed_at is not None
    return request.closed_at - began


def _last(home: Any) -> dict[str, Any]:
    """Return the newest reply in the history, once it has ended."""

    def ended() -> dict[str, Any] | None:
        message: dict[str, Any] = home.chats()[0]["messages"][-1]
        return message if message["state"] in {"interrupted", "completed"} else None

    found: dict[str, Any] = eventually(ended, "the end in the history")
    return found


def _next_cell_runs(notebook: Notebook) -> None:
    assert notebook.run("print(6 * 7)").text == "42\n"


def test_in_the_middle(notebook: Notebook, provider: OpenAIProvider, home: Any) -> None:
    """B6, V1, L6: what was seen is kept and marked, here and in the history; nothing more is."""
    provider.script = Script(tokens=10_000, rate=50)
    cell = notebook.begin("%%chat --to reply\nTell me a story")
    cell.until_text("t5 ")
    request = provider.requests[-1]
    assert _interrupt(notebook, request) <= SOON
    shown = _interrupted(cell)
    _next_cell_runs(notebook)
    text = shown.split("\n[")[0].removesuffix("\n")
    assert MARK in shown
    assert text.startswith("t0 t1 t2 t3 t4 t5 ")
    assert "stopped by the user" not in cell.html
    kept = _last(home)
    assert (kept["state"], kept["text"]) == ("interrupted", text)
    assert notebook.value("[reply, reply.state, reply.message_id]") == [
        text,
        "interrupted",
        kept["id"],
    ]
    assert request.tokens_sent < 100


def test_while_the_provider_is_connected_to(notebook: Notebook, home: Any) -> None:
    """B6, V8: nobody takes the provider's connection."""
    cell = notebook.begin("%%chat --model openai:hangs\nTell me a story")
    eventually(
        lambda: any(
            each["messages"][-1]["state"] == "generating"
            and each["messages"][-1]["model"] == "openai:hangs"
            for each in home.chats()[:1]
        ),
        "the generation",
    )
    _interrupt(notebook, None)
    assert MARK in _interrupted(cell)
    _next_cell_runs(notebook)
    assert (_last(home)["state"], _last(home)["text"]) == ("interrupted", "")


@pytest.mark.parametrize(
    "script",
    [{"stall": "before_headers"}, {"stall": "after_headers"}, {"stall_after": 3}],
    ids=["before the headers", "before the first token", "after three tokens"],
)
def test_while_the_provider_stalls(
    notebook: Notebook, provider: OpenAIProvider, home: Any, script: dict[str, Any]
) -> None:
    """B6, V8: before the first token and between tokens."""
    provider.script = Script(**script)
    count = len(provider.requests)
    cell = notebook.begin("%%chat\nTell me a story")
    eventually(lambda: len(provider.requests) > count, "the request")
    request = provider.requests[-1]
    eventually(request.stalled.is_set, "the stall")
    if script.get("stall_after"):
        cell.until_text("t2 ")
    assert _interrupt(notebook, request) <= SOON
    shown = _interrupted(cell)
    assert MARK in shown
    _next_cell_runs(notebook)
    assert _last(home)["state"] == "interrupted"
    assert _last(home)["text"] == ("t0 t1 t2 " if script.get("stall_after") else "")


def test_again_and_again_while_it_stops(
    notebook: Notebook, provider: OpenAIProvider, home: Any
) -> None:
    """V7: later interrupts join the first; none lands in the clean-up or in the next cell."""
    provider.script = Script(tokens=10_000, rate=200)
    cell = notebook.begin("%%chat\nTell me a story")
    cell.until_text("t5 ")
    for _ in range(5):
        notebook.interrupt()
    assert MARK in _interrupted(cell)
    _next_cell_runs(notebook)
    eventually(provider.requests[-1].closed.is_set, "the provider's close")
    assert _last(home)["state"] == "interrupted"


def test_before_anything_is_sent(alone: Any, provider: OpenAIProvider) -> None:
    """B6: a server that takes no connection is given up at once, and nothing is sent."""
    provider.script = Script()
    count = len(provider.requests)
    with NeverAccepts() as never:
        runtime = alone.folder / "runtime"
        url = f"{never.origin}/"
        info = f'{{"url": "{url}", "token": "x", "pid": 1}}'
        (runtime / "jpserver-1.json").write_text(info)
        notebook = alone.open(JUPYTER_SERVER_URL=url)
        cell = notebook.begin("%%chat\nTell me a story")
        cell.until_text("[Waiting…]")
        began = time.perf_counter()
        notebook.interrupt()
        assert f"[{MARK}; nothing was sent]" in _interrupted(cell)
        assert time.perf_counter() - began < 2.0, "it waited for the connection"
        _next_cell_runs(notebook)
        assert len(provider.requests) == count
    (runtime / "jpserver-1.json").unlink()
    # There is no such server any more, and the kernel does it itself.
    assert notebook.run("%%chat\nTell me a story").text == "t0 t1 t2 t3 t4 "


def test_while_the_engine_is_made_ready(alone: Any, provider: OpenAIProvider) -> None:
    """B6: the first cell without a server imports for seconds; its interrupt waits for none."""
    provider.script = Script()
    count = len(provider.requests)
    notebook = alone.open()
    notebook.run(
        "import threading\n"
        "import jupyter_stop_chat.magics.backends.kernel as room\n"
        "gate, make = threading.Event(), room._read_settings\n"
        "room._read_settings = lambda: (gate.wait(), make())[1]"
    )
    cell = notebook.begin("%%chat\nTell me a story")
    cell.until_text("[Waiting…]")
    notebook.interrupt()
    assert f"[{MARK}; nothing was sent]" in _interrupted(cell)
    _next_cell_runs(notebook)
    notebook.run("gate.set()")
    assert notebook.run("%%chat\nTell me a story").text == "t0 t1 t2 t3 t4 "
    assert len(provider.requests) == count + 1


def _rounds(notebook: Notebook, provider: OpenAIProvider, rounds: int) -> None:
    """Stop in one phase after the other; threads, sockets and tasks stay as many."""
    flat = (
        "__import__('gc').collect() and 0",
        "__import__('threading').active_count()",
        "len(__import__('psutil').Process().net_connections())",
        "len(__import__('os').listdir('/proc/self/fd'))",
        "(lambda p: len(__import__('asyncio').all_tasks(p._loop)) if hasattr(p, '_loop') else 0)"
        "(get_ipython().magics_manager.registry['ChatMagics'].backends._backend)",
    )
    before: Any = None
    phases: list[dict[str, Any]] = [
        {"rate": 200},
        {"stall": "before_headers"},
        {"stall": "after_headers"},
        {"stall_after": 3},
    ]
    for number in range(-len(phases), rounds):
        if number == 0:
            before = notebook.value(f"[{','.join(flat)}]")
        script = phases[number % len(phases)]
        provider.script = Script(tokens=1000, **script)
        count = len(provider.requests)
        cell = notebook.begin("%%chat\nTell me a story")
        eventually(lambda count=count: len(provider.requests) > count, "the request")
        if "rate" in script or "stall_after" in script:
            cell.until_text("t2 ")
        assert _interrupt(notebook, provider.requests[-1]) <= SOON
        assert MARK in _interrupted(cell)
        assert notebook.run(f"print({number} + 1)").text == f"{number + 1}\n"
    eventually(lambda: provider.open_connections == 0, "all connections closed")
    eventually(lambda: notebook.value(f"[{','.join(flat)}]") == before, "nothing more than before")


def test_a_few_times_in_a_row(notebook: Notebook, provider: OpenAIProvider) -> None:
    """B6, V10: nothing is left behind."""
    _rounds(notebook, provider, 8)


@pytest.mark.stress
@pytest.mark.timeout(600)
def test_fifty_times_in_a_row(notebook: Notebook, provider: OpenAIProvider) -> None:
    """B6, V10: nothing is left behind."""
    _rounds(notebook, provider, 50)
