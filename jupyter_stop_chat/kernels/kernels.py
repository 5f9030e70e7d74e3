"""The kernels of a server, as tools use them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from jupyter_stop_chat.ports.kernels import KernelError, KernelInfo

from .connection import Connection
from .host import Host


class LiveKernels:
    """The kernels of a server; all who use one at once have one connection to it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._connections: dict[str, Connection] = {}
        #: One at a time for each kernel: one that is slow to start holds up no other.
        self._connecting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._closing: set[asyncio.Task[None]] = set()

    async def find(self, path: str) -> KernelInfo | None:
        """Return the kernel that runs for a document; None where there is none.

        :raises KernelError: `failed`.
        """
        path = path.strip("/")
        found = [each for each in await self._host.kernels() if each.path == path]
        return found[-1] if found else None

    async def where(self, info: KernelInfo) -> str | None:
        """Return how the document is called now that a kernel was found for."""
        try:
            found = await self._host.kernels()
        except KernelError:
            return None
        return next((each.path for each in found if each.session_id == info.session_id), None)

    @asynccontextmanager
    async def use(self, kernel_id: str) -> AsyncIterator[Connection]:
        """Be connected to a kernel of this server.

        :raises KernelError: `missing`, `dead`, `failed`.
        """
        connection = await self._used(kernel_id)
        try:
            if not await self._host.alive(kernel_id):
                raise KernelError("dead")
            yield connection
        finally:
            connection.users -= 1
            self._let_go(connection)

    async def start(self, path: str, name: str | None) -> KernelInfo:
        """Start a kernel for a document.

        :param name: of its kernel spec; None: the server's own choice.
        :raises KernelError: `failed`.
        """
        return await self._host.start(path.strip("/"), name)

    async def restart(self, kernel_id: str) -> None:
        """Start a kernel anew.

        :raises KernelError: `missing`, `failed`.
        """
        await self._host.restart(kernel_id)

    async def close(self) -> None:
        """Let go of all kernels; runs in them go on."""
        connections, self._connections = [*self._connections.values()], {}
        await asyncio.gather(*(each.close() for each in connections))
        if self._closing:
            await asyncio.wait(self._closing)

    async def _used(self, kernel_id: str) -> Connection:
        """Return the connection to a kernel, with a use of it counted: an unused one is ended."""
        lock = self._connecting.setdefault(kernel_id, asyncio.Lock())
        async with lock:
            if (found := self._connections.get(kernel_id)) is None:
                info = await self._host.info(kernel_id)
                client = await self._host.connect(kernel_id)
                found = Connection(self._host, info, client, self._let_go)
                self._connections[kernel_id] = found
            # Nothing is awaited in between.
            found.users += 1
            return found

    def _let_go(self, connection: Connection) -> None:
        """End a connection that nobody uses, and that no run goes on in."""
        kernel_id = connection.info.kernel_id
        if not connection.unused or self._connections.get(kernel_id) is not connection:
            return
        del self._connections[kernel_id]
        closing = asyncio.ensure_future(connection.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
