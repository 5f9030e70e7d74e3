"""Anthropic's words: messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .script import Frame, Request, Script, Trouble, sse, written
from .server import Provider
from .strict import check_anthropic, refusal

_TROUBLES: dict[Trouble, tuple[int, str, str]] = {
    "bad_key": (401, "authentication_error", "invalid x-api-key: {key}"),
    "forbidden": (403, "permission_error", "Your API key {key} may not use this resource."),
    "no_such_model": (404, "not_found_error", "model: {model}"),
    "timeout": (408, "timeout_error", "The request timed out."),
    "too_large": (413, "request_too_large", "Request exceeds the maximum size."),
    "context_length": (
        400,
        "invalid_request_error",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ),
    "content_filter": (
        400,
        "invalid_request_error",
        "Output blocked by content filtering policy",
    ),
    "rate_limit": (429, "rate_limit_error", "This would exceed your rate limit."),
    "bad_request": (400, "invalid_request_error", "messages.0: unexpected value"),
    "server_error": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
}


class AnthropicProvider(Provider):
    """What speaks as Anthropic does, at `/v1/messages`.

    A trailing assistant message is refused for models whose name says `no-prefill`, and a
    trailing blank in one always is, as the real service does.
    """

    kind = "anthropic"

    def is_reply(self, request: Request) -> bool:
        return request.path.split("?")[0] == "/v1/messages"

    def trouble(self, trouble: Trouble, request: Request) -> tuple[int, dict[str, Any]]:
        status, kind, text = _TROUBLES[trouble]
        text = text.format(
            key=request.headers.get("x-api-key", ""), model=request.body.get("model")
        )
        return status, {
            "type": "error",
            "error": {"type": kind, "message": text},
            "request_id": "req_1",
        }

    def trouble_frame(self, trouble: Trouble, request: Request) -> bytes:
        return sse(self.trouble(trouble, request)[1], "error")

    def refused(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        if why := refusal(check_anthropic, request.body):
            return 400, {
                "type": "error",
                "error": {"type": "invalid_request_error", "message": why},
            }
        last = request.body["messages"][-1]
        if last["role"] != "assistant":
            return None
        text = last["content"]
        if isinstance(text, list):
            text = text[-1]["text"]
        if "no-prefill" in request.body["model"]:
            message = "This model does not support assistant message prefill."
        elif text != text.rstrip():
            message = "final assistant content cannot end with trailing whitespace"
        else:
            return None
        error = {"type": "invalid_request_error", "message": message}
        return 400, {"type": "error", "error": error}

    def whole(self, request: Request, script: Script) -> dict[str, Any]:
        text = "".join(script.each_token())
        message = _message(request)
        return {
            **message,
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 7, "output_tokens": script.count},
        }

    def frames(self, request: Request, script: Script) -> Iterator[Frame]:
        index = 0

        def event(kind: str, **fields: Any) -> bytes:
            return sse({"type": kind, **fields}, kind)

        def delta(kind: str, **fields: Any) -> bytes:
            return event("content_block_delta", index=index, delta={"type": kind, **fields})

        yield Frame(event("message_start", message=_message(request)))
        yield Frame(event("ping"))
        if script.reasoning:
            block: dict[str, Any] = {"type": "thinking", "thinking": "", "signature": ""}
            yield Frame(event("content_block_start", index=index, content_block=block))
            for text in script.reasoning:
                yield Frame(delta("thinking_delta", thinking=text))
            yield Frame(delta("signature_delta", signature="c2ln"))
            yield Frame(event("content_block_stop", index=index))
            index += 1
        block = {"type": "text", "text": ""}
        yield Frame(event("content_block_start", index=index, content_block=block))
        for text in script.each_token():
            yield Frame(delta("text_delta", text=text), token=True)
        yield Frame(event("content_block_stop", index=index))
        for tool in script.tool_calls:
            index += 1
            block = {"type": "tool_use", "id": tool.call_id, "name": tool.name, "input": {}}
            yield Frame(event("content_block_start", index=index, content_block=block))
            yield from written(tool, lambda text: delta("input_json_delta", partial_json=text))
            yield Frame(event("content_block_stop", index=index))
        if script.ends_early:
            return
        reason = script.finish or ("tool_use" if script.tool_calls else "end_turn")
        ending = {"stop_reason": "refusal" if script.filtered else reason, "stop_sequence": None}
        usage = {"input_tokens": 7, "output_tokens": script.count}
        yield Frame(event("message_delta", delta=ending, usage=usage))
        yield Frame(event("message_stop"))


def _message(request: Request) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": request.body.get("model"),
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 7, "output_tokens": 0},
    }
