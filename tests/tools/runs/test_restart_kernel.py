"""A kernel is started, or started anew, by a person's leave each time."""

from __future__ import annotations

import asyncio
import json

import pytest

from jupyter_stop_chat.ports.tools import ToolError
from tests.tools.notebooks import cell
from tests.tools.runs.bench import RunCall

A = "a.ipynb"


async def test_a_kernel_is_started_anew(page, kernels, by_name):
    """N19: no rule allows it."""
    call = RunCall(page)
    result = await call.run(by_name["restart_kernel"], path=A)
    assert "started anew" in result.text
    assert [each.always_asked for each in call.asked] == [True]
    assert kernels.calls == [("restart", "kernel-1")]


async def test_a_page_starts_the_kernel_of_its_notebook(page, kernels, by_name):
    """N14, N19."""
    kernels.kernel = None
    result = await RunCall(page).run(by_name["restart_kernel"], path=A)
    assert "A kernel is started" in result.text
    assert page.started == [A]
    assert kernels.calls == []


@pytest.mark.parametrize(
    ("metadata", "name"),
    [({}, None), ({"kernelspec": {"name": "ir"}}, "ir"), ({"kernelspec": {"name": 7}}, None)],
)
async def test_without_a_page_the_server_starts_what_the_notebook_says(
    root, kernels, by_name, metadata, name
):
    """N6, N19."""
    kernels.kernel = None
    notebook = {"cells": [cell("y", "one")], "metadata": metadata, "nbformat": 4}
    (root / A).write_text(json.dumps(notebook | {"nbformat_minor": 5}))
    await RunCall(None).run(by_name["restart_kernel"], path=A)
    assert kernels.calls == [("start", A, name)]


async def test_what_is_no_notebook_has_no_kernel(page, kernels, by_name):
    """N19."""
    call = RunCall(page)
    with pytest.raises(ToolError, match="no such file"):
        await call.run(by_name["restart_kernel"], path="gone.ipynb")
    kernels.fault = "failed"
    with pytest.raises(ToolError, match="cannot reach"):
        await call.run(by_name["restart_kernel"], path=A)
    kernels.kernel, kernels.fault = None, None
    page.fails["start_kernel"] = "failed"
    with pytest.raises(ToolError):
        await call.run(by_name["restart_kernel"], path=A)


async def test_a_restart_that_has_begun_comes_to_its_end(page, kernels, by_name):
    """N4: a kernel is not left half-way; that it goes on is told."""
    kernels.gate = asyncio.Event()
    call = RunCall(page)
    running = asyncio.ensure_future(call.run(by_name["restart_kernel"], path=A))
    await kernels.restarting.wait()
    call.stopped = True
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()
    (left,) = call.left
    kernels.gate.set()
    await asyncio.wait({left})
    assert kernels.calls == [("restart", "kernel-1")]
