"""A server whose model follows a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakSet

import pytest

from jupyter_stop_chat.observe import metrics
from jupyter_stop_chat.testing import ScriptedHandler


@pytest.fixture
def scripted(app: Any) -> Callable[..., Awaitable[ScriptedHandler]]:
    """Return what registers a model that follows some steps."""

    async def follow(*steps: Any) -> ScriptedHandler:
        app.titles = "prompt"
        handler = ScriptedHandler(list(steps))
        (await app.services()).models.register("scripted", lambda name: handler)
        return handler

    return follow


@pytest.fixture(autouse=True)
def _nothing_of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count from nothing: servers of tests before in this process may not be collected yet."""
    monkeypatch.setattr(metrics, "_engines", WeakSet())
    monkeypatch.setattr(metrics, "_open_sockets", WeakSet())
