"""The kernel's interrupt button is a Stop, in each phase of a reply, wherever it is made."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jupyter_stop_chat.magics.backends.http import CONNECT_S
from tests.magics.notebook import LOST, Notebook, Running, eventually
from tests.providers import NeverAccepts, OpenAIProvider, Script
from tests.providers.script import Request

MARK = "Interrupted: response stopped by the user"
#: So many blocks of stops may add to what waits in a pool, and so often is looked after each.
_BLOCKS = 4
_LOOKS = 20


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


def _interrupt(notebook: Notebook, request: Request) -> None:
    """Interrupt, and wait until the provider saw its connection close, before it was done."""
    notebook.interrupt()
    eventually(request.closed.is_set, "the provider's close")
    assert not request.completed


def _last(home: Any) -> dict[str, Any]:
    """Return the newest reply in the history, once it has ended."""

    def ended() -> dict[str, Any] | None:
        message: dict[str, Any] = home.chats(1)[0]["messages"][-1]
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
    _interrupt(notebook, request)
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
            for each in home.chats(1)
        ),
        "the generation",
    )
    notebook.interrupt()
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
    _interrupt(notebook, request)
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


#: In a namespace of its own: it is no code of a cell.
_INTERRUPT_LATE = """
import signal as _signal
exec('''
def late(*args, show=shell.showtraceback, **how):
    shell.showtraceback = show
    signal.raise_signal(signal.SIGINT)
    return show(*args, **how)
shell.showtraceback = late
''', {"shell": get_ipython(), "signal": _signal})
"""
#: The same behind the cell's own end, as its kernel is about to wait for no more cells to abort.
_INTERRUPT_LATER = """
import signal as _signal
exec('''
def later(*args, abort=kernel._abort_queues, **how):
    kernel._abort_queues = abort
    kernel._aborting = True
    signal.raise_signal(signal.SIGINT)
    return abort(*args, **how)
kernel._abort_queues = later
''', {"kernel": get_ipython().kernel, "signal": _signal})
"""
#: What is done behind the next cell, and comes to no end; it is no code of a cell either.
_HANGS_BEHIND = """
exec('''
def hangs(*args, count=iter(range(2))):
    if not next(count):
        return  # that was this cell
    events.unregister("%(event)s", hangs)
    print("begun")
    while True:
        pass
events.register("%(event)s", hangs)
''', {"events": get_ipython().events})
"""
_CAUGHT = """
try:
    get_ipython().run_cell_magic("chat", "", "Tell me a story")
except KeyboardInterrupt:
    _signal.raise_signal(_signal.SIGINT)
    print("not interrupted")
"""


def test_one_more_that_comes_too_late(notebook: Notebook, provider: OpenAIProvider) -> None:
    """V7: it does not cost the cell its output; a cell that goes on is interrupted anew."""
    provider.script = Script(tokens=10_000, rate=200)
    notebook.run(_INTERRUPT_LATE)
    for code in ("%%chat\nTell me a story", _CAUGHT):
        cell = notebook.begin(code)
        cell.until_text("t5 ")
        notebook.interrupt()
        if code is not _CAUGHT:
            assert MARK in _interrupted(cell)
        else:
            assert cell.end()["ename"] == "KeyboardInterrupt"
            assert "not interrupted" not in cell.text
        _next_cell_runs(notebook)
    # Nothing is held back once the cell has ended.
    cell = notebook.begin("print('begun')\nwhile True: pass")
    cell.until_text("begun")
    notebook.interrupt()
    assert cell.end()["ename"] == "KeyboardInterrupt"


def test_one_more_that_comes_even_later(notebook: Notebook, provider: OpenAIProvider) -> None:
    """V7: it does not cost the kernel its way back: each cell after it would be aborted."""
    provider.script = Script(tokens=10_000, rate=200)
    notebook.run(_INTERRUPT_LATER)
    cell = notebook.begin("%%chat\nTell me a story")
    cell.until_text("t5 ")
    notebook.interrupt()
    assert MARK in _interrupted(cell)
    _next_cell_runs(notebook)
    # Nothing is held back in the next one.
    cell = notebook.begin("print('begun')\nwhile True: pass")
    cell.until_text("begun")
    notebook.interrupt()
    assert cell.end()["ename"] == "KeyboardInterrupt"


def test_what_is_done_behind_the_cell_can_be_interrupted(
    notebook: Notebook, provider: OpenAIProvider
) -> None:
    """B6: it may come to no end, and there is no other way out of it."""
    provider.script = Script(tokens=10_000, rate=200)
    for event in ("post_execute", "post_run_cell"):
        notebook.run(_HANGS_BEHIND % {"event": event})
        cell = notebook.begin("%%chat\nTell me a story")
        cell.until_text("t5 ")
        notebook.interrupt()
        cell.until_text("begun")
        notebook.interrupt()
        assert cell.end()["ename"] == "KeyboardInterrupt"
        _next_cell_runs(notebook)


def test_before_anything_is_sent(alone: Any, provider: OpenAIProvider) -> None:
    """B6: nobody takes the connection, or the engine is imported for seconds: it waits for none.

    Nothing is sent, and the cell after it runs.
    """
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
        assert time.perf_counter() - began < CONNECT_S, "it waited for the connection"
        _next_cell_runs(notebook)
    (runtime / "jpserver-1.json").unlink()
    # There is no such server any more, and the kernel does it itself, once it is ready.
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
    assert len(provider.requests) == count
    notebook.run("gate.set()")
    assert notebook.run("%%chat\nTell me a story").text == "t0 t1 t2 t3 t4 "
    assert len(provider.requests) == count + 1


#: What is counted in the kernel: threads, connections, files and tasks.
_COUNTED = (
    "__import__('gc').collect() and 0",
    "__import__('threading').active_count()",
    "len(__import__('psutil').Process().net_connections())",
    "len(__import__('os').listdir('/proc/self/fd'))",
    "(lambda p: len(__import__('asyncio').all_tasks(p._loop)) if hasattr(p, '_loop') else 0)"
    "(get_ipython().magics_manager.registry['ChatMagics'].backends._backend)",
)
_PHASES: tuple[dict[str, Any], ...] = (
    {"rate": 200},
    {"stall": "before_headers"},
    {"stall": "after_headers"},
    {"stall_after": 3},
)


def _stops(notebook: Notebook, provider: OpenAIProvider, rounds: int) -> None:
    """Stop in one phase after the other."""
    for number in range(rounds):
        script = _PHASES[number % len(_PHASES)]
        provider.script = Script(tokens=1000, **script)
        count = len(provider.requests)
        cell = notebook.begin("%%chat\nTell me a story")
        eventually(lambda count=count: len(provider.requests) > count, "the request")
        if "rate" in script or "stall_after" in script:
            cell.until_text("t2 ")
        _interrupt(notebook, provider.requests[-1])
        assert MARK in _interrupted(cell)
        assert notebook.run(f"print({number} + 1)").text == f"{number + 1}\n"
    eventually(lambda: provider.open_connections == 0, "all connections closed")


def _nothing_stays(notebook: Notebook, provider: OpenAIProvider, rounds: int) -> None:
    """Check that stops leave nothing behind: no thread, connection, file or task for each.

    What waits in a pool for the next use may grow while the machine is busy, up to a bound; what
    is left behind grows with each block of stops, and so in every one of them.
    """
    _stops(notebook, provider, len(_PHASES))
    counts: list[Any] = []

    def as_few() -> bool:
        time.sleep(0.1)  # each look is a cell, and what was let go of takes a moment to end
        counts.append(notebook.value(f"[{','.join(_COUNTED)}]"))
        return all(now <= then for now, then in zip(counts[-1], counts[0], strict=True))

    for _ in range(_BLOCKS):
        counts[:] = [notebook.value(f"[{','.join(_COUNTED)}]")]
        _stops(notebook, provider, rounds)
        if any(as_few() for _ in range(_LOOKS)):
            return
    raise AssertionError(f"each of {_BLOCKS} blocks left something behind: {counts}")


def test_a_few_times_in_a_row(notebook: Notebook, provider: OpenAIProvider) -> None:
    """B6, V10: nothing is left behind."""
    _nothing_stays(notebook, provider, 8)


@pytest.mark.stress
@pytest.mark.timeout(600)
def test_fifty_times_in_a_row(notebook: Notebook, provider: OpenAIProvider) -> None:
    """B6, V10: nothing is left behind."""
    _nothing_stays(notebook, provider, 50)
