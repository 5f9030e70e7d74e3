"""Ollama's words: `/api/chat`, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .script import Frame, Request, Script, Trouble
from .server import Provider

_TROUBLES: dict[Trouble, tuple[int, str]] = {
    "bad_key": (401, "unauthorized: {key}"),
    "forbidden": (403, "forbidden"),
    "no_such_model": (404, "model '{model}' not found"),
    "timeout": (408, "timed out"),
    "too_large": (413, "http: request body too large"),
    "context_length": (400, "input length exceeds maximum context length"),
    "content_filter": (400, "content filter"),
    "rate_limit": (429, "too many requests"),
    "bad_request": (400, "invalid options: x"),
    "server_error": (500, "llama runner process has terminated: exit status 2"),
    "overloaded": (503, "server busy, please try again. maximum pending requests exceeded"),
}


class OllamaProvider(Provider):
    """What speaks as Ollama does."""

    kind = "ollama"
    content_type = "application/x-ndjson"

    def is_reply(self, request: Request) -> bool:
        return request.path == "/api/chat"

    def other(self, request: Request) -> dict[str, Any] | None:
        if request.path == "/api/tags":
            return {"models": [{"name": "llama3.2:latest", "model": "llama3.2:latest", "size": 1}]}
        return None

    def wants_stream(self, request: Request) -> bool:
        return request.body.get("stream") is not False

    def trouble(self, trouble: Trouble, request: Request) -> tuple[int, dict[str, Any]]:
        status, text = _TROUBLES[trouble]
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        return status, {"error": text.format(key=key, model=request.body.get("model"))}

    def trouble_frame(self, trouble: Trouble, request: Request) -> bytes:
        return _line(self.trouble(trouble, request)[1])

    def whole(self, request: Request, script: Script) -> dict[str, Any]:
        return _part(request, {"content": "".join(script.each_token())}, _end(script))

    def frames(self, request: Request, script: Script) -> Iterator[Frame]:
        for text in script.reasoning:
            yield Frame(_line(_part(request, {"content": "", "thinking": text})))
        for text in script.each_token():
            yield Frame(_line(_part(request, {"content": text})), token=True)
        for tool in script.tool_calls:
            call = {"function": {"name": tool.name, "arguments": tool.args}}
            yield Frame(_line(_part(request, {"content": "", "tool_calls": [call]})))
        yield Frame(_line(_part(request, {"content": ""}, _end(script))))


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _part(
    request: Request, message: dict[str, Any], end: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "model": request.body.get("model"),
        "created_at": "2025-01-01T00:00:00.000000Z",
        "message": {"role": "assistant", **message},
        "done": end is not None,
        **(end or {}),
    }


def _end(script: Script) -> dict[str, Any]:
    counts = {"prompt_eval_count": 7, "eval_count": script.count} if script.usage else {}
    return {"done_reason": "stop", "total_duration": 5, "load_duration": 1, **counts}
