"""An engine whose model runs cells of a notebook that a page has open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from jupyter_stop_chat.chat_handlers.langchain.handler import LangChainHandler
from jupyter_stop_chat.engine.tools.approvals import Allowed
from jupyter_stop_chat.ports.contents import ContentsError
from jupyter_stop_chat.ports.tools import PageError
from jupyter_stop_chat.tools import BuiltInTools
from jupyter_stop_chat.uploads.pictures import Pictures
from jupyter_stop_chat.wire.objects import MessageState
from tests.aids.kernels import ScriptedKernel, ScriptedKernels
from tests.aids.tool_calls import Person
from tests.engine.bench import MODEL, OWNER, Bench, bench_in_memory
from tests.engine.tools.tabs import Tab
from tests.providers import Provider, Script, ToolUse
from tests.providers.chat_models import make_model, make_provider
from tests.tools.notebooks import cell
from tests.tools.runs.bench import RunningPage

A = "a.ipynb"
KINDS = ["openai", "anthropic"]
_ids = iter(range(10**9))


class NoFiles:
    """A server without files."""

    def __getattr__(self, name: str) -> Any:
        async def fail(*args: Any) -> Any:
            raise ContentsError("missing")

        return fail


class Runner:
    """An engine whose model runs cells of a notebook that a page has open.

    :ivar person: what is asked.
    """

    def __init__(self, bench: Bench, provider: Provider, **approvals: Any) -> None:
        self.bench, self.provider = bench, provider
        self.kernel = ScriptedKernel()
        self.kernels = ScriptedKernels(self.kernel)
        self.page = RunningPage(self.kernel, a=[cell("x = 1", "one"), cell("y = 2", "two")])
        self.person = Person()
        self.pictures = Pictures()
        self.tools = BuiltInTools(NoFiles(), self.kernels, bench.store.outputs, self.pictures)  # type: ignore[arg-type]
        bench.use(*self.tools(OWNER), **({"approvals": self.person} | approvals))
        self.tab = Tab(bench.engine.pages, A, here=True)
        self.tab.answer = self._answer
        self.chat_id: str | None = None

    def _answer(self, frame: Any) -> tuple[Any, str | None]:
        try:
            return self.page.do(frame.operation, frame.args), None
        except PageError as error:
            return error.result, error.code

    async def ask(self, *cell_ids: str, **more: Any) -> Any:
        """Send a prompt, at which the model runs cells."""
        uses = [
            ToolUse("run_cell", {"path": A, "cell_id": each, **more}, f"call_{next(_ids)}")
            for each in cell_ids
        ]
        self.provider.scripts.append(Script(tokens=["Well. "], tool_calls=uses))
        accepted = await self.bench.send(chat_id=self.chat_id, mode="agent")
        self.chat_id = accepted.chat_id
        return accepted

    async def allowed(self) -> None:
        """Allow what is asked next."""
        await self.person.asked.wait()
        self.person.says(Allowed())

    async def stopped(self, accepted: Any) -> Any:
        """Stop the reply, and see that the next turn is taken."""
        (result,) = await self.bench.stop(message_id=accepted.message.id)
        message = await self.bench.end(accepted)
        assert message.state is MessageState.INTERRUPTED, message.error
        assert result.receipt.settled_ms < 1500
        await self.next_turn()
        return message

    async def next_turn(self) -> Any:
        """Ask again: the provider refuses what the real one does."""
        self.provider.scripts.append(Script(tokens=["Next."]))
        again = await self.bench.end(await self.bench.send("and?", self.chat_id, mode="agent"))
        assert (again.state, again.text) == (MessageState.COMPLETED, "Next."), again.error
        return self.provider.requests[-1].body

    async def close(self) -> None:
        """Let go of it all."""
        await self.tools.close()
        await self.pictures.close()
        self.tab.leave()
        self.bench.engine.pages.close()


@asynccontextmanager
async def running(kind: str, **more: Any) -> AsyncIterator[Runner]:
    async with make_provider(kind) as provider, bench_in_memory() as bench:
        model = make_model(kind, provider.base_url, profile={"image_inputs": True})
        handler = LangChainHandler(model)
        bench.handlers[MODEL] = handler
        runner = Runner(bench, provider, **more)
        yield runner
        await runner.close()
        await handler.close()
