"""What the tests of runs have at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_stop_chat.server.jupyter.contents import ServerContents
from jupyter_stop_chat.tools import BuiltInTools
from jupyter_stop_chat.uploads.pictures import Pictures
from tests.aids.kernels import ScriptedKernel, ScriptedKernels
from tests.tools.notebooks import cell
from tests.tools.runs.bench import Kept, RunningPage


@pytest.fixture
def kernel() -> ScriptedKernel:
    return ScriptedKernel()


@pytest.fixture
def kernels(kernel: ScriptedKernel) -> ScriptedKernels:
    return ScriptedKernels(kernel)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def page(kernel: ScriptedKernel) -> RunningPage:
    return RunningPage(
        kernel,
        a=[cell("x = 1", "one"), cell("# Words", "two", "markdown"), cell("  \n", "three")],
    )


@pytest.fixture
def tools(
    contents: ServerContents,
    kernels: ScriptedKernels,
    kept: Kept,
    jp_asyncio_loop: asyncio.AbstractEventLoop,
) -> Iterator[BuiltInTools]:
    pictures = Pictures()
    made = BuiltInTools(contents, kernels, kept, pictures)
    yield made
    jp_asyncio_loop.run_until_complete(made.close())
    jp_asyncio_loop.run_until_complete(pictures.close())


@pytest.fixture
def by_name(tools: BuiltInTools) -> dict[str, Any]:
    return {each.name: each for each in tools("me")}


@pytest.fixture
def begin(by_name: dict[str, Any]) -> Any:
    """Begin a call of `run_cell`, in a task that can be cancelled as a generation's is."""

    def of(call: Any, **args: Any) -> asyncio.Task[Any]:
        fields = {"path": "a.ipynb", "cell_id": "one"} | args
        return asyncio.ensure_future(call.run(by_name["run_cell"], **fields))

    return of
