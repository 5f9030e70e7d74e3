"""Write one whole answer of a model, where a stream was asked for, as the events of a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from jupyter_stop_chat.wire.errors import ErrorCode, StopChatError


def stream_of(path: str, told: Any) -> bytes:
    """Write one whole answer as the events of a stream.

    :param path: what was asked for.
    :raises StopChatError: `wrong_address`, when it is no answer of a model.
    """
    if isinstance(told, list) and told:
        told = told[0]
    if isinstance(told, Mapping) and (error := told.get("error")):
        if path.endswith("/messages"):
            return _event({"type": "error", "error": error}, "error")
        return _event({"error": error})
    write = next(way for end, way in _WAYS.items() if path.endswith(end))
    events = b"".join(write(told)) if isinstance(told, Mapping) else b""
    if not events:
        raise StopChatError(ErrorCode.WRONG_ADDRESS, "another kind of JSON answered")
    return events


def _chat(told: Mapping[str, Any]) -> Iterator[bytes]:
    """OpenAI's chat completions."""
    choices = told.get("choices")
    if not isinstance(choices, list):
        return
    head = {
        "id": told.get("id") or "",
        "object": "chat.completion.chunk",
        "created": told.get("created") or 0,
        "model": told.get("model") or "",
    }
    for choice in choices[:1]:
        message = dict(choice.get("message") or choice.get("delta") or {})
        message.setdefault("role", "assistant")
        calls = message.get("tool_calls") or []
        message["tool_calls"] = [{"index": at, **call} for at, call in enumerate(calls)] or None
        reason = choice.get("finish_reason") or "stop"
        yield _event({**head, "choices": [{"index": 0, "delta": message}]})
        yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    if told.get("usage"):
        yield _event({**head, "choices": [], "usage": told["usage"]})
    yield b"data: [DONE]\n\n"


def _responses(told: Mapping[str, Any]) -> Iterator[bytes]:
    """OpenAI's Responses."""
    output = told.get("output")
    if told.get("object") != "response" and not isinstance(output, list):
        return
    begun = {**told, "output": [], "status": "in_progress", "usage": None}
    yield _named({"type": "response.created", "response": begun})
    for index, item in enumerate(output if isinstance(output, list) else ()):
        if not isinstance(item, Mapping):
            continue
        name = item.get("id") or f"item_{index}"
        place = {"output_index": index, "item_id": name}
        bare = {**item, "id": name, "content": [], "summary": []}
        if item.get("type") != "reasoning":
            del bare["summary"]
        yield _named({"type": "response.output_item.added", "output_index": index, "item": bare})
        if item.get("type") == "reasoning":
            for at, text in enumerate(_texts(item.get("summary") or item.get("content"))):
                kind = "response.reasoning_summary_text.delta"
                yield _named({"type": kind, **place, "summary_index": at, "delta": text})
            continue
        for at, part in enumerate(item.get("content") or ()):
            where = {**place, "content_index": at}
            if part.get("type") == "refusal":
                words = part.get("refusal") or ""
                yield _named({"type": "response.refusal.delta", **where, "delta": words})
            elif text := "".join(_texts([part])):
                empty = {"type": "output_text", "text": "", "annotations": []}
                yield _named({"type": "response.content_part.added", **where, "part": empty})
                kind = "response.output_text.delta"
                yield _named({"type": kind, **where, "delta": text, "logprobs": []})
    status = told.get("status")
    end = status if status in {"incomplete", "failed"} else "completed"
    yield _named({"type": f"response.{end}", "response": told})


def _messages(told: Mapping[str, Any]) -> Iterator[bytes]:
    """Anthropic's messages."""
    content = told.get("content")
    if told.get("type") != "message" and not isinstance(content, list):
        return
    usage = told.get("usage") or {"input_tokens": 0, "output_tokens": 0}
    begun = {"model": "", **told, "content": [], "stop_reason": None, "usage": usage}
    yield _named({"type": "message_start", "message": begun})
    for index, block in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(block, Mapping):
            continue
        place = {"index": index}
        kind = str(block.get("type"))
        field = {"text": "text", "thinking": "thinking"}.get(kind)
        opened = {**block, field: ""} if field else block
        yield _named({"type": "content_block_start", **place, "content_block": opened})
        if field:
            delta = {"type": f"{kind}_delta", field: block.get(field) or ""}
            yield _named({"type": "content_block_delta", **place, "delta": delta})
        yield _named({"type": "content_block_stop", **place})
    end = {"stop_reason": told.get("stop_reason") or "end_turn", "stop_sequence": None}
    yield _named({"type": "message_delta", "delta": end, "usage": usage})
    yield _named({"type": "message_stop"})


#: By what a path ends with.
_WAYS = {"/chat/completions": _chat, "/responses": _responses, "/messages": _messages}
#: Where one whole answer can stand in for a stream.
WAYS = tuple(_WAYS)


def _texts(parts: Any) -> Iterator[str]:
    for part in parts if isinstance(parts, list) else ():
        text = part.get("text") if isinstance(part, Mapping) else None
        if isinstance(text, str) and text:
            yield text


def _named(data: Mapping[str, Any]) -> bytes:
    return _event(data, str(data["type"]))


def _event(data: Any, name: str = "") -> bytes:
    label = f"event: {name}\n".encode() if name else b""
    return label + b"data: " + json.dumps(data).encode() + b"\n\n"
