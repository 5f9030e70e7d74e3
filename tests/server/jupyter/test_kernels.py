"""A server's kernels, as it has them: found by their documents, started as JupyterLab does."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_stop_chat.kernels import LiveKernels
from jupyter_stop_chat.ports.kernels import KernelError
from jupyter_stop_chat.server.jupyter.kernels import ServerKernels


async def test_a_documents_kernel_is_found_also_by_its_new_name(
    jp_serverapp: Any, jp_root_dir: Any
) -> None:
    """N6: where a document goes its kernel goes along; N19: one is started in the open."""
    (jp_root_dir / "first").mkdir()
    kernels = LiveKernels(ServerKernels(jp_serverapp))
    assert await kernels.find("first/a.ipynb") is None
    started = await kernels.start("/first/a.ipynb", None)
    assert await kernels.find("first/a.ipynb") == started
    assert (started.name, started.path) == ("python3", "first/a.ipynb")
    session = (await jp_serverapp.session_manager.list_sessions())[0]
    assert session["type"] == "notebook"
    await jp_serverapp.session_manager.update_session(session["id"], path="b.ipynb")
    assert await kernels.where(started) == "b.ipynb"

    async with kernels.use(started.kernel_id) as kernel:
        await kernel.idle()
        assert kernel.info.path == "b.ipynb"
        run = kernel.expect("mark")
        await kernel.execute(run, "import os; print(os.path.basename(os.getcwd()))")
        assert (await run.ended()).outputs[0]["text"] == "first\n"
        # What we ask on the control channel makes a kernel no busier, as the server shows it.
        await run.interrupt()
        await kernel.idle()
        assert not kernel.says_busy()
    # Another notebook may be given the same kernel.
    other = {"path": "c.ipynb", "name": "c", "type": "notebook", "kernel_id": started.kernel_id}
    await jp_serverapp.session_manager.create_session(**other)
    found = await kernels.find("c.ipynb")
    assert found.kernel_id == started.kernel_id
    assert await kernels.where(found) == "c.ipynb"
    assert await kernels.where(started) == "b.ipynb"
    await kernels.close()
    await jp_serverapp.session_manager.delete_session(session["id"])
    assert await kernels.where(started) is None
    with pytest.raises(KernelError, match="missing"):
        await kernels.restart(started.kernel_id)


async def test_a_server_that_fails_is_said_to(jp_serverapp: Any) -> None:
    kernels = LiveKernels(ServerKernels(jp_serverapp))
    with pytest.raises(KernelError, match="failed"):
        await kernels.start("a.ipynb", "no such kernel")
    await kernels.close()
