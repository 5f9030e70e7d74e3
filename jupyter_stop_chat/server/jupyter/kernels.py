"""A server's kernels, as its managers of kernels and sessions have them, a gateway's too."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Hashable, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.session import Session
from tornado.web import HTTPError

from jupyter_stop_chat.kernels import UNTRACKED
from jupyter_stop_chat.ports.kernels import KernelError, KernelInfo
from jupyter_stop_chat.threads import in_thread

from .managers import answer_of

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

log = logging.getLogger(__name__)

#: So long is waited for a manager, and for one that starts a kernel, in seconds.
PATIENCE_S, START_S = 20.0, 60.0


class ServerKernels:
    """What asks a server of its kernels."""

    def __init__(self, server: ServerApp) -> None:
        self._server = server

    @property
    def _manager(self) -> Any:
        return self._server.kernel_manager

    async def kernels(self) -> Sequence[KernelInfo]:
        """Return the kernels that run for documents; a document may have several, newest last.

        :raises KernelError: `failed`.
        """
        sessions = await _ask(self._server.session_manager.list_sessions)
        return [_info(each) for each in sessions if each.get("kernel")]

    async def info(self, kernel_id: str) -> KernelInfo:
        """Tell what a kernel is.

        :raises KernelError: `missing`, `failed`.
        """
        kernel = self._kernel(kernel_id)
        for each in await self.kernels():
            if each.kernel_id == kernel_id:
                return each
        return KernelInfo(kernel_id, str(getattr(kernel, "kernel_name", "")), "")

    async def connect(self, kernel_id: str) -> Any:
        """Return a client of jupyter_client, connected, with a session of its own.

        :raises KernelError: `missing`, `dead`, `failed`.
        """
        kernel = self._kernel(kernel_id)
        self._leave_untracked()
        if not await self.alive(kernel_id):
            raise KernelError("dead")
        ready = None if self.remote(kernel_id) else getattr(kernel, "ready", None)
        if ready is not None:  # of a server that starts kernels while it answers already
            ready = ready if asyncio.isfuture(ready) else asyncio.wrap_future(ready)
            await _ask(lambda: asyncio.shield(ready), START_S)
        try:
            # A shared session would make ours what the server itself asks.
            own = Session(config=kernel.session.config, key=kernel.session.key)
            own.signature_scheme = kernel.session.signature_scheme
            client = kernel.client(session=own, context=zmq.asyncio.Context.instance())
            if inspect.iscoroutinefunction(client.start_channels):
                # That of a gateway connects, and blocks meanwhile.
                await in_thread(lambda: asyncio.run(client.start_channels()))
            elif isinstance(client, AsyncKernelClient):
                client.start_channels(stdin=False, hb=False)
            else:
                raise TypeError(type(client).__name__)
        except Exception as error:
            log.warning("a kernel cannot be connected to: %s", type(error).__name__)
            raise KernelError("failed") from error
        return client

    async def disconnect(self, client: Any) -> None:
        """Let go of a client; it never raises."""
        try:
            if inspect.iscoroutinefunction(client.start_channels):
                await in_thread(client.stop_channels)
            else:
                client.stop_channels()
        except Exception as error:  # noqa: BLE001 - of whichever client
            log.warning("a kernel's client cannot be closed: %s", type(error).__name__)

    async def alive(self, kernel_id: str) -> bool:
        """Tell whether a kernel lives; one of which nothing can be known is taken to."""
        try:
            kernel = self._kernel(kernel_id)
            return bool(await _ask(kernel.is_alive))
        except KernelError as error:
            return error.code != "missing"

    def life(self, kernel_id: str) -> Hashable:
        """Return what is another for each start of a kernel; None where that is not known."""
        with suppress(KernelError, AttributeError, TypeError):
            kernel = self._kernel(kernel_id)
            pid = getattr(kernel.provisioner, "pid", None)
            return (pid, tuple(kernel.ports)) if pid is not None else None
        return None

    def busy(self, kernel_id: str) -> bool:
        """Tell whether a kernel does something, as far as the server knows."""
        with suppress(KernelError):
            return getattr(self._kernel(kernel_id), "execution_state", "") == "busy"
        return False

    def remote(self, kernel_id: str) -> bool:
        """Tell whether a kernel is reached through a gateway."""
        with suppress(KernelError):
            return hasattr(self._kernel(kernel_id), "kernel_url")
        return False

    async def interrupt(self, kernel_id: str) -> None:
        """Interrupt whatever a kernel does.

        :raises KernelError: `missing`, `failed`.
        """
        self._kernel(kernel_id)
        await _ask(lambda: self._manager.interrupt_kernel(kernel_id))

    async def start(self, path: str, name: str | None) -> KernelInfo:
        """Start a kernel for a document, as JupyterLab does.

        :raises KernelError: `failed`.
        """
        sessions: Any = self._server.session_manager
        called = path.rsplit("/", 1)[-1]
        asked = {"path": path, "name": called, "type": "notebook", "kernel_name": name}
        try:
            return _info(await _ask(lambda: sessions.create_session(**asked), START_S))
        except KernelError as error:  # it has no such spec
            raise KernelError("failed") from error

    async def restart(self, kernel_id: str) -> None:
        """Start a kernel anew.

        :raises KernelError: `missing`, `failed`.
        """
        self._kernel(kernel_id)
        answers = await _ask(lambda: self._manager.restart_kernel(kernel_id), START_S)
        if asyncio.isfuture(answers):
            # Whether the new one answers is found when it is used: nobody waits for it here.
            answers.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _kernel(self, kernel_id: str) -> Any:
        """Return a kernel's own manager.

        :raises KernelError: `missing`.
        """
        try:
            kernel = self._manager.get_kernel(kernel_id)
        except (HTTPError, KeyError) as error:
            raise KernelError("missing") from error
        if kernel is None:
            raise KernelError("missing")
        return kernel

    def _leave_untracked(self) -> None:
        """Have the server take none of our messages for what a kernel is busy with."""
        kinds = getattr(self._manager, "untracked_message_types", None)
        if kinds is not None and (ours := [each for each in UNTRACKED if each not in kinds]):
            self._manager.untracked_message_types = [*kinds, *ours]


def _info(session: Any) -> KernelInfo:
    kernel, path = session["kernel"], str(session["path"]).strip("/")
    return KernelInfo(str(kernel["id"]), str(kernel["name"]), path, str(session["id"]))


async def _ask(ask: Any, patience: float = PATIENCE_S) -> Any:
    """Return what a manager answers.

    :raises KernelError: `missing`, `failed`.
    """
    try:
        async with asyncio.timeout(patience):
            return await answer_of(ask())
    except HTTPError as error:
        missing = error.status_code == HTTPStatus.NOT_FOUND
        raise KernelError("missing" if missing else "failed") from error
    except KeyError as error:
        raise KernelError("missing") from error
    except Exception as error:
        log.warning("a manager of kernels failed: %s", type(error).__name__)
        raise KernelError("failed") from error
