"""Cells that a model runs in real kernels, through the whole server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_stop_chat.ports.tools import PageError
from tests.aids.agent_page import BOOK, Person, uses
from tests.providers import OpenAIProvider, Script
from tests.providers.strict import pairs
from tests.tools.notebooks import Page, cell

pytestmark = pytest.mark.may_hold_the_loop("Jupyter Server starts kernels, and imports for it")
FOREVER = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
#: A cell that no interrupt ends.
DEAF = """
import time
print('begun', flush=True)
while True:
    try:
        time.sleep(0.05)
    except KeyboardInterrupt:
        pass
"""


class KernelPage(Page):
    """A page that sends cells to a kernel, as JupyterLab does."""

    def __init__(self, client: Any, kernel_id: str, cells: list[Any]) -> None:
        super().__init__(a=cells)
        self.client, self.kernel_id = client, kernel_id
        self.sent: list[str] = []

    def send(self, code: str, **metadata: Any) -> str:
        """Send a cell; return by which message."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content |= {"allow_stdin": False, "stop_on_error": False}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        msg_id: str = message["header"]["msg_id"]
        return msg_id

    def _run(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        found = cells[self._at(cells, args["cell_id"])]
        if found["source"] != args["source"]:
            raise PageError("changed")
        if args["kernel_id"] != self.kernel_id:
            raise PageError("changed_kernel")
        self.sent.append(args["mark"])
        return {"msg_id": self.send(args["source"], stop_chat=args["mark"])}

    def _run_end(self, cells: list[Any], args: Mapping[str, Any]) -> Any:
        return {"put": args["mark"] in self.sent}


@pytest.fixture
def kernel(
    app: Any, jp_fetch: Any, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> Iterator[Callable[[], Awaitable[str]]]:
    """Start the notebook's kernel; return its id."""

    async def start() -> str:
        body = {"path": BOOK, "name": BOOK, "type": "notebook", "kernel": {"name": "python3"}}
        answer = await jp_fetch("api", "sessions", method="POST", body=json.dumps(body))
        made: str = json.loads(answer.body)["kernel"]["id"]
        return made

    yield start
    jp_asyncio_loop.run_until_complete(app.serverapp.kernel_manager.shutdown_all())


@pytest.fixture
def working(
    app: Any,
    kernel: Any,
    connect: Any,
    provider: OpenAIProvider,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[Callable[..., Awaitable[Person]]]:
    """Open a notebook with a kernel in a page, in which somebody works."""
    clients: list[Any] = []

    async def make(*sources: str) -> Person:
        kernel_id = await kernel()
        client = app.serverapp.kernel_manager.get_kernel(kernel_id).client()
        clients.append(client)
        client.start_channels(stdin=False, hb=False)
        cells = [cell(each, f"c{at}") for at, each in enumerate(sources)]
        person = Person(await connect(), KernelPage(client, kernel_id, cells))
        await person.here()
        return person

    yield make
    for each in clients:
        each.stop_channels()


def _line(frame: dict[str, Any], state: str) -> bool:
    return frame["state"] == state


async def _begun(person: Person) -> None:
    """Wait until a cell has printed something."""
    await person.until("tool", lambda frame: frame.get("progress") == "begun")


async def _stop(person: Person, message_id: str) -> dict[str, Any]:
    await person.client.send({"type": "stop", "message_id": message_id})
    result: dict[str, Any] = (await person.until("stop_result"))["results"][0]
    assert result["outcome"] == "interrupted", result
    assert result["receipt"]["settled_ms"] < 2000
    return result


async def _alive(person: Person, provider: OpenAIProvider) -> None:
    """See that the kernel takes another cell."""
    provider.scripts += [uses("run_cell", path=BOOK, cell_id="c1"), Script(tokens=["Done."])]
    ended = await person.end(await person.send())
    assert ended["state"] == "completed", ended
    told = [answer for _, answer in pairs(provider.requests[-1].body)]
    assert "```\n42\n```" in told[-1], told[-1]


async def test_a_cell_runs_and_is_stopped_alone(
    working: Any, provider: OpenAIProvider, call: Any
) -> None:
    """N1, N2, N7, N12: in the page's kernel; what it defined stays, and the next one runs."""
    person = await working(FOREVER, "print(6 * 7)")
    await _alive(person, provider)
    provider.scripts.append(uses("run_cell", path=BOOK, cell_id="c0"))
    message_id = await person.send()
    await _begun(person)
    result = await _stop(person, message_id)
    kernel = result["receipt"]["kernel"]
    assert kernel["answer"] in {"raised", "handler"}
    assert kernel["exact"] is True
    assert kernel["idle_ms"] < 1000
    assert result["receipt"]["calls"]["interrupted"] == 1
    _, told = await call("GET", "messages", message_id, "calls")
    ((ran,),) = [each["changes"] for each in told["calls"]]
    assert (ran["action"], ran["cell_id"], ran["before"]) == ("run", "c0", FOREVER)
    _, told = await call("GET", "messages", message_id, "changes")
    assert told == {"changes": []}, "what ran cannot be taken back"
    await _alive(person, provider)


async def test_it_waits_for_its_persons_cell_and_a_stop_leaves_that(
    working: Any, provider: OpenAIProvider
) -> None:
    """N3: the person's goes on, and the agent's never runs."""
    person = await working("print('mine')", "print(6 * 7)")
    await _alive(person, provider)
    person.page.send("import time\ntime.sleep(2)\nslept = 'to its end'")
    provider.scripts.append(uses("run_cell", path=BOOK, cell_id="c0"))
    message_id = await person.send()
    await person.until("tool", lambda frame: frame.get("waits_for") == "kernel")
    sent = len(person.page.sent)
    result = await _stop(person, message_id)
    assert result["receipt"].get("kernel") is None
    person.page.notebooks[BOOK][1]["source"] = "print(42 if slept else 0)"
    await _alive(person, provider)
    assert len(person.page.sent) == sent + 1


async def test_one_that_does_not_react_says_so_until_its_kernel_is_restarted(
    working: Any, provider: OpenAIProvider, call: Any, jp_fetch: Any
) -> None:
    """N4: by its owner, over HTTP; then its line changes by itself."""
    person = await working(DEAF, "print(6 * 7)")
    provider.scripts.append(uses("run_cell", path=BOOK, cell_id="c0"))
    message_id = await person.send()
    await _begun(person)
    await _stop(person, message_id)
    _, told = await call("GET", "messages", message_id, "calls")
    (line,) = told["calls"]
    assert line["state"] == "still_running"
    where = ("messages", message_id, "calls", line["call_id"], "kernel")
    for action in ("interrupt", "restart"):
        body = json.dumps({"action": action})
        answer = await jp_fetch("api", "stop-chat", *where, method="POST", body=body)
        assert answer.code == 204
    await person.until(
        "message",
        lambda frame: [each["state"] for each in frame["message"]["tools"]] == ["interrupted"],
    )
    status, _ = await call("POST", *where, body={"action": "interrupt"})
    assert status == 409
    await _alive(person, provider)


async def test_a_kernel_that_dies_ends_the_run_and_the_reply_goes_on(
    working: Any, provider: OpenAIProvider
) -> None:
    """N4: its model is told."""
    person = await working("import os\nos._exit(1)", "print(6 * 7)")
    provider.scripts += [
        uses("run_cell", path=BOOK, cell_id="c0"),
        Script(tokens=["I see."]),
    ]
    ended = await person.end(await person.send())
    assert ended["state"] == "completed", ended
    ((_, told),) = pairs(provider.requests[-1].body)
    assert "kernel died" in told or "kernel was restarted" in told


async def test_closing_the_tab_ends_no_run(
    app: Any, working: Any, provider: OpenAIProvider, jp_fetch: Any
) -> None:
    """N6: its model hears the result; it is kept under the name that the notebook has by then."""
    person = await working("import time\nprint('begun', flush=True)\ntime.sleep(2)\n6 * 7")
    provider.scripts += [uses("run_cell", path=BOOK, cell_id="c0"), Script(tokens=["I see."])]
    message_id = await person.send()
    await _begun(person)
    person.client.socket.close()
    sessions = json.loads((await jp_fetch("api", "sessions")).body)
    body = json.dumps({"path": "b.ipynb"})
    await jp_fetch("api", "sessions", sessions[0]["id"], method="PATCH", body=body)
    services = await app.services()
    generation = services.engine.generation(message_id)
    message = await asyncio.shield(generation.settled)
    assert (message.state, [each.state for each in message.tools]) == ("completed", ["completed"])
    ((_, told),) = pairs(provider.requests[-1].body)
    assert "```\n42\n```" in told
    kept = await jp_fetch("api", "stop-chat", "cell-outputs", params={"path": "b.ipynb"})
    (run,) = json.loads(kept.body)["runs"]
    assert [each["output_type"] for each in run["outputs"]] == ["stream", "execute_result"]
    assert run["execution_count"] == 1


async def test_without_a_page_it_runs_all_the_same_and_is_kept(
    app: Any, kernel: Any, provider: OpenAIProvider, stream: Any, call: Any, jp_fetch: Any
) -> None:
    """N6: by the rule that its person made; the file stays as it is."""
    await kernel()
    root = await asyncio.to_thread(Path, app.serverapp.root_dir)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)", id="c1")])
    before = nbformat.writes(book)
    (root / BOOK).write_text(before)
    await (await app.services()).store.allowed_tools.allow("server", "", "run_cell")
    provider.scripts += [uses("run_cell", path=BOOK, cell_id="c1"), Script(tokens=["Done."])]
    reader = await stream(mode="agent", model="openai:gpt-loopback")
    last: dict[str, Any] = {}
    async for _, content in reader.events():
        last = content
    assert last["message"]["state"] == "completed", last
    assert [each["state"] for each in last["message"]["tools"]] == ["completed"]
    kept = await jp_fetch("api", "stop-chat", "cell-outputs", params={"path": BOOK})
    (run,) = json.loads(kept.body)["runs"]
    assert [each["text"] for each in run["outputs"]] == ["42\n"]
    assert (run["cell_id"], run["execution_count"]) == ("c1", 1)
    assert (root / BOOK).read_text() == before


async def test_a_kernel_is_started_where_there_is_none(
    app: Any, provider: OpenAIProvider, connect: Any, jp_asyncio_loop: Any, kernel: Any
) -> None:
    """N19: a person is asked; what the notebook is for is started."""
    root = await asyncio.to_thread(Path, app.serverapp.root_dir)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)", id="c1")])
    (root / BOOK).write_text(nbformat.writes(book))
    person = Person(await connect(), Page())
    await person.here()
    provider.scripts += [
        uses("run_cell", path=BOOK, cell_id="c1"),
        uses("restart_kernel", path=BOOK),
        uses("run_cell", path=BOOK, cell_id="c1"),
        Script(tokens=["Done."]),
    ]
    ended = await person.end(await person.send())
    assert [each["state"] for each in ended["tools"]] == ["failed", "completed", "completed"]
    assert "has no kernel: start one with restart_kernel" in ended["tools"][0]["result"]
    assert [each["approval"]["by_rule"] for each in person.asked] == [False, True]
    assert "42" in ended["tools"][2]["result"]
