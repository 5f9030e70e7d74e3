"""What a provider's client imports and makes at its first use: made before that, in a thread.

The clients of OpenAI and Anthropic import the half of themselves, and make the schema of a
stream's events, when the first event comes: everybody on the server would wait for it.
"""

from __future__ import annotations

import contextlib
from functools import cache
from importlib import import_module
from typing import Any

from .clients import needs_client

#: By LangChain's package: the client's, and where in it the events of a stream are.
_EVENTS = {
    "langchain_openai": ("openai", "types.responses", "ResponseStreamEvent"),
    "langchain_anthropic": ("anthropic", "types", "RawMessageStreamEvent"),
}
#: What events hold that has schemas of its own; more of it is made when it comes.
_PART = {"type": "output_text", "text": "", "annotations": []}
_ITEM = {"type": "message", "content": [_PART]}
_EXAMPLES: tuple[dict[str, Any], ...] = (
    {"type": ""},
    {
        "type": "response.created",
        "response": {"output": [_ITEM], "tools": [], "tool_choice": "auto"},
    },
    {"type": "response.output_item.added", "item": _ITEM},
    {"type": "response.content_part.added", "part": _PART},
)
_ready: set[str] = set()


def is_ready(model: Any) -> bool:
    """Tell whether a model's client has made all that it makes at its first use."""
    loaded = load_sockets.cache_info().currsize > 0
    return loaded and not needs_client(model) and _package(model) in {None, *_ready}


@cache
def load_sockets() -> None:
    """Let AnyIO import what HTTPX asks of it at its first request; this blocks."""
    from anyio import connect_tcp, run, sleep  # noqa: F401 - it imports each where it is named

    run(sleep, 0)


def make_ready(model: Any) -> None:
    """Let a model's client import and make what it needs; this blocks."""
    load_sockets()
    getattr(model, "_async_client", None)  # it reads certificates from the disk
    package = _package(model)
    if package is None or package in _ready:
        return
    # Whatever a version of it has elsewhere, it makes when it needs it.
    with contextlib.suppress(Exception):
        client, module, events = _EVENTS[package]
        if client == "openai":
            _ = model.root_async_client.responses
        union = getattr(import_module(f"{client}.{module}"), events)
        construct = import_module(f"{client}._models").construct_type
        for example in _EXAMPLES:
            construct(value=example, type_=union)
    _ready.add(package)


def _package(model: Any) -> str | None:
    packages = (each.__module__.partition(".")[0] for each in type(model).__mro__)
    return next((each for each in packages if each in _EVENTS), None)
