"""OpenAI's words: chat completions and Responses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from .script import Frame, Request, Script, Trouble, new_number, pieces, sse, written
from .server import Provider
from .strict import check_chat, check_responses, refusal

_TROUBLES: dict[Trouble, tuple[int, str, str, str | None]] = {
    "bad_key": (
        401,
        "Incorrect API key provided: {key}. You can find your API key at your account's page.",
        "invalid_request_error",
        "invalid_api_key",
    ),
    "forbidden": (
        403,
        "Project `proj_1` does not have access to model `{model}`",
        "invalid_request_error",
        "model_not_found",
    ),
    "no_such_model": (
        404,
        "The model `{model}` does not exist or you do not have access to it.",
        "invalid_request_error",
        "model_not_found",
    ),
    "timeout": (408, "The request timed out.", "server_error", None),
    "too_large": (413, "Request too large.", "invalid_request_error", None),
    "context_length": (
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in "
        "9001 tokens. Please reduce the length of the messages.",
        "invalid_request_error",
        "context_length_exceeded",
    ),
    "content_filter": (
        400,
        "The response was filtered due to the prompt triggering the content management policy.",
        "invalid_request_error",
        "content_filter",
    ),
    "rate_limit": (
        429,
        "Rate limit reached for {model}: Limit 3, Used 3.",
        "requests",
        "rate_limit_exceeded",
    ),
    "bad_request": (400, "Unknown parameter: 'x'.", "invalid_request_error", "unknown_parameter"),
    "server_error": (500, "The server had an error.", "server_error", None),
    "overloaded": (503, "The engine is currently overloaded.", "server_error", None),
}


class OpenAIProvider(Provider):
    """What speaks as OpenAI does, at `/v1/chat/completions` and `/v1/responses`."""

    kind = "openai"
    root = "/v1"
    #: The only key that may see the list of models; empty: anybody may.
    key = ""

    def is_reply(self, request: Request) -> bool:
        return request.path in {"/v1/chat/completions", "/v1/responses"}

    def other(self, request: Request) -> dict[str, Any] | None:
        if request.path == "/v1/models":
            if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
                return self.trouble("bad_key", request)[1]
            return {"object": "list", "data": [{"id": "gpt-test", "object": "model"}]}
        return None

    def trouble(self, trouble: Trouble, request: Request) -> tuple[int, dict[str, Any]]:
        status, text, kind, code = _TROUBLES[trouble]
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        text = text.format(key=key, model=request.body.get("model"))
        return status, {"error": {"message": text, "type": kind, "param": None, "code": code}}

    def trouble_frame(self, trouble: Trouble, request: Request) -> bytes:
        error = self.trouble(trouble, request)[1]["error"]
        if request.path == "/v1/responses":
            error = {**error, "code": error["code"] or error["type"]}
            return sse({**error, "type": "error", "sequence_number": 9}, "error")
        return sse({"error": error})

    def refused(self, request: Request) -> tuple[int, dict[str, Any]] | None:
        check = check_responses if request.path == "/v1/responses" else check_chat
        why = refusal(check, request.body)
        if why is None:
            return None
        kind = "invalid_request_error"
        return 400, {"error": {"message": why, "type": kind, "param": None, "code": None}}

    def frames(self, request: Request, script: Script) -> Iterator[Frame]:
        if request.path == "/v1/responses":
            return _responses(request, script)
        return _chat(request, script)

    def whole(self, request: Request, script: Script) -> dict[str, Any]:
        text = "".join(script.each_token())
        if request.path == "/v1/responses":
            return _response(request, script, [_text_item(text)], "completed")
        return {
            **_head(request, "chat.completion"),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text},
                    "finish_reason": "stop",
                }
            ],
            "usage": _usage(script),
        }


def _usage(script: Script) -> dict[str, int]:
    return {
        "prompt_tokens": 7,
        "completion_tokens": script.count,
        "total_tokens": 7 + script.count,
    }


def _head(request: Request, kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{next(new_number)}",
        "object": kind,
        "created": 1700000000,
        "model": request.body.get("model"),
    }


def _chat(request: Request, script: Script) -> Iterator[Frame]:
    head = _head(request, "chat.completion.chunk")

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return sse({**head, "choices": [choice]})

    yield Frame(chunk({"role": "assistant", "content": ""}))
    for text in script.reasoning:
        yield Frame(chunk({"reasoning_content": text}))
    for text in script.each_token():
        yield Frame(chunk({"content": text}), token=True)
    for index, tool in enumerate(script.tool_calls):
        function = {"name": tool.name, "arguments": ""}
        first = {"index": index, "id": tool.call_id, "type": "function", "function": function}
        yield Frame(chunk({"tool_calls": [first]}))
        yield from written(tool, partial(_more_of_call, chunk, index))
    if script.ends_early:
        return
    finish = "tool_calls" if script.tool_calls else "stop"
    yield Frame(chunk({}, script.finish or ("content_filter" if script.filtered else finish)))
    asked = (request.body.get("stream_options") or {}).get("include_usage")
    if script.usage and asked:
        yield Frame(sse({**head, "choices": [], "usage": _usage(script)}))
    yield Frame(b"data: [DONE]\n\n")


def _more_of_call(chunk: Callable[[dict[str, Any]], bytes], index: int, piece: str) -> bytes:
    return chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def _text_item(text: str) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}],
    }


def _response(
    request: Request, script: Script, output: list[dict[str, Any]], status: str
) -> dict[str, Any]:
    usage = {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": script.count,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 7 + script.count,
    }
    ended = status in {"completed", "incomplete"}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": status,
        "error": None,
        "incomplete_details": {"reason": "content_filter"} if status == "incomplete" else None,
        "instructions": None,
        "model": request.body.get("model"),
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
        "usage": usage if ended and script.usage else None,
    }


def _responses(request: Request, script: Script) -> Iterator[Frame]:
    number = iter(range(10**12))

    def event(kind: str, **fields: Any) -> bytes:
        return sse({"type": kind, "sequence_number": next(number), **fields}, kind)

    output: list[dict[str, Any]] = []
    begun = _response(request, script, [], "in_progress")
    yield Frame(event("response.created", response=begun))
    yield Frame(event("response.in_progress", response=begun))
    if script.reasoning:
        yield from _reasoning_item(script, output, event)
    yield from _text_items(script, output, event)
    for tool in script.tool_calls:
        at = {"output_index": len(output)}
        item = {
            "type": "function_call",
            "id": f"fc_{tool.call_id}",
            "call_id": tool.call_id,
            "name": tool.name,
            "arguments": "",
            "status": "in_progress",
        }
        yield Frame(event("response.output_item.added", **at, item=item))
        kind = "response.function_call_arguments.delta"
        more = partial(event, kind, **at, item_id=item["id"])
        yield from written(tool, lambda piece: more(delta=piece))  # noqa: B023 - used at once
        item = {**item, "arguments": "".join(pieces(tool)), "status": "completed"}
        yield Frame(event("response.output_item.done", **at, item=item))
        output.append(item)
    status = "incomplete" if script.filtered else "completed"
    ending = _response(request, script, output, status)
    yield Frame(event(f"response.{status}", response=ending))


def _reasoning_item(script: Script, output: list[dict[str, Any]], event: Any) -> Iterator[Frame]:
    at = {"output_index": len(output)}
    item: dict[str, Any] = {"id": "rs_1", "type": "reasoning", "summary": []}
    here = {**at, "item_id": "rs_1", "summary_index": 0}
    part = {"type": "summary_text", "text": ""}
    yield Frame(event("response.output_item.added", **at, item=item))
    yield Frame(event("response.reasoning_summary_part.added", **here, part=part))
    for text in script.reasoning:
        yield Frame(event("response.reasoning_summary_text.delta", **here, delta=text))
    part = {**part, "text": "".join(script.reasoning)}
    yield Frame(event("response.reasoning_summary_part.done", **here, part=part))
    item = {**item, "summary": [part]}
    yield Frame(event("response.output_item.done", **at, item=item))
    output.append(item)


def _text_items(script: Script, output: list[dict[str, Any]], event: Any) -> Iterator[Frame]:
    at = {"output_index": len(output)}
    here = {**at, "item_id": "msg_1", "content_index": 0}
    item = {**_text_item(""), "content": [], "status": "in_progress"}
    part = {"type": "output_text", "text": "", "annotations": []}
    yield Frame(event("response.output_item.added", **at, item=item))
    yield Frame(event("response.content_part.added", **here, part=part))
    kept: list[str] = []
    for text in script.each_token():
        kept.append(text)
        yield Frame(
            event("response.output_text.delta", **here, delta=text, logprobs=[]), token=True
        )
    whole = "".join(kept)
    yield Frame(event("response.output_text.done", **here, text=whole, logprobs=[]))
    yield Frame(event("response.content_part.done", **here, part={**part, "text": whole}))
    yield Frame(event("response.output_item.done", **at, item=_text_item(whole)))
    output.append(_text_item(whole))
