"""Kernels as a server has them: ipykernel 7 and 6, and one that is not Python."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import anyio._backends._asyncio  # noqa: F401 - else imported while the first file is read
import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from tests.kernels.place import SPECS, Place


@pytest.fixture(scope="session", autouse=True)
def _specs() -> Iterator[None]:
    """Let the specs of the other kernels be found, and what starts them be imported."""
    KernelProvisionerFactory.instance().get_provisioner_entries()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(SPECS), prepend=os.pathsep)
        yield


@pytest.fixture
def place(tmp_path: Path, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[Place]:
    """Return a server's kernels."""
    made = Place(tmp_path)
    yield made
    jp_asyncio_loop.run_until_complete(made.close())
