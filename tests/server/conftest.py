"""What the tests of the server's routes and of its socket have at hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from jupyter_stop_chat.testing import ScriptedHandler
from tests.aids.http_streams import EventReader
from tests.providers import OpenAIProvider
from tests.server.people.people import annas, person

__all__ = ["annas", "person"]


@pytest.fixture
def scripted(app: Any) -> Callable[..., Awaitable[ScriptedHandler]]:
    """Make `scripted:x` follow a script."""

    async def follow(*steps: Any) -> ScriptedHandler:
        app.titles = "prompt"  # else the model is asked for a title as well
        handler = ScriptedHandler(list(steps))
        (await app.services()).models.register("scripted", lambda name: handler)
        return handler

    return follow


@pytest.fixture
def stream(
    jp_ws_fetch: Any, jp_auth_header: dict[str, str], jp_http_port: int, jp_base_url: str
) -> Iterator[Callable[..., Awaitable[EventReader]]]:
    """Ask for a reply over a connection of one's own."""
    opened: list[EventReader] = []

    async def ask(**fields: Any) -> EventReader:
        body = {"body": "Tell me a story", "model": "scripted:x"} | fields
        path = f"{jp_base_url}api/stop-chat/generate"
        made = await EventReader.post(jp_http_port, path, jp_auth_header, body)
        opened.append(made)
        return made

    yield ask
    for each in opened:
        each.close()


@pytest.fixture
def call(jp_fetch: Any) -> Callable[..., Awaitable[tuple[int, Any]]]:
    """Call a route; return its status and what was answered, whatever it is."""

    async def do(method: str, *path: str, body: Any = None) -> tuple[int, Any]:
        fields: dict[str, Any] = {"method": method}
        if method == "POST":
            fields["body"] = body if isinstance(body, str | bytes) else json.dumps(body or {})
        response = await jp_fetch("api", "stop-chat", *path, raise_error=False, **fields)
        return response.code, json.loads(response.body)

    return do


MODEL = "openai:gpt-loopback"


@pytest.fixture
def provider(app: Any, jp_asyncio_loop: asyncio.AbstractEventLoop) -> Iterator[OpenAIProvider]:
    """Serve an OpenAI-shaped model on loopback, in the server's own loop."""
    made = OpenAIProvider()
    jp_asyncio_loop.run_until_complete(made.start())
    app.model_parameters = {"openai": {"base_url": made.base_url, "api_key": "sk-canary"}}
    app.default_model = MODEL
    app.titles = "prompt"  # else the model is asked for a title as well
    yield made
    jp_asyncio_loop.run_until_complete(made.stop())
