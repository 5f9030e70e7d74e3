"""The loopback providers, in a thread and as a process: other tests rely on what they note."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.providers import KINDS, OpenAIProvider, Script
from tests.providers.chat_models import MODELS, make_model, make_provider
from tests.providers.reading import LONG, soon


async def test_a_close_is_seen_at_once_while_the_provider_stalls() -> None:
    async with OpenAIProvider(Script(stall="before_headers")) as provider:
        _, writer = await asyncio.open_connection("127.0.0.1", provider.port)
        writer.write(
            b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 15\r\n\r\n"
            + b'{"stream":true}'
        )
        request = await asyncio.wait_for(provider.next_request(), LONG)
        await soon(request.stalled)
        assert provider.open_connections == 1
        assert provider.closed_at is None
        writer.close()
        await soon(request.closed)
        assert provider.closed_at is not None
        await asyncio.wait_for(provider.no_connections(), LONG)
        assert not request.completed


@pytest.mark.parametrize("kind", MODELS)
def test_a_provider_in_a_thread(kind: str) -> None:
    """Its own loop: a test's loop that is blocked does not hold it up."""
    with make_provider(kind).in_thread() as provider:
        provider.script = Script(tokens=["a", "b"])
        model = make_model(kind, provider.base_url)
        text = "".join(chunk.text for chunk in model.stream("Hello?"))
        assert text == "ab"
        assert provider.tokens_sent == 2
        (request,) = provider.requests
        assert request.headers_sent_at is not None
        assert request.received_at <= request.headers_sent_at <= request.token_times[0]
        for name in ("root_client", "_client"):
            client: Any = getattr(model, name, None)
            if client is not None and hasattr(client, "close"):
                client.close()
            elif client is not None:
                client._client.close()


def _ask(url: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data), timeout=10) as answer:
        return answer.read()


@pytest.mark.parametrize("kind", KINDS)
def test_a_provider_as_a_process(kind: str) -> None:
    """For tests in a browser: its first line tells where it is; it ends with its input."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.providers", "--kind", kind, "--tokens", "3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        hello = json.loads(process.stdout.readline())
        assert hello["kind"] == kind
        paths = {"openai": "/chat/completions", "anthropic": "/v1/messages", "ollama": "/api/chat"}
        body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        assert b"t2 " in _ask(hello["base_url"] + paths[kind], body)
        _ask(hello["control"] + "script", {"tokens": ["other"]})
        assert b"other" in _ask(hello["base_url"] + paths[kind], body)
        state = json.loads(_ask(hello["control"] + "state"))
        assert [request["tokens_sent"] for request in state["requests"]] == [3, 1]
        assert state["tokens_sent"] == 4
        assert all(request["completed"] for request in state["requests"])
        process.stdin.close()
        assert process.wait(10) == 0
