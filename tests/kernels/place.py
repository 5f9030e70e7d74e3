"""A server's kernels, each with a person who uses it as well."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError

from jupyter_stop_chat.kernels import LiveKernels
from jupyter_stop_chat.kernels.connection import Connection
from jupyter_stop_chat.server.jupyter.kernels import ServerKernels
from tests.aids.missing import missing
from tests.kernels.person import Person

SPECS = Path(__file__).parents[2] / ".kernels" / "specs" / "share" / "jupyter"
#: ipykernel as it is in this environment, and its last version before 7.
IPYKERNELS = ("python3", "ipykernel6")
NOT_PYTHON = "bash"


@dataclass
class Used:
    """A kernel that is being used.

    :ivar person: uses it as well; `other`: from another notebook.
    """

    kernel: Connection
    kernel_id: str
    person: Person
    other: Person


class Sessions:
    """A server's sessions, of which there are none."""

    async def list_sessions(self) -> list[Any]:
        """Return them."""
        return []


class Place:
    """A server's kernels."""

    def __init__(self, root: Path) -> None:
        # Else what kernels are reached by would be written where the tests were begun.
        self.manager = AsyncMappingKernelManager(root_dir=str(root), connection_dir=str(root))
        server = SimpleNamespace(kernel_manager=self.manager, session_manager=Sessions())
        self.kernels = LiveKernels(ServerKernels(cast("Any", server)))

    @staticmethod
    def has(name: str) -> bool:
        """Say whether there is a kernel of that name."""
        return name == IPYKERNELS[0] or (SPECS / "kernels" / name).exists()

    def need(self, name: str) -> None:
        """Skip a test whose kernel is not here, or fail it."""
        if not self.has(name):
            missing(f"the kernel {name}", "`make .stamps/kernels`")

    async def start(self, name: str) -> str:
        """Start a kernel by the name of its spec."""
        self.need(name)
        return str(await self.manager.start_kernel(kernel_name=name))

    @asynccontextmanager
    async def using(self, name: str) -> AsyncIterator[Used]:
        """Start a kernel and use it; it is idle at first."""
        kernel_id = await self.start(name)
        people = [Person(self.manager.get_kernel(kernel_id)) for _ in range(2)]
        try:
            async with self.kernels.use(kernel_id) as kernel:
                await kernel.idle()
                for each in people:
                    await each.ready()
                yield Used(kernel, kernel_id, *people)
        finally:
            for each in people:
                await each.close()

    async def close(self) -> None:
        """End them."""
        await self.kernels.close()
        for kernel_id in self.manager.list_kernel_ids():
            with suppress(HTTPError):  # it has just been found to be dead
                await self.manager.shutdown_kernel(kernel_id, now=True)
