"""What is asked of the server that kernels belong to."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol

from jupyter_stop_chat.ports.kernels import KernelInfo


class Host(Protocol):
    """A server's kernels, as they are reached."""

    async def kernels(self) -> Sequence[KernelInfo]:
        """Return the kernels that run for documents; a document may have several, newest last.

        :raises KernelError: `failed`.
        """
        ...

    async def info(self, kernel_id: str) -> KernelInfo:
        """Tell what a kernel is.

        :raises KernelError: `missing`, `failed`.
        """
        ...

    async def connect(self, kernel_id: str) -> Any:
        """Return a client of jupyter_client, connected, with a session of its own.

        :raises KernelError: `missing`, `dead`, `failed`.
        """
        ...

    async def disconnect(self, client: Any) -> None:
        """Let go of a client; it never raises."""
        ...

    async def alive(self, kernel_id: str) -> bool:
        """Tell whether a kernel lives; one of which nothing can be known is taken to."""
        ...

    def life(self, kernel_id: str) -> Hashable:
        """Return what is another for each start of a kernel, and with what it is reached by.

        None where that is not known.
        """
        ...

    def busy(self, kernel_id: str) -> bool:
        """Tell whether a kernel does something, as far as the server knows."""
        ...

    def remote(self, kernel_id: str) -> bool:
        """Tell whether a kernel is reached through a gateway."""
        ...

    async def interrupt(self, kernel_id: str) -> None:
        """Interrupt whatever a kernel does.

        :raises KernelError: `missing`, `failed`.
        """
        ...

    async def start(self, path: str, name: str | None) -> KernelInfo:
        """Start a kernel for a document.

        :raises KernelError: `failed`.
        """
        ...

    async def restart(self, kernel_id: str) -> None:
        """Start a kernel anew.

        :raises KernelError: `missing`, `failed`.
        """
        ...
