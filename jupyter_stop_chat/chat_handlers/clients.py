"""The HTTP clients that a LangChain model holds: renewed where they leak, closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .sync_bridge import in_thread_of_its_own


class Use:
    """Be one request."""

    def __init__(self) -> None:
        self.has_answer = False

    def answered(self) -> None:
        """Note that something came back."""
        self.has_answer = True


class Clients:
    """Look after the clients of one model.

    httpcore 1.0, below Ollama's client, loses a place in its pool when a request is cancelled
    while it takes one; after enough of them nothing goes out any more. So that client is made
    anew after a request that ended before its first answer.

    :param model: a chat model, or None.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._renews = callable(getattr(model, "_set_clients", None)) and hasattr(
            model, "_async_client"
        )
        self._stale = False
        self._in_use = 0
        self._old: list[Any] = []

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[Use]:
        """Make a request inside."""
        if self._stale and self._renews:
            self._stale = False
            # It reads certificates from the disk.
            await in_thread_of_its_own(self._renew)
        use = Use()
        self._in_use += 1
        try:
            yield use
        finally:
            self._in_use -= 1
            if not use.has_answer:
                self._stale = True
            if not self._in_use:
                old_ones, self._old = self._old, []
                for client in old_ones:
                    await _close(client)

    def _renew(self) -> None:
        old = self._model._async_client
        self._model._set_clients()
        self._old.append(old)

    async def close(self) -> None:
        """Close what is kept open for a next request; the model can still be used after."""
        for client in self._old:
            await _close(client)
        self._old = []
        attributes = vars(self._model) if self._model is not None else {}
        private = getattr(self._model, "__pydantic_private__", None) or {}
        for name in ("root_async_client", "_async_client"):
            client = attributes.get(name) or private.get(name)
            if client is not None:
                await _close_idle(client)


async def _close(client: Any) -> None:
    """Close a client that nobody uses any more."""
    inner = getattr(client, "_client", client)
    await inner.aclose()


async def _close_idle(client: Any) -> None:
    """Close a client's connections without ending the client, which models may share."""
    inner = getattr(client, "_client", client)
    mounts = getattr(inner, "_mounts", None) or {}
    for transport in [getattr(inner, "_transport", None), *mounts.values()]:
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            await pool.aclose()
