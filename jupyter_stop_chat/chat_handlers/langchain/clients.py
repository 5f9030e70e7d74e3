"""The HTTP clients that a LangChain model holds: renewed where they leak, closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

from jupyter_stop_chat.threads import in_thread

from .transports import prepare


class Clients:
    """What looks after the clients of one model.

    httpcore 1.0, below Ollama's client, loses a connection and its place in the pool when a
    request is cancelled while it takes or returns one; after enough of them nothing goes out any
    more. So after a request that did not come to its end, all of that client's connections are
    closed; while other requests use them, the next request gets a new client instead.

    :param model: a chat model, or None.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._leaks = callable(getattr(model, "_set_clients", None)) and hasattr(
            model, "_async_client"
        )
        if model is not None:
            getattr(model, "_async_client", None)  # some make theirs at its first use
            for client in clients(model):
                prepare(client)
        self._stale = False
        self._in_use = 0
        self._old: list[Any] = []

    @asynccontextmanager
    async def in_use(self) -> AsyncIterator[None]:
        """Make a request inside."""
        if self._stale:
            self._stale = False
            # It reads certificates from the disk.
            await in_thread(self._renew)
        self._in_use += 1
        ended = False
        try:
            yield
            ended = True
        finally:
            self._in_use -= 1
            if not self._in_use:
                if self._leaks and not ended:
                    await _close_all(self._model._async_client)
                await self._close_old()
            elif self._leaks and not ended:
                self._stale = True

    def _renew(self) -> None:
        old = self._model._async_client
        self._model._set_clients()
        prepare(self._model._async_client)
        self._old.append(old)

    async def _close_old(self) -> None:
        old, self._old = self._old, []
        for client in old:
            inner = getattr(client, "_client", client)
            await inner.aclose()

    async def close(self) -> None:
        """Close the clients that were replaced."""
        await self._close_old()


async def close_connections(model: Any) -> None:
    """Close what a chat model keeps open for its next request; it can still be used after."""
    for client in clients(model):
        await _close_all(client)


async def close_idle_connections(model: Any) -> None:
    """Close the connections of a chat model that no request uses at the moment."""
    for client in clients(model):
        for pool in _pools(client):
            for connection in pool.connections:
                if connection.is_idle():
                    # Its pool takes a closed one out by itself.
                    await connection.aclose()


def needs_client(model: Any) -> bool:
    """Tell whether a model makes its client only at its first use."""
    made = getattr(type(model), "_async_client", None)
    return isinstance(made, cached_property) and "_async_client" not in vars(model)


def clients(model: Any) -> list[Any]:
    """Return the clients that a model has by now."""
    attributes = vars(model)
    private = getattr(model, "__pydantic_private__", None) or {}
    found = [
        attributes.get(name) or private.get(name)
        for name in ("root_async_client", "_async_client", "async_client")
    ]
    return [client for client in found if client is not None]


async def _close_all(client: Any) -> None:
    """Close a client's connections, but not the client, which other models may share."""
    for pool in _pools(client):
        await pool.aclose()


def _pools(client: Any) -> Iterator[Any]:
    inner = getattr(client, "_client", client)
    mounts = getattr(inner, "_mounts", None) or {}
    for transport in [getattr(inner, "_transport", None), *mounts.values()]:
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            yield pool
