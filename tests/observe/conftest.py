"""A server whose model follows a script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

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
