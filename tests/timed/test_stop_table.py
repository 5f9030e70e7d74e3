"""How long a stop takes, measured over real sockets: the table in `docs/stop.md`.

Run with `STOP_CHAT_WRITE_TABLE=1` to write what was measured into the page.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_stop_chat.testing import Gate, SyncScriptedModel
from tests.aids.bare import Bare, bare
from tests.aids.turns import until
from tests.aids.weights import local_model_data_dir
from tests.providers import NeverAccepts, Script, ToolUse
from tests.providers.chat_models import MODELS, make_model, make_provider

__all__ = ["local_model_data_dir"]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "stop.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
PHASES = ("connecting", "before the first token", "streaming", "stalled", "tool running")
ROWS = {
    "openai": "OpenAI, chat completions",
    "responses": "OpenAI, Responses",
    "anthropic": "Anthropic",
    "ollama": "Ollama",
    "agent": "an agent (LangGraph, on OpenAI)",
    "sync": "a model that has only sync code",
    "local": "the built-in local model",
}
#: Of each, so many stops are measured, and the median counts.
TIMES = 9 if os.environ.get("STOP_CHAT_WRITE_TABLE") else 5
#: An asynchronous model is stopped within this, in milliseconds, by the median. What is shown to
#: readers is held to the promise; elsewhere, machines are busy with other tests as well.
SOON = 10.0 if os.environ.get("STOP_CHAT_WRITE_TABLE") else 25.0


@dataclass
class Cell:
    """What was measured in one phase of one model, in milliseconds."""

    ended: list[float] = field(default_factory=list)
    closed: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    provider: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        closed = f"{statistics.median(self.closed):.1f}" if self.closed else "–"
        tokens = f"{statistics.median(self.tokens):.0f}" if self.tokens else "–"
        named = "" if self.provider == {"closed"} else f" ({', '.join(sorted(self.provider))})"
        return f"{statistics.median(self.ended):.1f} / {closed} / {tokens}{named}"


@dataclass
class Case:
    """One phase: a model id, and what is waited for before Stop is pressed."""

    model: str
    begun: Callable[[Any], Any]
    request: Callable[[], Any] = lambda: None


async def measure(page: Any, case: Case, steps: Bare) -> Cell:
    """Stop a reply several times, and measure from the stop on."""
    cell = Cell()
    for _ in range(TIMES):
        accepted = await page.ask("Go", model=case.model)
        message_id = accepted["message"]["id"]
        await case.begun(message_id)
        request = case.request()
        await steps.measure()
        tokens = request.tokens_sent if request else 0
        began = time.perf_counter()
        await page.send({"type": "stop", "message_id": message_id})
        message = await page.end_of(message_id)
        cell.ended.append((time.perf_counter() - began) * 1000)
        assert message["state"] == "interrupted"
        cell.provider.add(message["stop"]["provider"])
        if request is not None:
            await asyncio.wait_for(request.closed.wait(), 10)
            cell.closed.append((request.closed_at - began) * 1000)
            cell.tokens.append(request.tokens_sent - tokens)
        elif message["stop"].get("provider_ms") is not None:
            cell.closed.append(message["stop"]["provider_ms"])
        await page.until("stop_result")
    return cell


class Bench:
    """A page, and what the phases wait for.

    :ivar steps: what the machine takes for a stop's bare steps.
    """

    def __init__(self, page: Any, services: Any, steps: Bare) -> None:
        self.page = page
        self.steps = steps
        self.models = services.models
        self.engine = services.engine

    async def delta(self, message_id: str) -> None:
        """Wait until text is shown."""
        await self.page.until("delta", lambda frame: frame["message_id"] == message_id)

    async def generating(self, message_id: str) -> None:
        """Wait until the model was asked, and so far on that it waits for its provider."""
        generation = self.engine.generation(message_id)
        await until(lambda: generation._provider.is_ != "not_started")
        for _ in range(50):
            await asyncio.sleep(0)

    async def measure_provider(self, kind: str, make: Callable[[str], Any]) -> dict[str, Cell]:
        """Measure the phases that a provider on loopback can be brought into."""
        cells: dict[str, Cell] = {}
        with NeverAccepts() as silent:
            self.models.register("table", lambda name: make(f"{silent.origin}/v1"))
            # Building it is not what is measured.
            handler, _ = await self.models.resolve("table:x")
            cells["connecting"] = await measure(
                self.page, Case("table:x", self.generating), self.steps
            )
            await handler.close()
        async with make_provider("openai" if kind == "agent" else kind) as provider:
            self.models.register("table", lambda name: make(provider.base_url))
            # The first request pays for imports, which are not what is measured.
            provider.script = Script(tokens=["ok"])
            await self.page.end_of((await self.page.ask(model="table:x"))["message"]["id"])
            provider.requests.clear()

            def newest() -> Any:
                return provider.requests[-1]

            seen = itertools.count(1)

            async def headers(message_id: str) -> None:
                request = await asyncio.wait_for(provider.next_request(next(seen)), 10)
                await asyncio.wait_for(request.stalled.wait(), 10)

            provider.script = Script(tokens=10**9, stall="after_headers")
            case = Case("table:x", headers, newest)
            cells["before the first token"] = await measure(self.page, case, self.steps)
            provider.script = Script(tokens=10**9, rate=100)
            cells["streaming"] = await measure(
                self.page, Case("table:x", self.delta, newest), self.steps
            )
            provider.script = Script(tokens=10**9, stall_after=3)
            cells["stalled"] = await measure(
                self.page, Case("table:x", self.delta, newest), self.steps
            )
            if kind == "agent":
                provider.script = Script(tokens=0, tool_calls=[ToolUse("wait", {})])
                cells["tool running"] = await measure(
                    self.page, Case("table:x", self.tool_started), self.steps
                )
            handler, _ = await self.models.resolve("table:x")
            self.models.forget("table")
            await handler.close()
        return cells

    async def tool_started(self, message_id: str) -> None:
        """Wait until a tool runs."""
        await asyncio.wait_for(TOOL.wait(), 10)
        TOOL.clear()


TOOL = asyncio.Event()


def make_agent(base_url: str) -> Any:
    """Build an agent with a tool that waits for ever."""
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    @tool
    async def wait() -> str:
        """Wait."""
        TOOL.set()
        await asyncio.Event().wait()
        return "never"

    return create_agent(make_model("openai", base_url), [wait])


@asynccontextmanager
async def bench_of(app: Any, connect: Any, folder: Path) -> AsyncIterator[Bench]:
    """Connect a page to the server."""
    app.titles = "prompt"
    services = await app.services()
    async with bare(folder) as steps:
        yield Bench(await connect(), services, steps)
    assert services.engine.registry.empty


def note(kind: str, cells: dict[str, Cell]) -> None:
    """Print what was measured, and write it into the page when that is asked for."""
    row = [str(cells[phase]) if phase in cells else "–" for phase in PHASES]
    line = f"| {ROWS[kind]} | {' | '.join(row)} |"
    print(line)
    if not os.environ.get("STOP_CHAT_WRITE_TABLE"):
        return
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    lines = {each.split("|")[1].strip(): each for each in old.splitlines() if "|" in each}
    lines[ROWS[kind]] = line
    head = ["| model | " + " | ".join(PHASES) + " |", "|---" * (len(PHASES) + 1) + "|"]
    body = [lines[name] for name in ROWS.values() if name in lines]
    table = "\n".join(["", "", *head, *body, "", ""])
    PAGE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")


@pytest.mark.parametrize("kind", [*MODELS, "agent"])
async def test_asynchronous_models_stop_at_once(
    kind: str, app: Any, connect: Any, tmp_path: Path
) -> None:
    """V1, V8, J7, B1: the page's end and the provider's close, in every phase."""
    make = make_agent if kind == "agent" else lambda url: make_model(kind, url)
    async with bench_of(app, connect, tmp_path) as bench:
        cells = await bench.measure_provider(kind, make)
    note(kind, cells)
    assert set(cells) == set(PHASES if kind == "agent" else PHASES[:4])
    soon = bench.steps.soon(SOON)
    for phase, cell in cells.items():
        assert statistics.median(cell.ended) <= soon, (phase, cell.ended)
        if phase != "tool running":  # what a tool leaves behind is its own affair
            assert cell.provider == {"closed"}, phase
        if cell.closed:
            assert statistics.median(cell.closed) <= soon, (phase, cell.closed)
        if cell.tokens:
            assert statistics.median(cell.tokens) <= 2, (phase, cell.tokens)


async def test_a_sync_model_lets_go_at_once(app: Any, connect: Any, tmp_path: Path) -> None:
    """B1, J3: the page's end comes at once, and what runs on is named."""
    cells: dict[str, Cell] = {}
    gates: list[Gate] = []

    def make(script: Callable[[], list[Any]]) -> Callable[[str], Any]:
        class Model(SyncScriptedModel):
            def _begin(self, messages: Any) -> Any:
                run, _ = super()._begin(messages)
                return run, script()

        return lambda name: Model()

    def silent() -> list[Any]:
        gates.append(Gate())
        return [gates[-1]]

    def stalls() -> list[Any]:
        return ["text ", *silent()]

    def flows() -> Any:
        while True:
            yield "text "
            time.sleep(0.01)

    async with bench_of(app, connect, tmp_path) as bench:
        seen = itertools.count()

        async def begun(message_id: str) -> None:
            number = next(seen)
            await until(lambda: len(gates) > number)
            await gates[number].reached.wait()

        for phase, script, wait in (
            ("before the first token", silent, begun),
            ("streaming", flows, bench.delta),
            ("stalled", stalls, bench.delta),
        ):
            bench.models.register("table", make(script))
            cells[phase] = await measure(bench.page, Case("table:x", wait), bench.steps)
            for gate in gates:
                gate.open()
    note("sync", cells)
    for cell in cells.values():
        assert max(cell.ended) <= 2000
        assert statistics.median(cell.ended) <= bench.steps.soon(SOON * 2)
        assert cell.provider <= {"still_finishing", "closed"}
    assert cells["stalled"].provider == {"still_finishing"}


@pytest.mark.local_model
async def test_the_local_model_stops_at_once(
    app: Any, connect: Any, tmp_path: Path, local_model_data_dir: Path
) -> None:
    """V1, V8, B11: the page's end, and the child's word that nothing runs any more."""
    from jupyter_stop_chat.chat_handlers.local import LocalHandler

    cells: dict[str, Cell] = {}
    async with bench_of(app, connect, tmp_path) as bench:
        handler = LocalHandler(local_model_data_dir)
        bench.models.register("table", lambda name: handler)
        page = bench.page

        async def asked(message_id: str) -> None:
            """Wait until the child was asked: what is stopped before that asks nothing of it."""
            await until(lambda: any(each._requests for each in handler._processes.values()))

        async def late(message_id: str) -> dict[str, Any]:
            """Wait for the receipt that says that nothing runs any more."""
            frame = await page.until(
                "message",
                lambda frame: (
                    frame["message"]["id"] == message_id
                    and frame["message"].get("stop", {}).get("provider") == "closed"
                ),
            )
            message: dict[str, Any] = frame["message"]
            return message

        async def measure_local(body: str, begun: Any) -> Cell:
            cell = Cell()
            for _ in range(TIMES):
                accepted = await page.ask(body, model="table:smollm2")
                message_id = accepted["message"]["id"]
                await begun(message_id)
                await bench.steps.measure()
                began = time.perf_counter()
                await page.send({"type": "stop", "message_id": message_id})
                message = await page.end_of(message_id)
                cell.ended.append((time.perf_counter() - began) * 1000)
                if message["stop"]["provider"] != "closed":
                    message = await late(message_id)
                cell.closed.append(message["stop"]["provider_ms"])
                cell.provider.add("closed")
            return cell

        # Warm: the model is loaded, and has written a word.
        accepted = await page.ask("Hi", model="table:smollm2")
        await page.end_of(accepted["message"]["id"])
        reading = "Tell me about towers. " * 300
        cells["before the first token"] = await measure_local(reading, asked)
        cells["streaming"] = await measure_local("Count to one thousand.", bench.delta)
    note("local", cells)
    for phase, cell in cells.items():
        assert statistics.median(cell.ended) <= bench.steps.soon(SOON * 2), (phase, cell.ended)
        assert statistics.median(cell.closed) <= 500, (phase, cell.closed)


def test_the_page_shows_every_model() -> None:
    """The table in the documentation is whole."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split(BEGIN)[1].split(END)[0]
    for name in ROWS.values():
        assert f"| {name} |" in table
    for phase in PHASES:
        assert phase in table
